"""The gate as an ASGI application: does what the gate needs in a thread, asks again, or hands over to Django."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from broadsheet.gate.answers import Answer, Needs, plain
from broadsheet.gate.app import Counted, Gate
from broadsheet.gate.asked import Asked, read_request
from broadsheet.gate.ports import Ports

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

STEPS = 8  # passport, reads, count, print, and a change or two in between
PRINT_TIMEOUT = 20.0


class GateApplication:
    """`django` and `ports` are awaited: the gate answers from its stores while Django is still being imported."""

    def __init__(self, gate: Gate, django: Awaitable[tuple[Application, Ports]]) -> None:
        self.gate = gate
        self._django = asyncio.ensure_future(django)
        self._printing: dict[object, asyncio.Future[Any]] = {}

    async def started(self) -> None:
        """Returns when Django is ready; raises what kept it from becoming so."""
        await asyncio.shield(self._django)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        # uvicorn has set the scheme from a trusted proxy's headers by now.
        asked = read_request(
            scope["method"].encode("latin-1"),
            scope["raw_path"],
            scope["headers"],
            self.gate.options.cookies,
            secure=scope["scheme"] == "https",
        )
        answer = await self._answer(asked)
        if answer is not None:
            await _send(answer, send)
            return
        application, _ = await asyncio.shield(self._django)
        await application(scope, receive, send)

    async def _answer(self, asked: Asked) -> Answer | None:
        issued: str | None = None
        counted: Counted | None = None
        printed: set[object] = set()
        for _ in range(STEPS):
            result = self.gate.answer(asked, issued=issued, counted=counted)
            if not isinstance(result, Needs):
                return result
            _, ports = await asyncio.shield(self._django)
            if result.what in ("story", "page"):
                if result.key in printed:
                    # Printed and still not servable: it is not there, or Django knows better than the press.
                    return None
                printed.add(result.key)
                if not await self._print(ports, result):
                    return None
            elif result.what == "passport":
                issued = await asyncio.to_thread(ports.issue_passport, str(result.key)) or ""
            elif result.what == "reads":
                reader = int(result.key)  # type: ignore[call-overload]
                self.gate.knows_reads(reader, *await asyncio.to_thread(ports.reads, reader))
            elif result.what == "count":
                reader, window, story = cast("tuple[int, str, int]", result.key)
                limit = self.gate.options.policy.registered_limit
                counted = Counted(*await asyncio.to_thread(ports.count_read, reader, window, story, limit))
        return plain(503)

    async def _print(self, ports: Ports, needs: Needs) -> bool:
        """One printing at a time for one sheet, however many ask for it. False when there is nothing to print."""
        running = self._printing.get(needs.key)
        if running is None:
            if needs.what == "story":
                work = asyncio.to_thread(ports.print_story, needs.key)  # type: ignore[arg-type]
            else:
                work = asyncio.to_thread(ports.print_page, needs.key)  # type: ignore[arg-type]
            running = asyncio.ensure_future(work)
            self._printing[needs.key] = running
            running.add_done_callback(lambda _: self._printing.pop(needs.key, None))
        done = await asyncio.wait_for(asyncio.shield(running), PRINT_TIMEOUT)
        if needs.what == "story":
            self.gate.shelf.forget(int(needs.key))  # type: ignore[call-overload]
        else:
            self.gate.shelf.forget_page(str(needs.key))
        return bool(done)


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if not any(name == b"content-length" for name, _ in headers) and answer.status != 304:  # noqa: PLR2004
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
