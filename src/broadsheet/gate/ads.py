"""Which of two pages a request gets, the one with advertising or the one without; and the list of what runs just now.

Advertising is in the page or is not: whoever holds the product `ad_free` is sent the sheet that was printed without it,
and no byte of that sheet knows of the other. Everybody else gets the other one, staff too: they look after it.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import brotli

from broadsheet.ads.rules import AD_FREE, next_change, public_list, runs_at
from broadsheet.gate.answers import POLICY, PRIVATE, SECURITY_HEADERS, Answer, head
from broadsheet.gate.asked import Asked
from broadsheet.gate.dress import not_modified
from broadsheet.readers.passport import Passport

RUNNING = b"/ads/running.json"
"""Where the script on a page asks what may stand in its slots: the same for everyone."""
_LONGEST = 60  # seconds for which a browser or a proxy may keep the list


def security_headers(policy: str) -> tuple[tuple[str, str], ...]:
    """The headers of a page with advertising. `policy`: its Content-Security-Policy, "" for everybody's."""
    if not policy:
        return SECURITY_HEADERS
    return tuple((name, policy if name == "Content-Security-Policy" else value) for name, value in SECURITY_HEADERS)


def ad_policy(tag: str, hosts: Sequence[str]) -> str:
    """The Content-Security-Policy of pages that may load a tag manager; "" without one. `tag`: its script's address,
    `hosts`: from where else its scripts, frames, pictures and calls may come."""
    if not tag:
        return ""
    theirs = " ".join([f"https://{host}" for host in dict.fromkeys((urlsplit(tag).netloc, *hosts))])
    parts = [part for part in POLICY.split("; ") if not part.startswith("img-src")]
    more = ("script-src", "connect-src", "frame-src")
    return "; ".join([*parts, f"img-src 'self' data: {theirs}", *[f"{name} 'self' {theirs}" for name in more]])


def reads_without_ads(passport: Passport | None, now: datetime) -> bool:
    """Whether this reader holds `ad_free` at `now`."""
    if passport is None:
        return False
    at = now.timestamp()
    return any(
        product == AD_FREE and start <= at and (end is None or at < end) for product, start, end in passport.rights
    )


def holds_ad_free(products: str, times: Sequence[int], at: float) -> bool:
    """The same of what lies in a passport as it lies there: products joined by commas, each one's start and end."""
    names, place = products.split(","), -1
    for _ in range(names.count(AD_FREE)):  # one, but for a reader whose two subscriptions overlap
        place = names.index(AD_FREE, place + 1)
        start, end = times[2 * place : 2 * place + 2]
        if start <= at and (at < end or end < 0):
            return True
    return False


class _Span(NamedTuple):
    """The list between two instants at which something begins or ends; `until` in Unix seconds."""

    since: float
    until: float
    etag: str
    bodies: dict[str, bytes]


class Running:
    """What runs, from the campaigns that were posted last. Nothing is printed anew when one begins or ends."""

    def __init__(self, posted: Any = None) -> None:
        self._posted = posted or {}
        self._span = _Span(0.0, 0.0, "", {})

    def answer(self, asked: Asked, now: datetime) -> Answer:
        """The list at `now`; kept by caches no longer than until something in it changes."""
        at, encoding = now.timestamp(), asked.encoding
        span = self._span
        if not span.since <= at < span.until:
            span = self._span = self._at(at)
        age = max(1, int(min(_LONGEST, span.until - at)))
        body = span.bodies[encoding]
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if encoding != "plain":
            headers.append(("Content-Encoding", encoding))
        headers += [
            ("ETag", f'"{span.etag}-{encoding}"'),
            ("Cache-Control", PRIVATE if asked.personal else f"public, max-age={age}"),
            ("Vary", "Accept-Encoding"),
            *SECURITY_HEADERS,
        ]
        return not_modified(Answer(head(200, headers), body), asked.if_none_match)

    def _at(self, at: float) -> _Span:
        plain = public_list(self._posted, runs_at(self._posted, at)).encode()
        bodies = {"plain": plain, "gzip": gzip.compress(plain, 9, mtime=0), "br": brotli.compress(plain, quality=5)}
        return _Span(at, next_change(self._posted, at), blake2b(plain, digest_size=12).hexdigest(), bodies)
