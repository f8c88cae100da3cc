"""The one process: the gate answers from its stores at once, Django is imported behind it, jobs run beside it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from broadsheet.gate.app import Gate
from broadsheet.gate.asgi import Application, GateApplication
from broadsheet.gate.ports import Ports
from broadsheet.gate.protocol import gate_protocol
from broadsheet.server import memory
from broadsheet.server.courier import SQLITE_PAUSE, Courier, SqliteNotices
from broadsheet.server.gatehouse import build_gate
from broadsheet.server.options import OptionError
from broadsheet.server.secrets import installation_secret

log = logging.getLogger("broadsheet.server")
Prepare = Callable[[], None]


def _secret(options: Any) -> bytes:
    path = Path(options.secret_key_file) if options.secret_key_file else options.data / "secret.key"
    return installation_secret(path)


class Newspaper:
    """Everything one process runs. `prepare` is called in Django's thread before anything of Django's is served."""

    def __init__(self, options: Any, *, prepare: Prepare, jobs: bool, announce: Callable[[], None]) -> None:
        self._options = options
        self._prepare = prepare
        self._jobs = jobs
        self._announce = announce
        memory.one_heap()
        self.gate: Gate = build_gate(options, _secret(options))
        self._stop: list[Callable[[], None]] = []
        self._failure: Exception | None = None

    def run(self) -> int:
        """Serve until told to stop. What kept Django from starting is raised here, in the caller's thread."""
        try:
            asyncio.run(self._serve()) if sys.platform == "win32" else _run_on_uvloop(self._serve())
        except SystemExit:
            raise OptionError(f"port {self._options.port} on {self._options.host} cannot be listened on.") from None
        if self._failure:
            raise self._failure
        return 0

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        application = GateApplication(self.gate, asyncio.to_thread(self._start_django, loop))
        self._early_notices(loop)
        config = uvicorn.Config(
            application,
            host=self._options.host,
            port=self._options.port,
            http=gate_protocol(self.gate),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(self._options.trusted_proxies),
            forwarded_allow_ips=list(self._options.trusted_proxies) or None,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=10,
        )
        server = uvicorn.Server(config)
        ready = asyncio.ensure_future(self._say_ready(server, application))
        try:
            await server.serve()
        finally:
            ready.cancel()
            for stop in reversed(self._stop):
                stop()

    async def _say_ready(self, server: uvicorn.Server, application: GateApplication) -> None:
        try:
            await application.started()
        except Exception as error:  # noqa: BLE001 - raised again in run(), whatever it is
            self._failure = error
            server.should_exit = True
            return
        while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
            await asyncio.sleep(0.02)
        self._announce()

    def _early_notices(self, loop: asyncio.AbstractEventLoop) -> None:
        """On SQLite the gate knows what changed before its first answer, without waiting for Django."""
        path = self._options.data / "broadsheet.sqlite3"
        if self._options.database_url or not path.exists():
            return
        try:
            courier = Courier(self.gate, SqliteNotices(path), SQLITE_PAUSE)
            courier.first()
        except sqlite3.OperationalError:
            return  # a file without our tables: Django makes them, then the courier starts
        self._start_courier(courier, loop)

    def _start_courier(self, courier: Courier, loop: asyncio.AbstractEventLoop) -> None:
        courier.start_on(loop)
        self._stop.append(courier.stop)

    def _start_django(self, loop: asyncio.AbstractEventLoop) -> tuple[Application, Ports]:
        begin = time.monotonic()
        self._prepare()
        # Imported only now: the gate has been answering while this thread loads two hundred modules.
        from broadsheet.server import newsroom_process  # noqa: PLC0415

        started = newsroom_process.start(self.gate, jobs=self._jobs)
        loop.call_soon_threadsafe(self.gate.shelf.edition_changed, started.edition)
        if not self._stop:
            courier = newsroom_process.courier(self.gate, self._options)
            courier.first()
            loop.call_soon_threadsafe(self._start_courier, courier, loop)
        self._stop.append(started.stop)
        memory.settle()
        log.info("The newsroom is ready after %.1f s.", time.monotonic() - begin)
        return started.application, started.ports


def _run_on_uvloop(main: Any) -> None:
    import uvloop  # noqa: PLC0415 - not on every platform

    uvloop.run(main)
