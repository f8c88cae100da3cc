"""Starts the process that reads PDF files and watches over it: a page that takes too long ends it, and the next one
begins with the page after. Django-free."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PROBE_SECONDS = 30.0
PAGE_SECONDS = 20.0
START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Probed:
    """`refused` is "", or why the file cannot be read: encrypted, not_a_pdf, damaged, no_pages, timeout, crashed."""

    pages: int = 0
    refused: str = ""
    detail: str = ""


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "broadsheet.epaper.adapters.pdf_child", *arguments]


def environment() -> dict[str, str]:
    """What a child may know: where the program's own modules are, and nothing of its secrets."""
    named = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPYCACHEPREFIX")
    kept = {name: os.environ[name] for name in named if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def probe(path: Path) -> Probed:
    """Whether a file is a PDF that can be read, and its number of pages."""
    try:
        done = subprocess.run(  # noqa: S603 - this program itself
            _command("probe", str(path)), capture_output=True, timeout=PROBE_SECONDS, env=environment(), check=False
        )
    except subprocess.TimeoutExpired:
        return Probed(0, "timeout", f"It was not opened in {PROBE_SECONDS:.0f} s.")
    try:
        said = json.loads(done.stdout.decode("utf-8").splitlines()[-1])
    except (ValueError, IndexError):
        return Probed(0, "crashed", done.stderr.decode("utf-8", "replace")[-200:].strip())
    return Probed(int(said.get("pages", 0)), said.get("refused", ""), said.get("detail", ""))


def read_pages(path: Path, folder: Path, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """What the child says of each page in `numbers` (ascending, from 1); its pictures lie in `folder` then. A page that
    broke has `failed` and no picture."""
    for run in _runs(numbers):
        waiting = run
        while waiting:
            for said in _one_child(path, folder, waiting[0], waiting[-1]):
                waiting = [other for other in waiting if other > said["page"]]
                yield said
            if waiting:
                # The child ended before it was through: the page it was at is to blame.
                yield {"page": waiting[0], "failed": "It took too long or ended the program that reads it."}
                waiting = waiting[1:]


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """Neighbouring numbers together: a page that is already made is not made again."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _one_child(path: Path, folder: Path, first: int, last: int) -> Iterator[dict[str, Any]]:
    with subprocess.Popen(  # noqa: S603 - this program itself
        _command("pages", str(path), str(folder), str(first), str(last)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as child:
        assert child.stdout is not None
        lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=_pump, args=(child.stdout, lines), daemon=True).start()
        allowed = START_SECONDS + PAGE_SECONDS
        try:
            while (line := lines.get(timeout=allowed)) is not None:
                yield json.loads(line)
                allowed = PAGE_SECONDS
        except (queue.Empty, ValueError):
            return
        finally:
            child.kill()


def _pump(source: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    try:
        for line in source:
            lines.put(line)
    finally:
        lines.put(None)
