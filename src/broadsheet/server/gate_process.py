"""A gate worker: accepts from the shared socket, answers printed pages, hands the rest to the newsroom's process.

Django-free, to the last import. Started by supervisor.py as `python -m broadsheet.server.gate_process …`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import uvicorn
import uvloop

from broadsheet import clock
from broadsheet.gate.asgi import Application, GateApplication, Receive, Scope, Send
from broadsheet.gate.forward import Forwarder
from broadsheet.gate.ports import Ports
from broadsheet.gate.protocol import gate_protocol
from broadsheet.gate.remote import PortClient, remote_ports
from broadsheet.server import child
from broadsheet.server.courier import Courier
from broadsheet.server.gatehouse import build_gate
from broadsheet.server.options import OptionError, data_folder, load
from broadsheet.server.outbox import open_outbox
from broadsheet.server.secrets import installation_secrets, secret_path
from broadsheet.server.sockets import newsroom_socket, ports_socket

log = logging.getLogger("broadsheet.server")

PORT_THREADS = 32
NEWSROOM_START = 15.0  # a question of the first seconds waits this long for the newsroom that starts beside the gate
DATABASE_START = 5.0  # a gate that cannot hear the notices waits this long, then serves payers all the same
GENTLE = 4.0  # a worker that is replaced leaves its idle connections open this long: a request may be on its way
SILENCE = 10.0  # seconds without a look at the notices before /healthz says so


class Server(uvicorn.Server):
    """uvicorn's server, which can also leave gently: connections are told to close, and closed by their clients."""

    gentle = False

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.gentle:
            for server in self.servers:
                server.close()
            self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
            until = time.monotonic() + GENTLE
            while self.server_state.connections and time.monotonic() < until:  # noqa: ASYNC110 - uvicorn has no event
                await asyncio.sleep(0.05)
        await super().shutdown(sockets)

    def retire(self) -> None:
        self.gentle = self.should_exit = True


class GateWorker:
    def __init__(self, options: Any) -> None:
        self._options = options
        self._gate = build_gate(options, *installation_secrets(secret_path(options)))
        self._courier = Courier(self._gate, open_outbox(options))
        self._forwarder = Forwarder(newsroom_socket(options.data))
        self._port_client = PortClient(ports_socket(options.data))

    async def serve(self, listening: socket.socket, args: Any) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(PORT_THREADS, "port"))
        self._gate.book.start(loop, clock.now)
        await self._hear_notices()
        application = GateApplication(self._gate, self._newsroom())
        self._courier.start_on(loop)
        server = Server(self._config(application))
        loop.add_signal_handler(signal.SIGHUP, server.retire)
        child.serving()
        beside = [asyncio.ensure_future(_say_ready(server, args)), asyncio.ensure_future(self._write_records())]
        try:
            await server.serve([listening])
        finally:
            child.end_soon(child.GRACE / 2)
            for task in beside:
                task.cancel()
            self._gate.recorder.flush()
            self._courier.stop()
            self._gate.book.stop()
            self._port_client.close()

    def _config(self, application: GateApplication) -> uvicorn.Config:
        options = self._options
        return uvicorn.Config(
            application,
            http=gate_protocol(self._gate, application),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(options.trusted_proxies),
            forwarded_allow_ips=list(options.trusted_proxies) or None,
            ssl_certfile=options.tls_certificate or None,
            ssl_keyfile=options.tls_key or None,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=int(child.GRACE),
        )

    async def _hear_notices(self) -> None:
        """The gate knows what changed before its first answer, unless the database is away for longer."""
        until = time.monotonic() + (DATABASE_START if self._has_database() else 0)
        while not self._courier.first():
            if time.monotonic() >= until:
                if self._has_database():
                    log.warning("The database cannot be read: the gate serves what it has, and asks again.")
                return
            await asyncio.sleep(0.1)

    def _has_database(self) -> bool:
        return bool(self._options.database_url) or (self._options.data / "broadsheet.sqlite3").exists()

    async def _write_records(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._gate.recorder.flush()

    async def _newsroom(self) -> tuple[Application, Ports]:
        """Wait for the newsroom that is starting; one that is away when the time is over is away for each question."""
        path, until = str(newsroom_socket(self._options.data)), time.monotonic() + NEWSROOM_START
        while time.monotonic() < until:
            with suppress(OSError):
                _, writer = await asyncio.open_unix_connection(path)
                writer.close()
                break
            await asyncio.sleep(0.05)
        return self._application, remote_ports(self._port_client)

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        silent = time.monotonic() - self._courier.last_look
        if scope["path"] == "/healthz" and silent > SILENCE:
            await _say(send, 503, f"notices: not read for {int(silent)} s")
            return
        meter = self._gate.book.status()
        if scope["path"] == "/healthz" and meter:
            # Payers read on: a load balancer that took every machine out for this would wall them too.
            await _say(send, 200, f"meter: {meter}")
            return
        await self._forwarder(scope, receive, send)


async def _say(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"private, no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{words}\n".encode()})


async def _say_ready(server: uvicorn.Server, args: Any) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
        await asyncio.sleep(0.005)
    child.ready(args)


def main(words: Sequence[str]) -> int:
    args = child.arguments(words)
    child.begin(args)
    try:
        worker = GateWorker(load(data_folder()))
    except (OptionError, ValueError) as error:  # a bad option, a damaged secret
        print(f"broadsheet: {error}", file=sys.stderr)  # noqa: T201 - the form of all the program's errors
        return 2
    uvloop.run(worker.serve(socket.socket(fileno=args.fd), args))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
