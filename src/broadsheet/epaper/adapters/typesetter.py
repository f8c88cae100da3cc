"""Starts the process that sets an automatic edition and watches over it. Django-free."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from broadsheet.epaper.adapters.pdf import environment

SECONDS = 120.0


class SettingFailedError(Exception):
    """The edition could not be set; the text says why, for its screen."""


def set_edition(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Set what `job` describes; the pictures it names lie in `folder`, and edition.pdf does afterwards. Returns
    {"pages": [{number, section, areas: [[story's place in the job, boxes]]}], "left_out": [places], "seconds": …}."""
    (folder / "job.json").write_text(json.dumps(job, ensure_ascii=False), "utf-8")
    command = [sys.executable, "-m", "broadsheet.epaper.adapters.typst_child", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, env=environment(), check=False)  # noqa: S603 - this program itself
    except subprocess.TimeoutExpired:
        raise SettingFailedError(f"Setting it took more than {SECONDS:.0f} seconds.") from None
    try:
        made = json.loads((folder / "made.json").read_text("utf-8"))
    except (OSError, ValueError):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SettingFailedError(f"The typesetter ended early: {said[-1] if said else done.returncode}") from None
    if "failed" in made:
        raise SettingFailedError(f"{made['failed']} {made.get('detail', '')}".strip())
    return dict(made)
