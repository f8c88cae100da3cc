"""Where printed sheets lie: one file for what everyone may have, another for full variants. Django-free.

Everything here can be printed again from the newsroom's database, so a lost or damaged file costs time and no story.
A sheet carries the version and the edition it was printed for; whoever serves it compares them first.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import brotli

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sheet (
  key TEXT PRIMARY KEY, version INTEGER NOT NULL, edition INTEGER NOT NULL, status INTEGER NOT NULL,
  content_type TEXT NOT NULL, etag TEXT NOT NULL, mentions TEXT NOT NULL,
  gzip BLOB NOT NULL, br BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (
  id INTEGER PRIMARY KEY, version INTEGER NOT NULL, path TEXT NOT NULL, tier TEXT NOT NULL, section TEXT NOT NULL,
  state TEXT NOT NULL, emergency_free INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mention (story INTEGER, key TEXT, PRIMARY KEY (story, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mention_key ON mention (key);
"""
_FORMAT = 2  # of these tables: a file of another one is emptied, as everything in it can be printed again
_TABLES = ("sheet", "facts", "note", "mention")
ADS = "ads/"
"""Begins the name of every sheet that carries advertising; the sheet of the plain name is the same page without."""
FULL = frozenset(("full", f"{ADS}full"))
"""The sheets of a story that hold its body: they lie in the store that only a decision opens."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One printed page in the two encodings that browsers ask for. `mentions`: stories whose words stand on it."""

    key: str
    version: int
    edition: int
    content_type: str
    etag: str
    gzip: bytes
    br: bytes
    status: int = 200
    mentions: tuple[int, ...] = ()

    @property
    def plain(self) -> bytes:
        """The page as it is, for the rare client that takes no compression: unpacked when asked for (50 us)."""
        return gzip.decompress(self.gzip)

    @property
    def size(self) -> int:
        """Bytes of memory, the page's own and what Python adds to hold them."""
        return len(self.gzip) + len(self.br) + 500


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gate knows of a story without its words; lies beside the public sheets."""

    id: int
    version: int
    path: str
    tier: str
    section: str
    state: str
    emergency_free: bool = False


def make_sheet(
    key: str,
    html: str,
    *,
    version: int,
    edition: int,
    content_type: str = "text/html; charset=utf-8",
    status: int = 200,
    mentions: tuple[int, ...] = (),
) -> Sheet:
    """Encode a page once, when it is printed. The ETag is bound to the variant's key and to the bytes."""
    plain = html.encode()
    etag = blake2b(plain, digest_size=12, person=key.encode()[-16:]).hexdigest()
    return Sheet(
        key=key,
        version=version,
        edition=edition,
        content_type=content_type,
        etag=f'"{etag}"',
        gzip=gzip.compress(plain, 9, mtime=0),
        br=brotli.compress(plain, quality=5),
        status=status,
        mentions=mentions,
    )


class Store:
    """Sheets of one kind in one SQLite file. Safe for threads; several processes may share the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._db() as db:
            db.execute("BEGIN IMMEDIATE")
            if db.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                for table in _TABLES:
                    db.execute(f"DROP TABLE IF EXISTS {table}")
                db.execute(f"PRAGMA user_version = {_FORMAT}")
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute("COMMIT")

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        db = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self._path, timeout=20, isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            self._local.db = db
        yield db

    def put(self, *sheets: Sheet, facts: Facts | None = None) -> None:
        """Replace sheets in one transaction: a reader sees all of the old or all of the new."""
        with self._db() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                for sheet in sheets:
                    db.execute(
                        "INSERT OR REPLACE INTO sheet VALUES (?,?,?,?,?,?,?,?,?)",
                        (
                            sheet.key, sheet.version, sheet.edition, sheet.status, sheet.content_type, sheet.etag,
                            json.dumps(sheet.mentions), sheet.gzip, sheet.br,
                        ),
                    )  # fmt: skip
                    db.execute("DELETE FROM mention WHERE key = ?", (sheet.key,))
                    db.executemany(
                        "INSERT OR IGNORE INTO mention VALUES (?,?)", [(m, sheet.key) for m in sheet.mentions]
                    )
                if facts:
                    row = (getattr(facts, name) for name in Facts.__slots__)
                    db.execute("INSERT OR REPLACE INTO facts VALUES (?,?,?,?,?,?,?)", tuple(row))
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise

    def get(self, key: str) -> Sheet | None:
        with self._db() as db:
            row = db.execute(
                "SELECT version, edition, content_type, etag, gzip, br, status, mentions FROM sheet WHERE key = ?",
                (key,),
            ).fetchone()
        if row is None:
            return None
        *columns, mentions = row
        version, edition, content_type, etag, gzip_, br, status = columns
        shown = tuple(json.loads(mentions))
        return Sheet(key, version, edition, content_type, etag, gzip_, br, status, shown)

    def facts(self, story: int) -> Facts | None:
        with self._db() as db:
            row = db.execute("SELECT * FROM facts WHERE id = ?", (story,)).fetchone()
        return Facts(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6])) if row else None

    def note(self, name: str) -> int:
        """A number kept beside the sheets, such as the current edition; 0 when it was never written."""
        with self._db() as db:
            row = db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def write_note(self, name: str, value: int) -> None:
        with self._db() as db:
            db.execute("INSERT OR REPLACE INTO note VALUES (?,?)", (name, value))

    def drop(self, prefix: str) -> None:
        """Forget every sheet whose key is `prefix` or begins with `prefix` and a slash."""
        with self._db() as db:
            where = "key = ? OR (key > ? AND key < ?)"
            span = (prefix, prefix + "/", prefix + "0")  # "0" is the character after "/"
            db.execute("BEGIN IMMEDIATE")
            db.execute(f"DELETE FROM mention WHERE {where}", span)  # noqa: S608 - a constant of this function
            db.execute(f"DELETE FROM sheet WHERE {where}", span)  # noqa: S608
            db.execute("COMMIT")

    def shrink(self, most_bytes: int) -> int:
        """Forget the sheets that were printed longest ago until the file uses at most `most_bytes`; returns how many.

        Whoever asks for one of them has it printed again, so an archive that robots walk through fills no disk.
        """
        forgotten = 0
        with self._db() as db:
            while _used(db) > most_bytes:
                db.execute("BEGIN IMMEDIATE")
                oldest = db.execute("SELECT rowid, key FROM sheet ORDER BY rowid LIMIT 200").fetchall()
                db.executemany("DELETE FROM mention WHERE key = ?", [(key,) for _, key in oldest])
                db.executemany("DELETE FROM sheet WHERE rowid = ?", [(row,) for row, _ in oldest])
                db.execute("COMMIT")
                forgotten += len(oldest)
                if not oldest:
                    break
        return forgotten

    def mentioning(self, story: int) -> list[str]:
        """Keys of the sheets that show words of a story."""
        with self._db() as db:
            return [row[0] for row in db.execute("SELECT key FROM mention WHERE story = ? ORDER BY key", (story,))]


def _used(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    pages, free, size = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


@dataclass(frozen=True, slots=True)
class Stores:
    """`public`: walls, facts, fronts: what anybody may be sent. `full`: what only a decision may open."""

    public: Store
    full: Store


def open_stores(folder: Path) -> Stores:
    """The stores of an installation, in `folder`; made when they are not there."""
    return Stores(Store(folder / "public.sqlite3"), Store(folder / "full.sqlite3"))
