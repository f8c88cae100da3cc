"""Walks that staff start from the admin: each in a folder of its own and a process of its own, with an end in time.

A folder below `simulations` in the data folder holds the scenario, what the process printed and how it ended; the
newest are kept. No table: a walk is nothing anybody has to find again next year.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from broadsheet import ids
from broadsheet.dates import parse_instant, rfc3339

LONGEST = 60.0  # seconds
CUT_OFF = timedelta(seconds=LONGEST + 60)
KEPT = 20
MOST_AT_ONCE = 2
MOST_TEXT = 200_000  # characters
MOST_PRINTED = 8_000_000  # bytes
_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")
_starting = threading.Lock()


@dataclass(frozen=True, slots=True)
class Run:
    """`state` is running, held (every expectation), broken (some expectation), refused (the file makes no sense),
    failed, too_long or cut_off."""

    id: str
    name: str
    by: str
    state: str
    started_at: datetime
    seconds: float | None

    @property
    def over(self) -> bool:
        return self.state != "running"


class BusyError(Exception):
    """So many walks as may be under way at once are."""


def start(folder: Path, text: str, *, name: str, by: str, now: datetime, longest: float = LONGEST) -> str:
    """Begin to walk a scenario; the id of the run. BusyError when others have to end first."""
    with _starting:
        if sum(not run.over for run in newest(folder, now)) >= MOST_AT_ONCE:
            raise BusyError
        run_id = ids.token(9)
        place = folder / run_id
        place.mkdir(mode=0o700, parents=True)
        (place / "scenario.yaml").write_text(text, "utf-8")
        _note(place, {"name": name[:120], "by": by[:150], "state": "running", "started_at": rfc3339(now)})
        _forget(folder, keep=run_id)
    env = {variable: value for variable, value in os.environ.items() if not variable.startswith("BROADSHEET_")}
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "broadsheet", "billing", "simulate", "scenario.yaml", "--json"]
    with (place / "rows.jsonl").open("wb") as out, (place / "complaint.txt").open("wb") as err:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=place, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
    threading.Thread(target=_watch, args=(process, place, longest), name="time-machine", daemon=True).start()
    return run_id


def _watch(process: subprocess.Popen[bytes], place: Path, longest: float) -> None:
    began = time.monotonic()
    state = ""
    while process.poll() is None and not state:
        time.sleep(0.05)
        if time.monotonic() - began > longest or (place / "rows.jsonl").stat().st_size > MOST_PRINTED:
            state = "too_long"
            process.kill()
    status = process.wait()
    state = state or {0: "held", 1: "broken", 2: "refused"}.get(status, "failed")
    if state == "broken" and not any(row.get("event") == "state" for row in _rows(place)):
        state = "failed"  # a status of 1 is also how Python ends over an error of its own
    _note(place, {**_noted(place), "state": state, "seconds": round(time.monotonic() - began, 1)})


def _note(place: Path, values: dict[str, Any]) -> None:
    """Whole or not at all: the page may read at the same moment."""
    fresh = place / "run.fresh"
    fresh.write_text(json.dumps(values), "utf-8")
    fresh.replace(place / "run.json")


def _noted(place: Path) -> dict[str, Any]:
    try:
        values = json.loads((place / "run.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _rows(place: Path) -> list[dict[str, Any]]:
    try:
        lines = (place / "rows.jsonl").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break  # it was stopped in the middle of a line
    return rows


def _read(place: Path, now: datetime) -> Run | None:
    values = _noted(place)
    if "started_at" not in values:
        return None
    started = parse_instant(values["started_at"])
    state = values["state"]
    if state == "running" and now - started > CUT_OFF:
        state = "cut_off"
    return Run(place.name, values.get("name", ""), values.get("by", ""), state, started, values.get("seconds"))


def newest(folder: Path, now: datetime) -> Sequence[Run]:
    """What was walked lately, newest first."""
    found = [run for place in folder.glob("*/") if (run := _read(place, now))]
    return sorted(found, key=lambda run: (run.started_at, run.id), reverse=True)


def run_of(folder: Path, run_id: str, now: datetime) -> Run | None:
    return _read(folder / run_id, now) if _ID.fullmatch(run_id) else None


def text_of(folder: Path, run_id: str) -> str:
    return (folder / run_id / "scenario.yaml").read_text("utf-8")


def rows_of(folder: Path, run_id: str) -> list[dict[str, Any]]:
    return _rows(folder / run_id)


def complaint_of(folder: Path, run_id: str) -> str:
    """What the process said to its author, without the traces that are ours."""
    try:
        return (folder / run_id / "complaint.txt").read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _forget(folder: Path, keep: str) -> None:
    places = sorted((place for place in folder.glob("*/")), key=lambda place: place.stat().st_mtime, reverse=True)
    for place in places[KEPT:]:
        if place.name != keep:
            shutil.rmtree(place, ignore_errors=True)
