"""Writes requirements.lock and requirements-dev.lock from pyproject.toml. Needs uv."""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = "# Locked with hashes for Python 3.11 and later on every platform; written by `make lock` from pyproject.toml.\n"


def lock(wanted: list[str], target: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".in") as source:
        source.write("\n".join(wanted))
        source.flush()
        command = ["uv", "pip", "compile", "-q", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-header", "--no-annotate", source.name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    target.write_text(HEAD + done.stdout)


def main() -> int:
    if not shutil.which("uv"):
        print("make lock needs uv: pip install uv", file=sys.stderr)
        return 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    build = project["build-system"]["requires"]
    run = build + project["project"]["dependencies"]
    dev = run + project["project"]["optional-dependencies"]["postgres"] + project["dependency-groups"]["dev"]
    lock(run, ROOT / "requirements.lock")
    lock([name for name in dev if name != "pip"], ROOT / "requirements-dev.lock")
    return 0


if __name__ == "__main__":
    sys.exit(main())
