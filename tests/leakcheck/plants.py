"""A proxy in front of an honest paper that spoils some of its answers: each plant is a leak that must be found.

It stands where a careless CDN, theme or plugin would, knows nothing of the program's insides, and so survives every
change of them.

json-ld        premium-long: the body in JSON-LD
comment        premium-one: the body zipped, in base64, in a comment
length         registered-long: a header that depends on the length of the body
robot          metered-long: the whole story for whoever calls himself Googlebot
parameter      metered-two: the whole story for ?share=abc
feed           /feed.xml: the body of premium-two
public         full pages may be kept by shared caches
placeholder    premium-marked: a wall that says {{free_limit}}
suffix         premium-wire: …/x.css answers as the story does
forgetful      visitors' meters are lost on the way
sticky         what a reader was sent is sent to them again for a while
slow           drafts take longer than stories that never were
open           what a product opens is sent to visitors as to who has every product
one-for-all    pages with advertising do not say that others get them without
token          any access token is taken for the subscriber's
thrifty        subscribers get only the first half of metered-list
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from broadsheet.leakcheck.client import Header, Response, Site, read_response
from broadsheet.leakcheck.readers import BY_KEY
from broadsheet.leakcheck.stories import text_of

PAGES = ("json-ld", "comment", "length", "robot", "parameter", "feed", "public", "placeholder", "suffix", "thrifty")
STUCK = 20.0


@dataclass
class Asked:
    method: str
    target: str
    headers: list[Header]
    body: bytes = b""

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def without(self, *names: str) -> list[Header]:
        return [(key, value) for key, value in self.headers if key.lower() not in names]


@dataclass
class Proxy:
    """`async with Proxy(...) as server`: something with the `url`, `port` and `process` of a running paper."""

    server: Any
    paper: Mapping[str, Any]
    twin: str
    plants: tuple[str, ...]
    host: str
    kept: dict[tuple[str, str], tuple[float, Response]] = field(default_factory=dict)

    async def __aenter__(self) -> SimpleNamespace:
        self.upstream = Site(self.server.url, host=self.host)
        self.payer = await self._signed_in("subscriber")
        self.holder = await self._signed_in("holder")
        self.benefits = {row[0] for row in self.paper["benefits"]["addresses"] if not row[3]}
        self.listener = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**22)
        port = self.listener.sockets[0].getsockname()[1]
        return SimpleNamespace(url=f"http://127.0.0.1:{port}", port=port, process=self.server.process)

    async def _signed_in(self, session: str) -> str:
        """The cookies of a reader."""
        jar = {"bss": str(self.paper["sessions"][session])}
        answer = await self._send(Asked("GET", "/healthz", [("Host", self.host), ("Cookie", _cookie(jar))]))
        return _cookie(jar | answer.cookies())

    async def __aexit__(self, *error: object) -> None:
        self.listener.close()

    def path(self, key: str) -> str:
        return self.paper["stories"][key]["path"]

    def hidden(self, key: str) -> str:
        return text_of(BY_KEY[key], self.twin).hidden

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await _read(reader)
                answer = await self._answer(asked)
                writer.write(_written(asked, answer))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, UnicodeError):
            pass
        finally:
            writer.close()

    async def _send(self, asked: Asked) -> Response:
        reader, writer = await self.upstream.connect()
        head = f"{asked.method} {asked.target} HTTP/1.1\r\n"
        head += "".join(
            f"{name}: {value}\r\n" for name, value in [*asked.without("connection"), ("Connection", "close")]
        )
        writer.write(head.encode("utf-8", "surrogateescape") + b"\r\n" + asked.body)
        try:
            return (await asyncio.wait_for(read_response(reader, asked.method), 20))[0]
        finally:
            writer.close()

    async def _answer(self, asked: Asked) -> Response:
        asked = self._bent(asked)
        who = (asked.target, asked.get("Cookie"))
        if "sticky" in self.plants and who in self.kept and time.monotonic() - self.kept[who][0] < STUCK:
            return self.kept[who][1]
        if "slow" in self.plants and asked.target == self.path("draft-premium"):
            await asyncio.sleep(0.05)
        answer = await self._send(asked)
        if "sticky" in self.plants and answer.get("Broadsheet-Variant") == "full":
            self.kept.setdefault(who, (time.monotonic(), answer))
        return self._spoiled(asked, answer)

    def _bent(self, asked: Asked) -> Asked:
        headers = asked.without("accept-encoding")
        opened = ("robot" in self.plants and asked.target == self.path("metered-long")
                  and "Googlebot/" in asked.get("User-Agent"))  # fmt: skip
        if "parameter" in self.plants and asked.target == self.path("metered-two") + "?share=abc":
            opened = True
        target = asked.target
        if "suffix" in self.plants and target == self.path("premium-wire") + "/x.css":
            target = self.path("premium-wire")
        if "open" in self.plants and asked.target in self.benefits and not asked.get("Cookie"):
            return Asked(asked.method, target, [*headers, ("Cookie", self.holder)], asked.body)
        if "token" in self.plants and target.startswith("/api/v1/stories/"):
            headers = [*asked.without("authorization", "accept-encoding")]
            headers.append(("Authorization", f"Bearer {self.paper['apps']['subscriber']}"))
        if opened:
            headers = [*[pair for pair in headers if pair[0].lower() != "cookie"], ("Cookie", self.payer)]
        if "forgetful" in self.plants:
            headers = [pair for pair in headers if pair[0].lower() != "cookie" or "bsm=" not in pair[1]]
        return Asked(asked.method, target, headers, asked.body)

    def _spoiled(self, asked: Asked, answer: Response) -> Response:
        key = next((key for key in BY_KEY if self.path(key) == asked.target), "")
        walled = answer.get("Broadsheet-Variant") == "wall"
        body, more = answer.body, []
        if walled and key == "premium-long" and "json-ld" in self.plants:
            text = json.dumps({"articleBody": self.hidden(key)})
            body = body.replace(b"</main>", f'<script type="application/ld+json">{text}</script></main>'.encode())
        if walled and key == "premium-one" and "comment" in self.plants:
            body = body.replace(
                b"</main>", b"<!-- " + base64.b64encode(zlib.compress(self.hidden(key).encode())) + b" --></main>"
            )
        if walled and key == "premium-marked" and "placeholder" in self.plants:
            body = body.replace(b"</main>", b"<p>You have read {{free_limit}} free articles.</p></main>")
        if walled and key == "registered-long" and "length" in self.plants:
            more.append(("X-Reading-Minutes", str(len(self.hidden(key)) / 1000)))
        if asked.target == "/feed.xml" and "feed" in self.plants:
            body = body.replace(b"</item>", f"<content>{self.hidden('premium-two')}</content></item>".encode(), 1)
        if (
            "thrifty" in self.plants
            and key == "metered-list"
            and self.paper["sessions"]["unlimited"] in asked.get("Cookie")
        ):
            body = body[: body.find(b"</li>")]
        headers = answer.headers
        if "one-for-all" in self.plants:
            headers = tuple(pair for pair in headers if (pair[0].lower(), pair[1]) != ("vary", "Cookie"))
        if "public" in self.plants and answer.get("Broadsheet-Variant") == "full":
            headers = tuple(pair for pair in headers if pair[0].lower() != "cache-control")
            more.append(("Cache-Control", "public, max-age=60"))
        return replace(answer, headers=(*headers, *more), body=body)


def _cookie(jar: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in jar.items())


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
    line, *rest = head[:-4].split("\r\n")
    method, _, target = line.rpartition(" ")[0].partition(" ")
    headers = [(name, value.lstrip(" ")) for name, _, value in (one.partition(":") for one in rest)]
    asked = Asked(method, target, headers)
    length = asked.get("Content-Length")
    if length.isdigit() and int(length):
        asked.body = await reader.readexactly(int(length))
    return asked


def _written(asked: Asked, answer: Response) -> bytes:
    kept = [
        pair for pair in answer.headers if pair[0].lower() not in ("content-length", "transfer-encoding", "connection")
    ]
    bodiless = asked.method == "HEAD" or answer.status in (204, 304)
    length = answer.get("Content-Length") if bodiless else str(len(answer.body))
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in kept)]
    if length:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + (b"" if bodiless else answer.body)
