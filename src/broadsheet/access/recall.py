"""Reads recorded decisions back: all of a time, or those of one reader, meter or story. Django-free.

Looking somebody up runs through the files at the speed of a byte search; only the hits are unpacked.
"""

from __future__ import annotations

import heapq
import logging
import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path

from broadsheet.access.records import (
    FORMAT,
    HEADER,
    MAGIC,
    MARK,
    RECORD,
    SIZE,
    STORY_AT,
    WHO_AT,
    Raw,
    Record,
    record_of,
)

log = logging.getLogger(__name__)
_CHUNK = SIZE * 100_000


def _files(folder: Path, since: datetime, until: datetime) -> list[Path]:
    """The files that may hold records of [since, until); a record may lie in the next date's file."""
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date() + timedelta(days=1)
    found = []
    for path in sorted(folder.glob("????-??-??-*.log")) if folder.is_dir() else []:
        day = _date_of(path)
        if day is not None and first <= day <= last:
            found.append(path)
    return found


def _date_of(path: Path) -> date | None:
    try:
        return date.fromisoformat(path.name[:10])
    except ValueError:
        return None


def _chunks(path: Path) -> Iterator[bytes]:
    """The file's whole records, some megabytes at a time; nothing of a file in a format we do not know."""
    with path.open("rb") as file:
        head = file.read(SIZE)
        if len(head) < SIZE or HEADER.unpack(head) != (MAGIC, FORMAT, SIZE):
            if head:
                log.warning("%s is no record of decisions in a format this version knows.", path.name)
            return
        while chunk := file.read(_CHUNK):
            yield chunk[: len(chunk) - len(chunk) % SIZE]


def _rows(path: Path, start: float, end: float) -> Iterator[Raw]:
    try:
        for chunk in _chunks(path):
            for row in RECORD.iter_unpack(chunk):
                if start <= row[0] < end and row[11] == MARK:
                    yield row
    except FileNotFoundError:
        return  # its days were over while we read


def raw_days(folder: Path, since: datetime, until: datetime) -> Iterator[tuple[Iterator[Raw], int]]:
    """The records of [since, until) date by date, in the order of time; and how many they may be."""
    start, end = since.timestamp(), until.timestamp()
    days = groupby(_files(folder, since, until), key=_date_of)
    for _, files in days:
        paths = list(files)
        yield heapq.merge(*(_rows(path, start, end) for path in paths)), sum(map(_count, paths))


def count_records(folder: Path, since: datetime, until: datetime) -> int:
    """How many records the dates of [since, until) have, by the length of their files."""
    return sum(map(_count, _files(folder, since, until)))


def _count(path: Path) -> int:
    try:
        return max(0, path.stat().st_size // SIZE - 1)
    except FileNotFoundError:
        return 0


def _rows_with(chunk: bytes, key: bytes, place: int) -> Iterator[Raw]:
    """Records of `chunk` that hold `key` at `place`: found at C speed, only the hits are unpacked."""
    at = chunk.find(key)
    while at >= 0:
        if at % SIZE == place:
            yield RECORD.unpack_from(chunk, at - place)
            at = chunk.find(key, at - place + SIZE)
        else:
            at = chunk.find(key, at + 1)


def read(
    folder: Path, since: datetime, until: datetime, who: bytes | None = None, story: int | None = None
) -> Iterator[Record]:
    """The records of [since, until), of one reader or meter, of one story, or both. A file that is gone holds none."""
    start, end = since.timestamp(), until.timestamp()
    key, place = (who, WHO_AT) if who is not None else (struct.pack("<Q", story or 0), STORY_AT)
    for path in _files(folder, since, until):
        try:
            for chunk in _chunks(path):
                rows = RECORD.iter_unpack(chunk) if who is None and story is None else _rows_with(chunk, key, place)
                for row in rows:
                    if start <= row[0] < end and row[11] == MARK and story in (None, row[2]):
                        yield record_of(row)
        except FileNotFoundError:
            continue  # its days were over while we read


def purge(folder: Path, before: date) -> int:
    """Delete the files of dates before `before`. Returns how many."""
    gone = 0
    for path in folder.glob("????-??-??-*.log") if folder.is_dir() else []:
        day = _date_of(path)
        if day is not None and day < before:
            path.unlink(missing_ok=True)
            gone += 1
    return gone
