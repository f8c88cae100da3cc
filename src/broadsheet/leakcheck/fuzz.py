"""Tricks that nobody has thought of: seeded mixtures of headers, parameters, methods, spellings and encodings. Pure.

The same seed gives the same tricks; a nightly run takes a new one and says which, so that a find can be repeated.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import replace

from broadsheet.leakcheck.client import Ask
from broadsheet.leakcheck.tricks import (
    AGENTS,
    HTTP_HEADERS,
    IDENTITY_HEADERS,
    METHODS,
    OVERRIDES,
    PARAMETERS,
    PREFIXES,
    REFERERS,
    SUFFIXES,
    Trick,
)

_NAMES = (
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Original-URL", "X-Rewrite-URL",
    "Forwarded", "Via", "From", "Authorization", "Proxy-Authorization", "Signature-Agent", "Signature", "Accept",
    "Accept-Language", "Accept-Encoding", "Range", "If-Range", "If-None-Match", "If-Modified-Since", "Cache-Control",
    "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Purpose", "Sec-GPC", "X-Requested-With", "X-Entitled",
    "X-Subscriber", "X-Reader", "X-Institution", "X-Gift", "X-Seat", "X-Staff", "X-Role", "X-Debug", "X-Wagtail",
    "X-Amz-Cf-Id", "X-Cache", "X-Vercel-Id", "Surrogate-Capability", "Content-Type", "Prefer", "Priority", "DPR",
)  # fmt: skip
_VALUES = (
    "1", "true", "full", "admin", "127.0.0.1", "66.249.66.1, 127.0.0.1", "::1", "[::ffff:127.0.0.1]", "https", "*",
    "bytes=0-", "bytes=100-200", "gzip", "br;q=0.1, gzip;q=0", "application/json", "text/plain, */*;q=0.1", "staff",
    "Bearer x", "Basic Og==", "License a", "sig1=:AA==:", "no-cache", "only-if-cached", "prefetch", "document",
    "empty", "iframe", "none", "same-origin", "/", "/full", "paper.example", "Thu, 01 Jan 1970 00:00:00 GMT", '"x"',
)  # fmt: skip
_KEYS = (
    "amp", "format", "view", "full", "variant", "gift", "token", "share", "unlock", "access", "reader", "plan", "tier",
    "preview", "edition", "rev", "v", "_", "cb", "lang", "section", "id", "story", "body", "fields", "ref",
)  # fmt: skip
_COOKIES = (
    "bsm=x", "bsp=x", "bss=x", "bsg=x", "__Host-bsp=x", "__Host-bsg=x", "bsp=", "bsg=; bsg=x", "BSP=x", " bsp = x",
    "subscriber=1", "seat=1", "gift=1", "$Version=1; bsp=x", "bsp=x, bss=y", 'bsp="', "bsp=" + "A" * 300,
)  # fmt: skip


def fuzzed(path: str, host: str, seed: int, count: int) -> Iterator[Trick]:
    """`count` mixtures of one to three changes to a plain GET of `path`."""
    rng = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    for number in range(count):
        ask, said = Ask(path), []
        for change in rng.sample(_CHANGES, rng.randint(1, 3)):
            ask, what = change(rng, ask, host)
            said.append(what)
        yield Trick("fuzz", f"{seed}/{number}: {', '.join(said)}"[:200], ask)


def _header(rng: random.Random, ask: Ask, host: str) -> tuple[Ask, str]:  # noqa: ARG001
    pools = [(rng.choice(_NAMES), rng.choice(_VALUES)), rng.choice(IDENTITY_HEADERS), rng.choice(HTTP_HEADERS)]
    pools += [("User-Agent", rng.choice(list(AGENTS.values()))), ("Referer", rng.choice(REFERERS))]
    name, value = rng.choice(pools)
    if name == "Content-Length":
        return ask, "nothing"
    name = rng.choice((name, name.lower(), name.upper()))
    return replace(ask, headers=(*ask.headers, (name, value))), f"{name}: {value}"


def _parameter(rng: random.Random, ask: Ask, host: str) -> tuple[Ask, str]:  # noqa: ARG001
    made = f"{rng.choice(_KEYS)}{rng.choice(('=', '[]=', '%3d', '.x='))}{rng.choice(_VALUES)}".replace(" ", "+")
    text = rng.choice((rng.choice(PARAMETERS), made, _noise(rng)))
    joint = "&" if "?" in ask.target else rng.choice(("?", "?", "?", "%3f", "??", "?&"))
    return replace(ask, target=f"{ask.target}{joint}{text}"), f"{joint}{text}"


def _method(rng: random.Random, ask: Ask, host: str) -> tuple[Ask, str]:  # noqa: ARG001
    method = rng.choice((*METHODS, "get", "Get", "GETS", "QUERY", "SEARCH", "GET\t", "HEAD", "OPTIONS", "POST"))
    if rng.random() < 0.3:  # noqa: PLR2004
        name = rng.choice(OVERRIDES)
        return replace(ask, headers=(*ask.headers, (name, method.strip()))), f"{name}: {method!r}"
    return replace(ask, method=method), repr(method)


def _spelling(rng: random.Random, ask: Ask, host: str) -> tuple[Ask, str]:  # noqa: ARG001
    path, question, query = ask.target.partition("?")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(path)) if path else 0
        letter = path[at : at + 1]
        bent = rng.choice((
            f"%{ord(letter or '/') & 0xFF:02x}", f"%25{ord(letter or '/') & 0xFF:02x}", letter.upper(), letter * 2,
            letter + "/", letter + "/.", letter + "%00", letter + "\u0301", letter + ";a=b", letter + "\\", "",
            chr(0xFF00 + (ord(letter) - 0x20) % 0x5E) if letter else "", letter + rng.choice(string.printable[:94]),
        ))  # fmt: skip
        path = path[:at] + bent + path[at + 1 :]
    return replace(ask, target=path.replace(" ", "%20") + question + query), "spelling"


def _around(rng: random.Random, ask: Ask, host: str) -> tuple[Ask, str]:  # noqa: ARG001
    path, question, query = ask.target.partition("?")
    if rng.random() < 0.6:  # noqa: PLR2004
        suffix = rng.choice(SUFFIXES) + rng.choice(("", "", rng.choice(SUFFIXES)))
        return replace(ask, target=path + suffix + question + query), f"…{suffix}"
    prefix = rng.choice(PREFIXES)
    return replace(ask, target=prefix + ask.target), f"{prefix}…"


def _cookie(rng: random.Random, ask: Ask, host: str) -> tuple[Ask, str]:  # noqa: ARG001
    cookie = rng.choice(_COOKIES)
    return replace(ask, beside="; ".join(part for part in (ask.beside, cookie) if part)), f"cookie {cookie[:24]}"


def _host(rng: random.Random, ask: Ask, host: str) -> tuple[Ask, str]:
    other = rng.choice((host.upper(), f"{host}:443", f"{host}.", f"www.{host}", f"{host}\t", "localhost", f"{host}:0"))
    return replace(ask, host=other), f"Host {other!r}"


def _noise(rng: random.Random) -> str:
    return "".join(rng.choice(string.ascii_letters + "%&=;/.[]{}'\"<>") for _ in range(rng.randint(1, 40)))


_CHANGES = (_header, _header, _parameter, _parameter, _method, _spelling, _around, _cookie, _host)
