"""A table in one file that all workers of a machine map into memory: bounded, shared, and whole after a kill -9.

Django-free. Buckets of WAYS slots; a bucket is its WAYS keys of 8 bytes (0 is an empty slot) and then WAYS records.
What a record holds and how it is written so that a crash leaves the old one or the new one is its owner's business. A
bucket is written under a lock on its first byte, which the kernel takes away from a process that dies.

A table is replaced (another day, a larger limit) by a new file under the same name; the old one is marked as retired
under a lock on all of it, so that whoever has it mapped notices before writing.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WAYS = 16
START = 4096  # where the buckets begin
KEYS = WAYS * 8
_HEAD = struct.Struct("<8sIIQQ32s")  # magic, format, record size, buckets, stamp, secret
_MAGIC = b"brdsheet"
RETIRED = _HEAD.size  # the byte that says so


class Table:
    """An open table. `stamp` and `secret` are its owner's: the day it is for, a key that goes with the file."""

    record: int
    buckets: int
    stamp: int
    secret: bytes

    def __init__(self, path: Path, format_: int) -> None:
        """OSError when there is no file, ValueError when it is not a whole table of this format."""
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.map = mmap.mmap(self.fd, 0)
            self._read_head(format_)
        except BaseException:
            os.close(self.fd)
            raise

    def _read_head(self, format_: int) -> None:
        if len(self.map) <= START:
            raise ValueError("too short for a table")
        magic, found, self.record, self.buckets, self.stamp, self.secret = _HEAD.unpack_from(self.map)
        self.bucket = KEYS + WAYS * self.record
        if magic != _MAGIC or found != format_ or len(self.map) != START + self.buckets * self.bucket:
            raise ValueError("not a table of this format")

    @property
    def retired(self) -> bool:
        return self.map[RETIRED] != 0

    def retire(self) -> None:
        """No process writes here after this returns; its secret is gone from the file."""
        fcntl.lockf(self.fd, fcntl.LOCK_EX)
        self.map[RETIRED] = 1
        self.map[RETIRED - 32 : RETIRED] = bytes(32)
        fcntl.lockf(self.fd, fcntl.LOCK_UN)

    def lock(self, at: int) -> None:
        fcntl.lockf(self.fd, fcntl.LOCK_EX, 1, at)

    def unlock(self, at: int) -> None:
        fcntl.lockf(self.fd, fcntl.LOCK_UN, 1, at)

    def find(self, at: int, key: bytes) -> int:
        """Where the record of `key` lies in the bucket at `at`; 0 when it is not there."""
        keys = self.map[at : at + KEYS]
        place = keys.find(key)
        while place & 7 and place > 0:
            place = keys.find(key, place + 1)
        return at + KEYS + (place >> 3) * self.record if place >= 0 else 0

    def slots(self, at: int) -> list[tuple[int, int]]:
        """Where each key of a bucket and its record lie."""
        return [(at + way * 8, at + KEYS + way * self.record) for way in range(WAYS)]

    def copy(self, other: Table) -> None:
        """Take over what a table with as many buckets and records of at most this size holds."""
        for number in range(self.buckets):
            at, to = START + number * other.bucket, START + number * self.bucket
            keys = other.map[at : at + KEYS]
            if keys == bytes(KEYS):
                continue
            self.map[to : to + KEYS] = keys
            for (_, source), (_, target) in zip(other.slots(at), self.slots(to), strict=True):
                self.map[target : target + other.record] = other.map[source : source + other.record]

    def close(self) -> None:
        self.map.close()
        os.close(self.fd)


def make(path: Path, *, format_: int, record: int, buckets: int, stamp: int = 0) -> None:
    """A new, empty table in `path`, with its room on the disk: a full disk is an OSError here and not a crash later."""
    size = START + buckets * (KEYS + WAYS * record)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        else:
            os.ftruncate(fd, size)
        os.pwrite(fd, _HEAD.pack(_MAGIC, format_, record, buckets, stamp, os.urandom(32)), 0)
    finally:
        os.close(fd)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time makes or replaces the tables of a folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def opened(
    path: Path,
    format_: int,
    suits: Callable[[Table], bool],
    build: Callable[[Path, Table | None], None],
) -> Table:
    """The table in `path`; where there is none that `suits`, `build(draft, old)` makes one that takes its place. `old`
    is the table there was, if it can be read, and nobody writes in it while `build` copies."""
    with alone(path.parent):
        old: Table | None = None
        try:
            old = Table(path, format_)
            if suits(old) and not old.retired:
                return old
            fcntl.lockf(old.fd, fcntl.LOCK_EX)
        except (OSError, ValueError):
            old = None
        draft = path.with_name(f".{path.name}.new")
        build(draft, old)
        draft.rename(path)
        if old is not None:
            old.retire()
            old.close()
        return Table(path, format_)
