"""The gate as an ASGI application: does what the gate needs in a thread, asks again, or hands over to Django."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, TypeVar

from broadsheet.access.book import Taken
from broadsheet.gate.answers import Answer, Needs, plain
from broadsheet.gate.app import Gate
from broadsheet.gate.asked import Asked, read_request
from broadsheet.gate.ports import Ports
from broadsheet.gate.told import Told

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Result = TypeVar("Result")

# Seconds between the printings of one story for one request, when what was printed may not be served: it changed at
# that moment, or the newsroom that prints is being replaced by one with other options, which the last ones are for.
PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
STEPS = 8 + len(PAUSES)  # passport, reads, gift, seat, count, and the printings
PATIENCE = 8.0  # seconds a reader waits for a newsroom that starts again, when nothing may be said without it
WRONG = "Something is wrong on our side. Please try again in a minute."
PORT_TIMEOUT = 20.0  # seconds a reader waits for the database or the press before hearing that something is wrong


class AwayError(Exception):
    """What this request needs cannot be had now, and there is no safe way to answer without it."""


class ClientGoneError(Exception):
    """The client left in the middle of its answer. Nobody's fault, and no line in the log."""


def _to_who_is_there(send: Send) -> Send:
    async def to_client(message: MutableMapping[str, Any]) -> None:
        try:
            await send(message)
        except RuntimeError as error:
            # uvloop's word for a connection that was reset a moment ago, before the server has been told.
            if "closed" not in str(error):
                raise
            raise ClientGoneError from error

    return to_client


class GateApplication:
    """`django` and `ports` are awaited: the gate answers from its stores while Django is still being imported."""

    def __init__(self, gate: Gate, django: Awaitable[tuple[Application, Ports]]) -> None:
        self.gate = gate
        self._django = asyncio.ensure_future(django)
        self._printing: dict[Needs, asyncio.Future[bool]] = {}

    async def started(self) -> None:
        """Returns when Django is ready; raises what kept it from becoming so."""
        await asyncio.shield(self._django)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        # uvicorn has set the scheme and the client from a trusted proxy's headers by now.
        client = scope.get("client")
        asked = read_request(
            scope["method"].encode("latin-1"),
            scope["raw_path"],
            scope["headers"],
            self.gate.options.cookies,
            secure=scope["scheme"] == "https",
            address=client[0] if client else "",
            query=scope.get("query_string", b""),
        )
        answer = await self.answer(asked)
        try:
            if answer is not None:
                await _send(answer, _to_who_is_there(send), head=asked.method == "HEAD")
                return
            application, _ = await asyncio.shield(self._django)
            await application(scope, receive, _to_who_is_there(send))
        except ClientGoneError:
            await asyncio.sleep(0)  # lets the server hear of it before it looks at how this request ended

    async def answer(self, asked: Asked, told: Told | None = None) -> Answer | None:
        """Ask the gate and do what it needs until it answers; None for what is Django's."""
        told = told or Told()
        printed = 0
        for _ in range(STEPS):
            result = self.gate.answer(asked, told)
            if not isinstance(result, Needs):
                return result
            try:
                if result.what in ("story", "page"):
                    # A page that changed again while it was printed is Django's. A story that did is printed once more:
                    # Django knows no stories, and would say that there is none.
                    if printed and result.what == "page":
                        return None
                    if printed > len(PAUSES):
                        break
                    if printed:
                        await asyncio.sleep(PAUSES[printed - 1])
                    if not await self._print(result):
                        return None
                    printed += 1
                else:
                    await getattr(self, f"_{result.what}")(told, *result.key)
            except Exception:
                # The database or the press is away. Whoever needs no answer of theirs reads on; others hear of it.
                log.exception("The gate could not get %s.", result.what)
                return plain(503, WRONG, [("Retry-After", "60")])
        return plain(503, WRONG, [("Retry-After", "1")])

    # --- what the gate may need: each writes what it learnt into `told` -------------------------------------------
    async def _passport(self, told: Told, session: str) -> None:
        try:
            # One that must not be believed is worth waiting for: perhaps its reader has just paid.
            ask = self._ask_patiently if told.away else self._ask
            told.issued = await ask("issue_passport", session) or ""
            told.away = False
        except Exception as error:
            if told.away:
                raise AwayError("this passport must not be believed, and nobody can issue another") from error
            log.exception("A passport could not be re-issued; the one at hand counts if it has only grown old.")
            told.away = True

    async def _reads(self, told: Told, reader: int) -> None:
        try:
            first_read, reads = await self._ask("reads", reader)
        except Exception:
            log.exception("A reader's meter could not be read; they meet the wall until it can.")
            told.away = True
        else:
            self.gate.knows_reads(reader, first_read, tuple(reads))

    async def _count(self, told: Told, *key: Any) -> None:
        """A read that cannot be counted is not given: losing the server's meter leads to the wall, not past it."""
        try:
            verdict, reads = await self._ask("count_read", *key)
        except Exception:
            log.exception("A registered reader's read could not be counted.")
            verdict, reads = "away", ()
        told.taken = Taken(verdict, tuple(reads))

    async def _take(self, told: Told, *key: Any) -> None:
        meter, read, limit, ceiling, network, now = key
        answer: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()

        def done(taken: Taken) -> None:
            if not answer.done():
                answer.set_result(taken)

        self.gate.book.take_later(meter, read, limit, ceiling, network, now, done)
        told.meter, told.taken = meter, await asyncio.wait_for(answer, PORT_TIMEOUT)

    async def _seat(self, told: Told, *key: Any) -> None:
        told.seat = await self._lent("take_seat", *key)

    async def _use_gift(self, told: Told, *key: Any) -> None:
        told.gift = await self._lent("use_gift", *key)

    async def _open_gift(self, told: Told, token: str) -> None:
        told.offered = await self._lent("open_gift", token) or {}

    async def _lent(self, port: str, *key: Any) -> Any:
        """What could not be asked for is not lent: the story's own rules go on without it."""
        try:
            return await self._ask(port, *key)
        except Exception:
            log.exception("The gate could not %s.", port)
            return 0

    # --- how it is asked ----------------------------------------------------------------------------------------
    async def _ask(self, port: str, *key: Any) -> Any:
        _, ports = await asyncio.shield(self._django)
        return await asyncio.wait_for(asyncio.to_thread(getattr(ports, port), *key), PORT_TIMEOUT)

    async def _ask_patiently(self, port: str, *key: Any) -> Any:
        """For a newsroom that starts again. TimeoutError when it is away for longer."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(Exception):
                    return await self._ask(port, *key)
                await asyncio.sleep(0.1)

    async def _print(self, needs: Needs) -> bool:
        """One printing at a time for one sheet, however many ask for it. False when there is nothing to print."""
        running = self._printing.get(needs)
        if running is None:
            running = asyncio.ensure_future(self._ask(f"print_{needs.what}", *needs.key))
            self._printing[needs] = running
            running.add_done_callback(lambda _: self._printing.pop(needs, None))
        done = await asyncio.wait_for(asyncio.shield(running), PORT_TIMEOUT)
        self.gate.shelf.look_at_edition()  # the notice of it may still be on its way
        (key,) = needs.key
        if isinstance(key, int):
            self.gate.shelf.forget(key)
        else:
            self.gate.shelf.forget_page(str(key).encode())
        return bool(done)


async def _send(answer: Answer, send: Send, *, head: bool) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
