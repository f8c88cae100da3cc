"""What a run of the sender did, mail by mail, in a file: it outlives the process that is killed between two commits.

A line is one write: `b` before the last byte of a mail leaves, then `s`, `r` or `l` with what the server said. Whoever
takes a dead run's issue over reads here which of its mails were never begun (they are sent), which were answered, and
which were begun and not answered: those may have arrived, and nobody sends them again by themselves.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _boot() -> str:
    """Changes when the machine starts anew: what was written but not yet on the disk may be lost then."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return "unknown"


class Journal:
    """One run's file; its lock says that the run is alive. Safe for several threads."""

    def __init__(self, folder: Path, run: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{run}.journal"
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._file, f"boot {_boot()}\n".encode())
        os.fsync(self._file)

    def begin(self, delivery: int) -> None:
        os.write(self._file, b"b %d\n" % delivery)

    def end(self, delivery: int, kind: str) -> None:
        """`kind`: s sent, r refused, l later."""
        os.write(self._file, b"%s %d\n" % (kind.encode(), delivery))

    def abandon(self) -> None:
        """The run broke off: who takes its issue over will read the file."""
        os.close(self._file)

    def close(self) -> None:
        """The run recorded everything: nothing in the file is news any more."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)


@dataclass(slots=True)
class Told:
    """What a dead run's journal says. `whole` is False when lines at its end may be missing."""

    known: bool = False
    alive: bool = False
    whole: bool = True
    marks: dict[int, str] = field(default_factory=dict)

    def fate(self, delivery: int) -> str:
        """What became of a claimed mail: sent, refused, waiting or doubtful."""
        mark = self.marks.get(delivery, "")
        if mark in ("s", "r"):
            return "sent" if mark == "s" else "refused"
        if mark == "b" or not self.known or not self.whole:
            return "doubtful"
        return "waiting"


def read(folder: Path, run: str) -> Told:
    path = folder / f"{run}.journal"
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return Told()
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return Told(known=True, alive=True)
        lines = path.read_text("ascii", "replace").splitlines()
    finally:
        os.close(handle)
    told = Told(known=bool(lines) and lines[0].startswith("boot "))
    told.whole = told.known and lines[0] == f"boot {_boot()}"
    for line in lines[1:]:
        kind, _, number = line.partition(" ")
        if number.isdigit():
            told.marks[int(number)] = kind
    return told


def forget(folder: Path, run: str) -> None:
    with suppress(OSError):
        (folder / f"{run}.journal").unlink()
