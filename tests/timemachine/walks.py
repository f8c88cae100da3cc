"""Runs `billing simulate FILE` in a fork that has Django's modules loaded already."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests import press_room


def simulate(path: Path, *more: str) -> subprocess.CompletedProcess:
    words = ["billing", "simulate", str(path), *more]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BROADSHEET_", "DJANGO_"))}
    return press_room.run(env, f"import sys\nfrom broadsheet.server.cli import run\nsys.exit(run({words!r}))")


def rows(done: subprocess.CompletedProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def walked(tmp_path: Path, text: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status and the printed rows of a scenario given as text."""
    path = tmp_path / "scenario.yaml"
    path.write_text(text, "utf-8")
    done = simulate(path, "--json")
    assert done.returncode in (0, 1), done.stderr[-3000:]
    return done.returncode, rows(done)
