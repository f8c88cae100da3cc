"""The small sister of `make prove-billing`: a few dozen killed processes on SQLite, and the control that has to fail."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_whatever_dies_nobody_is_charged_twice_and_without_the_keys_they_would_be():
    done = subprocess.run(
        [sys.executable, "-m", "tools.prove_billing", "--small"],
        check=False, cwd=ROOT, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": "src"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.search(r"^found: (\d+) processes killed .* 0 double, 0 lost, 0 stuck$", done.stdout, re.MULTILINE)
    assert int(said[1]) >= 30
    twice = re.search(r"^control sqlite: .* (\d+) charges were made twice$", done.stdout, re.MULTILINE)
    assert int(twice[1]) > 0
