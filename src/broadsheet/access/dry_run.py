"""A dry run of a policy in a process of its own, so that neither readers nor the newsroom wait for it. Django-free.

`begin` writes what is asked into a file and starts `python -m broadsheet.access.dry_run FILE` at low priority; that
process replaces the file with its progress and at last with the report; `look` reads it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from broadsheet.access.replay import as_values, replay
from broadsheet.access.rules import Policy, policy_from, policy_values
from broadsheet.ids import token

TRIALS = "trials"  # a folder beside the records
_KEEP_SECONDS = 86_400.0
_SILENT_SECONDS = 60.0  # without a word for so long, the process is gone
_TELL_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Trial:
    """How far a dry run is. `state`: running, done, failed; `done`: its share, in percent."""

    state: str
    done: int = 0
    report: dict[str, Any] | None = None


def begin(folder: Path, running: Policy, other: Policy, since: datetime, until: datetime) -> str:
    """Start a dry run over the records in `folder`. Returns the name under which `look` finds it."""
    trials = folder / TRIALS
    trials.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in trials.glob("*.json"):
        if time.time() - old.stat().st_mtime > _KEEP_SECONDS:
            old.unlink(missing_ok=True)
    name = token(12)
    asked = {
        "state": "running",
        "done": 0,
        "running": policy_values(running),
        "other": policy_values(other),
        "since": since.isoformat(),
        "until": until.isoformat(),
    }
    _put(trials / f"{name}.json", asked)
    command = [sys.executable, "-m", "broadsheet.access.dry_run", str(trials / f"{name}.json")]
    # The arguments are our own interpreter, our own module and a path we made.
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603
    return name


def look(folder: Path, name: str) -> Trial | None:
    """How far the dry run `name` is; None when there is none."""
    path = folder / TRIALS / f"{Path(name).name}.json"
    try:
        told = json.loads(path.read_text("utf-8"))
        silent = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None
    state = "failed" if told["state"] == "running" and silent > _SILENT_SECONDS else told["state"]
    return Trial(state, told["done"], told.get("report"))


def wait(folder: Path, name: str, seconds: float) -> Trial | None:
    """As `look`, after at most `seconds` in which it may finish."""
    end = time.monotonic() + seconds
    trial = look(folder, name)
    while trial and trial.state == "running" and time.monotonic() < end:
        time.sleep(0.05)
        trial = look(folder, name)
    return trial


def run(path: Path) -> None:
    """The other process."""
    asked = json.loads(path.read_text("utf-8"))
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_EVERY:
            last = time.monotonic()
            _put(path, {**asked, "done": 100 * done // max(1, total)})

    try:
        report = replay(
            path.parent.parent,
            policy_from(asked["running"]),
            policy_from(asked["other"]),
            datetime.fromisoformat(asked["since"]),
            datetime.fromisoformat(asked["until"]),
            progress=progress,
        )
    except BaseException:
        _put(path, {**asked, "state": "failed"})
        raise
    _put(path, {**asked, "state": "done", "done": 100, "report": as_values(report)})


def _put(path: Path, value: dict[str, Any]) -> None:
    """Replace the file in one step: who looks sees the old one or the new one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(value), "utf-8")
    fresh.replace(path)


if __name__ == "__main__":
    os.nice(10)
    run(Path(sys.argv[1]))
