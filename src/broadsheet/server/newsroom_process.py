"""Django's half of the process: its application, the gate's ports and the jobs. Import only when Django is set up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.asgi import get_asgi_application
from django.db import close_old_connections

from broadsheet.bus.queries import notices_since
from broadsheet.gate.app import Gate
from broadsheet.gate.asgi import Application
from broadsheet.gate.ports import Ports
from broadsheet.press.queries import stores
from broadsheet.server import jobs as jobs_of_the_program
from broadsheet.server import passports, wiring
from broadsheet.server.courier import SQLITE_PAUSE, TABLE_PAUSE, Courier, Row, SqliteNotices
from broadsheet.server.worker import Worker


@dataclass(frozen=True, slots=True)
class Started:
    application: Application
    ports: Ports
    edition: int
    stop: Callable[[], None]


def start(gate: Gate, *, jobs: bool) -> Started:
    """Connect the gate to Django and, if this process has that role, start the jobs."""
    passports.share_gate(gate)
    jobs_of_the_program.renew_edition()
    application = get_asgi_application()
    worker = Worker(wiring.periodic())
    if jobs:
        worker.start()
    return Started(application, wiring.gate_ports(), stores().public.note("edition"), worker.stop)


def _from_table(since: int) -> Sequence[Row]:
    close_old_connections()  # the courier's thread serves no requests that would drop a dead one
    return [(row.version, row.kind, row.key, row.value) for row in notices_since(since)]


def courier(gate: Gate, options: Any) -> Courier:
    """Reads notices from SQLite's file, or from the table on a server."""
    if options.database_url:
        return Courier(gate, _from_table, TABLE_PAUSE)
    return Courier(gate, SqliteNotices(options.data / "broadsheet.sqlite3"), SQLITE_PAUSE)
