"""The gate as an ASGI application: does what the gate needs in a thread, asks again, or hands over to Django."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar, cast

from broadsheet.gate.answers import Answer, Needs, plain
from broadsheet.gate.app import Counted, Gate
from broadsheet.gate.asked import Asked, read_request
from broadsheet.gate.ports import Ports

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Result = TypeVar("Result")

STEPS = 8  # passport, reads, count, print, and a change or two in between
PORT_TIMEOUT = 20.0  # seconds a reader waits for the database or the press before hearing that something is wrong


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
            try:
                if result.what in ("story", "page"):
                    # Printed and still not servable: it is not there, or Django knows better than the press.
                    if result.key in printed or not await self._print(ports, result):
                        return None
                    printed.add(result.key)
                elif result.what == "passport":
                    issued = await _in_thread(ports.issue_passport, str(result.key)) or ""
                elif result.what == "reads":
                    await self._learn_reads(ports, int(cast("int", result.key)))
                else:
                    counted = await self._count(ports, cast("tuple[int, str, int]", result.key))
            except Exception:
                # The database or the press is away. Whoever needs no answer of theirs reads on; others hear of it.
                log.exception("The gate could not get %s.", result.what)
                answer = plain(503, "Something is wrong on our side. Please try again in a minute.")
                answer.add("Retry-After", "60")
                return answer
        return plain(503)

    async def _learn_reads(self, ports: Ports, reader: int) -> None:
        self.gate.knows_reads(reader, *await _in_thread(ports.reads, reader))

    async def _count(self, ports: Ports, key: tuple[int, str, int]) -> Counted:
        """A read that cannot be counted is not given: losing the server's meter leads to the wall, not past it."""
        reader, window, story = key
        limit = self.gate.options.policy.registered_limit
        try:
            return Counted(*await _in_thread(ports.count_read, reader, window, story, limit))
        except Exception:
            log.exception("A registered reader's read could not be counted.")
            return Counted(allowed=False, used=limit)

    async def _print(self, ports: Ports, needs: Needs) -> bool:
        """One printing at a time for one sheet, however many ask for it. False when there is nothing to print."""
        running = self._printing.get(needs.key)
        if running is None:
            port: Callable[[Any], object] = ports.print_story if needs.what == "story" else ports.print_page
            running = asyncio.ensure_future(asyncio.to_thread(port, needs.key))
            self._printing[needs.key] = running
            running.add_done_callback(lambda _: self._printing.pop(needs.key, None))
        done = await asyncio.wait_for(asyncio.shield(running), PORT_TIMEOUT)
        if needs.what == "story":
            self.gate.shelf.forget(int(cast("int", needs.key)))
        else:
            self.gate.shelf.forget_page(str(needs.key))
        return bool(done)


async def _in_thread(port: Callable[..., Result], *arguments: Any) -> Result:
    return await asyncio.wait_for(asyncio.to_thread(port, *arguments), PORT_TIMEOUT)


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if not any(name == b"content-length" for name, _ in headers) and answer.status != 304:  # noqa: PLR2004
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
