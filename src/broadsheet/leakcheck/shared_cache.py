"""A shared cache as RFC 9111 allows it, taking every liberty it gives: what may stand between paper and readers.

It keeps whatever is not forbidden to it, invents a freshness where none is stated, and holds to `Vary`. Two ways to
form a key: `raw`, and `greedy`, which also believes that an address that looks like a file is one, whatever the headers
say.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from broadsheet.leakcheck.client import Ask, Response

INVENTED = 60.0  # seconds of freshness where the origin states none
GREEDY = 3600.0
_STATIC = re.compile(r"\.(?:css|js|jpe?g|png|gif|ico|svg|woff2?|pdf|txt|mp3|webp|avif)\Z")
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_BY_CHOICE = (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501)  # may be kept without being asked to
Send = Callable[[Ask, Mapping[str, str]], Awaitable[Response]]


def raw(target: str) -> str:
    return target


def greedy(target: str) -> str:
    """Lower-case, decoded, slashes collapsed, without a path's parameters."""
    path, question, query = unquote(target).lower().partition("?")
    return re.sub(r"/+", "/", path.partition(";")[0] if not _STATIC.search(path) else path) + question + query


def directives(value: str) -> dict[str, str]:
    found = {}
    for part in value.lower().split(","):
        name, _, argument = part.strip().partition("=")
        if name:
            found[name] = argument.strip('" ')
    return found


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


@dataclass(slots=True)
class Kept:
    """A stored response, the request headers its Vary names, and until when it is fresh."""

    response: Response
    varied: tuple[tuple[str, str], ...]
    fresh_until: float
    grace_until: float
    blind: bool = False  # kept because its address looks like a file: for everyone


@dataclass(slots=True)
class SharedCache:
    """`ask()` answers as the cache would at `now`; `served` counts what came out of it without the origin."""

    normalise: Callable[[str], str]
    send: Send
    now: float = 0.0
    served: int = 0
    _kept: dict[str, list[Kept]] = field(default_factory=dict)

    async def ask(self, ask: Ask, jar: Mapping[str, str]) -> tuple[Response, bool]:
        """(the answer, whether it came out of the cache)."""
        key = self.normalise(ask.target)
        headers = _headers(ask, jar)
        wish = directives(headers.get("cache-control", ""))
        if ask.method not in ("GET", "HEAD"):
            answer = await self.send(ask, jar)
            if ask.method not in _SAFE and answer.status < 400:  # noqa: PLR2004
                self._kept.pop(key, None)
            return answer, False
        kept = self._find(key, headers)
        if kept and "no-cache" not in wish and wish.get("max-age") != "0":
            if self.now < kept.fresh_until:
                return self._out(kept, ask, headers)
            if self.now < kept.grace_until:
                await self._fetch(key, replace(ask, method="GET"), jar, headers, kept)
                return self._out(kept, ask, headers)
        if "only-if-cached" in wish:
            return Response(504), True
        return await self._fetch(key, ask, jar, headers, kept), False

    def _find(self, key: str, headers: Mapping[str, str]) -> Kept | None:
        for kept in self._kept.get(key, ()):
            if kept.blind or all(headers.get(name, "") == value for name, value in kept.varied):
                return kept
        return None

    def _out(self, kept: Kept, ask: Ask, headers: Mapping[str, str]) -> tuple[Response, bool]:
        self.served += 1
        etag = kept.response.get("ETag")
        if etag and etag in headers.get("if-none-match", ""):
            return Response(304, kept.response.headers), True
        return (replace(kept.response, body=b"") if ask.method == "HEAD" else kept.response), True

    async def _fetch(
        self, key: str, ask: Ask, jar: Mapping[str, str], headers: Mapping[str, str], kept: Kept | None
    ) -> Response:
        """From the origin, with the asker's own cookies, and with the validator of what is kept."""
        etag = kept.response.get("ETag") if kept else ""
        own = headers.get("if-none-match", "")
        sent = replace(ask, headers=(*ask.headers, ("If-None-Match", etag))) if etag and not own else ask
        answer = await self.send(sent, jar)
        if kept and etag and answer.status == 304 and not own:  # noqa: PLR2004
            named = {name.lower(): (name, value) for name, value in kept.response.headers}
            named |= {name.lower(): (name, value) for name, value in answer.headers}
            answer = replace(kept.response, headers=tuple(named.values()))
            self._keep(key, ask, headers, answer)
            return replace(answer, body=b"") if ask.method == "HEAD" else answer
        self._keep(key, ask, headers, answer)
        return answer

    def _keep(self, key: str, ask: Ask, headers: Mapping[str, str], answer: Response) -> None:
        if ask.method != "GET" or answer.status not in _BY_CHOICE or "range" in headers:
            return
        if self.normalise is greedy and _STATIC.search(key.partition("?")[0]) and answer.status == 200:  # noqa: PLR2004
            self._kept[key] = [Kept(answer, (), self.now + GREEDY, 0, blind=True)]
            return
        said = directives(answer.get("Cache-Control"))
        vary = [name.strip().lower() for name in answer.get("Vary").split(",") if name.strip()]
        if {"no-store", "private"} & said.keys() or "no-store" in headers.get("cache-control", "") or "*" in vary:
            return
        if "authorization" in headers and not {"public", "s-maxage", "must-revalidate"} & said.keys():
            return
        fresh = _seconds(said.get("s-maxage"))
        fresh = _seconds(said.get("max-age")) if fresh is None else fresh
        fresh = INVENTED if fresh is None else fresh
        until = self.now + (0 if "no-cache" in said else fresh)
        grace = until + (_seconds(said.get("stale-while-revalidate")) or 0)
        varied = tuple((name, headers.get(name, "")) for name in vary)
        others = [kept for kept in self._kept.get(key, ()) if kept.varied != varied and not kept.blind]
        self._kept[key] = [*others, Kept(answer, varied, until, grace)]


def _headers(ask: Ask, jar: Mapping[str, str]) -> dict[str, str]:
    """The request's headers as a cache compares them; repeated ones joined."""
    cookie = "; ".join(f"{name}={value}" for name, value in jar.items()) if ask.instead is None else ask.instead
    found = {"cookie": "; ".join(part for part in (cookie, ask.beside) if part)}
    for name, value in ask.headers:
        low = name.lower()
        found[low] = f"{found[low]}, {value}" if found.get(low) else value
    return found
