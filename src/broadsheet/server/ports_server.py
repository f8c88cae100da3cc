"""The newsroom's side of the gate's ports: one JSON object a line over a Unix socket that only this user can open."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

from broadsheet.gate.ports import Ports

log = logging.getLogger(__name__)
LONGEST_LINE = 1 << 20
THREADS = 8


class PortsServer:
    """Threads of its own: a newsroom whose editors keep it busy still answers the gate."""

    def __init__(self, ports: Ports) -> None:
        self._ports = {field.name: getattr(ports, field.name) for field in fields(Ports)}
        self._threads = ThreadPoolExecutor(THREADS, "port")
        self._server: asyncio.Server | None = None
        self._is_replaced: Callable[[], bool] = lambda: False
        self._busy: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, listening: socket.socket, is_replaced: Callable[[], bool] = lambda: False) -> None:
        """`is_replaced`: another newsroom has taken this one's place, and is the one to ask."""
        self._is_replaced = is_replaced
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=LONGEST_LINE)

    async def stop(self, grace: float) -> None:
        """Take no more questions; answer those that were asked, for `grace` seconds."""
        if self._server is not None:
            self._server.close()
        if self._busy:
            await asyncio.wait(self._busy, timeout=grace)
        for writer in list(self._writers):
            writer.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (line := await reader.readline()) and not self._is_replaced():
                task = asyncio.ensure_future(self._answer(line, writer))
                self._busy.add(task)
                task.add_done_callback(self._busy.discard)
                await task
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            log.warning("A gate's question was cut short: %s", error)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(await self._ask(line), separators=(",", ":")).encode() + b"\n")
        await writer.drain()

    async def _ask(self, line: bytes) -> dict[str, Any]:
        name = "?"
        try:
            name, *values = json.loads(line)
            loop = asyncio.get_running_loop()
            return {"value": await loop.run_in_executor(self._threads, lambda: self._ports[name](*values))}
        except Exception as error:
            log.exception("The gate's port %s failed.", name)
            return {"error": type(error).__name__}
