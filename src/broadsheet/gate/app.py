"""The gate's one road: request -> facts -> decide() -> the bytes of one variant. No I/O but the press's stores.

`answer()` returns an Answer, or what it Needs first, or None for what is Django's. Time comes from the clock it is
given.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address

from broadsheet.access.meter import HighWater, Meter, MeterSeal, new_meter
from broadsheet.access.rules import (
    Body,
    Cache,
    Decision,
    Policy,
    Principal,
    Request,
    Right,
    State,
    Story,
    Tier,
    Wall,
    Window,
    decide,
    window,
)
from broadsheet.gate.answers import PRIVATE, PUBLIC, SECURITY_HEADERS, Answer, Needs, plain, render_headers
from broadsheet.gate.asked import Asked, CookieNames, story_id
from broadsheet.gate.shelf import Recent, Shelf
from broadsheet.press.store import Facts, Sheet
from broadsheet.readers.passport import Passport, PassportOffice

Network = IPv4Network | IPv6Network
PLAIN_HTTP = (
    "This paper is served over https alone. If a proxy in front ends TLS, list its address in trusted_proxies and let "
    "it send X-Forwarded-Proto: https."
)
_NOTHING: frozenset[int] = frozenset()
Clock = Callable[[], datetime]
PASSPORT_COOKIE_AGE = 60 * 60 * 24 * 30  # the seal inside lives for minutes; the cookie says whom to ask again
_WALL_SHEETS = {Wall.LIMIT: "limit", Wall.REGISTER: "register", Wall.SUBSCRIBE: "subscribe"}


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Frozen values the gate starts with. `hosts`: every Host header that is ours; `secure`: the paper is https."""

    policy: Policy
    cookies: CookieNames
    hosts: frozenset[bytes]
    secure: bool
    proxies: tuple[Network, ...] = ()

    def trusts(self, peer: str) -> bool:
        """Whether a peer's X-Forwarded headers are believed."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.proxies)


@dataclass(frozen=True, slots=True)
class Counted:
    """What the server's own meter said of a registered reader's first read."""

    allowed: bool
    used: int


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks, as far as it is proven, and what they have read in this window."""

    passport: Passport | None
    meter: Meter | None
    window: Window
    request: Request
    set_passport: str | None = None


class Gate:
    def __init__(self, options: GateOptions, shelf: Shelf, seal: MeterSeal, office: PassportOffice, now: Clock) -> None:
        self.options = options
        self.shelf = shelf
        self._seal = seal
        self._office = office
        self._now = now
        self._high_water = HighWater()
        self._rolling = options.policy.window.startswith("rolling")
        self._running: Window | None = None
        self._epochs: dict[int, int] = {}
        self._ended_sessions: set[str] = set()
        self._dressed: Recent[tuple[str, ...], tuple[tuple[tuple[str, str], ...], bytes]] = Recent(20_000)
        self._reads: Recent[int, tuple[Window, frozenset[int]]] = Recent(100_000)

    # --- what changed elsewhere ---------------------------------------------------------------------------------
    def reader_changed(self, reader: int, epoch: int) -> None:
        self._epochs[reader] = max(epoch, self._epochs.get(reader, 0))
        self._reads.drop(reader)

    def session_ended(self, session: str) -> None:
        self._ended_sessions.add(session)

    def knows_reads(self, reader: int, first_read: datetime | None, stories: frozenset[int]) -> None:
        """What the server's meter holds of a reader; `first_read` dates a rolling window."""
        self._reads.put(reader, (window(self.options.policy, self._now(), first_read), stories))

    def _reads_of(self, reader: int, now: datetime) -> tuple[Window, frozenset[int]] | None:
        known = self._reads.get(reader)
        return known if known and known[0].start <= now < known[0].end else None

    # --- the road -----------------------------------------------------------------------------------------------
    def answer(
        self, asked: Asked, *, issued: str | None = None, counted: Counted | None = None
    ) -> Answer | Needs | None:
        """`issued`: the passport just re-issued, "" when its session is over, None when none was asked for.
        `counted`: the server meter's word, when it was asked."""
        if asked.host.lower() not in self.options.hosts:
            return plain(421)
        if self.options.secure and not asked.secure and asked.path != b"/healthz":
            return plain(403, PLAIN_HTTP)
        if asked.path == b"/me.json":
            return self._me(asked, issued)
        story = story_id(asked.path)
        if story is None:
            return self._page(asked)
        if asked.method not in ("GET", "HEAD"):
            return self._refuse_method()
        return self._story(asked, story, issued, counted)

    def _refuse_method(self) -> Answer:
        answer = plain(405)
        answer.add("Allow", "GET, HEAD")
        return answer

    def _page(self, asked: Asked) -> Answer | Needs | None:
        if asked.method not in ("GET", "HEAD"):
            return None
        try:
            path = asked.path.decode("ascii")
        except UnicodeDecodeError:
            return None
        sheet = self.shelf.page(path)
        if sheet is None:
            return Needs("page", path) if path == "/" or _looks_like_a_front(path) else None
        answer = self._dress(asked, sheet, PRIVATE if asked.personal else PUBLIC)
        return _head(asked, answer)

    def _story(self, asked: Asked, story: int, issued: str | None, counted: Counted | None) -> Answer | Needs | None:
        facts = self.shelf.facts(story)
        if facts is None:
            return Needs("story", story)
        if facts.state == State.WITHDRAWN:
            sheet = self.shelf.wall(facts, "gone")
            return _head(asked, self._dress(asked, sheet, PUBLIC, "withdrawn")) if sheet else Needs("story", story)
        if facts.state != State.PUBLISHED:
            return None
        if asked.path != facts.path.encode():
            return self._move(facts)
        now = self._now()
        visit = self._visit(asked, facts, now, issued)
        if isinstance(visit, Needs):
            return visit
        return self._decided(asked, facts, visit, counted, now)

    def _decided(
        self, asked: Asked, facts: Facts, visit: Visit, counted: Counted | None, now: datetime
    ) -> Answer | Needs:
        subject = Story(facts.id, Tier(facts.tier), State(facts.state), facts.emergency_free)
        request = visit.request
        if counted is not None and not counted.allowed:
            # Another device used the last story up between two looks: the server's count is the one that holds.
            request = request._replace(used=max(counted.used, self.options.policy.registered_limit))
        decision = decide(self.options.policy, subject, request, now)
        if decision.counts and visit.passport and counted is None:
            return Needs("count", (visit.passport.reader, visit.window.name, facts.id))
        sheet = self._sheet(facts, decision, visit)
        if sheet is None:
            return Needs("story", facts.id)
        private = decision.cache is Cache.PRIVATE or asked.personal
        answer = self._dress(asked, sheet, PRIVATE if private else PUBLIC, decision.reason)
        if not private:
            # The browser that kept a wall must not show it to the reader who has just paid: the passport is a cookie.
            answer.add("Vary", "Cookie")
        answer.add("Broadsheet-Variant", "full" if decision.body is Body.FULL else "wall")
        if decision.counts and answer.status == 304:  # noqa: PLR2004 - a counted read is sent whole
            answer = self._dress(replace(asked, if_none_match=""), sheet, PRIVATE, decision.reason)
            answer.add("Broadsheet-Variant", "full")
        self._write_back(answer, facts, visit, decision, now)
        return _head(asked, answer)

    def _sheet(self, facts: Facts, decision: Decision, visit: Visit) -> Sheet | None:
        if decision.body is Body.FULL:
            return self.shelf.full(facts)
        name = _WALL_SHEETS[decision.wall or Wall.SUBSCRIBE]
        if name == "limit" and visit.passport:
            name = "limit-signed-in"
        return self.shelf.wall(facts, name)

    def _move(self, facts: Facts) -> Answer:
        answer = plain(301)
        answer.headers[1] = ("Cache-Control", "public, max-age=300")
        answer.add("Location", facts.path)
        return answer

    # --- who asks -----------------------------------------------------------------------------------------------
    def _passport(self, asked: Asked, now: datetime, issued: str | None) -> Passport | Needs | None:
        value = asked.passport if issued is None else issued
        if not value:
            return None
        passport = self._office.open(value, now)
        stale = passport is None or (
            passport.epoch < self._epochs.get(passport.reader, 0) or passport.session in self._ended_sessions
        )
        if not stale:
            return passport
        # Without a session there is nobody to re-issue it for: a forged or left-over passport is worth nothing.
        return Needs("passport", asked.session) if issued is None and asked.session else None

    def _visit(self, asked: Asked, facts: Facts, now: datetime, issued: str | None) -> Visit | Needs:
        passport = self._passport(asked, now, issued)
        if isinstance(passport, Needs):
            return passport
        real = asked.method == "GET" and not asked.prefetch
        rights = (
            tuple(Right(r.product, _at(r.start), _at(r.end) if r.end else None) for r in passport.rights)
            if passport
            else ()
        )
        principal = Principal.REGISTERED if passport else Principal.VISITOR
        if facts.tier != Tier.METERED or facts.emergency_free:
            return Visit(passport, None, self._window(now), Request(principal, rights, real_read=real), issued)
        if passport:
            known = self._reads_of(passport.reader, now)
            if known is None:
                return Needs("reads", passport.reader)
            return Visit(passport, None, known[0], Request(principal, rights, known[1], real_read=real), issued)
        meter, span = self.open_meter(asked.meter, now)
        proven = meter is not None or self.options.policy.mode != "strict"
        seen = self._high_water.stories(meter) if meter else _NOTHING
        return Visit(None, meter, span, Request(principal, (), seen, real_read=real and proven), issued)

    def _window(self, now: datetime, first_read: datetime | None = None) -> Window:
        """The meter's window; a calendar's is worked out once and kept until it ends."""
        running = self._running
        if running is None or not running.start <= now < running.end:
            running = window(self.options.policy, now, first_read)
            self._running = None if self._rolling else running
        return running

    def open_meter(self, cookie: str, now: datetime) -> tuple[Meter | None, Window]:
        """The meter a cookie holds, if it is ours and of the running window, and that window."""
        meter = self._seal.open(cookie) if cookie else None
        span = self._window(now, meter.first_read_at if meter and self._rolling else None)
        return (meter if meter and meter.window == span.name else None), span

    def stories_read(self, cookie: str, now: datetime) -> frozenset[int]:
        """Every story that the meter in a cookie has read in the running window: what signing in takes along."""
        meter, _ = self.open_meter(cookie, now)
        return self._high_water.stories(meter) if meter else frozenset()

    # --- the answer ---------------------------------------------------------------------------------------------
    def _dress(self, asked: Asked, sheet: Sheet, cache: str, reason: str = "") -> Answer:
        """A sheet as an answer; its headers are rendered once for each way in which it may be sent."""
        known = bool(asked.if_none_match) and sheet.status == 200 and _names(asked.if_none_match, sheet.etag)  # noqa: PLR2004
        body = b"" if known else {"br": sheet.br, "gzip": sheet.gzip}.get(asked.encoding, sheet.plain)
        key = (sheet.key, sheet.etag, "" if known else asked.encoding, cache, reason)
        dressed = self._dressed.get(key)
        if dressed is None:
            headers: list[tuple[str, str]] = []
            if not known:
                headers.append(("Content-Type", sheet.content_type))
                headers.append(("Content-Length", str(len(body))))
                if asked.encoding != "plain":
                    headers.append(("Content-Encoding", asked.encoding))
            headers += [("ETag", sheet.etag), ("Cache-Control", cache), ("Vary", "Accept-Encoding"), *SECURITY_HEADERS]
            if reason:
                headers.append(("Broadsheet-Reason", reason))
            dressed = (tuple(headers), render_headers(headers))
            self._dressed.put(key, dressed)
        status = 304 if known else sheet.status
        return Answer(status, list(dressed[0]), body, dressed[1], len(dressed[0]))

    def _write_back(self, answer: Answer, facts: Facts, visit: Visit, decision: Decision, now: datetime) -> None:
        if visit.set_passport is not None:
            answer.add("Set-Cookie", self.passport_cookie(visit.set_passport))
        if visit.passport:
            if decision.counts:
                self._reads.put(visit.passport.reader, (visit.window, visit.request.seen | {facts.id}))
            return
        strict_probe = decision.reason == "not_a_read" and visit.meter is None and self.options.policy.mode == "strict"
        if not (decision.counts or strict_probe):
            return
        meter = visit.meter or new_meter(visit.window.name, now)
        if decision.counts:
            self._high_water.add(meter, facts.id)
            meter = replace(meter, stories=tuple(sorted(self._high_water.stories(meter))))
        age = max(1, int((visit.window.end - now).total_seconds()))
        answer.add("Set-Cookie", self._cookie(self.options.cookies.meter, self._seal.seal(meter), age))

    def _cookie(self, name: str, value: str, age: int) -> str:
        secure = "; Secure" if self.options.secure else ""
        return f"{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"

    def passport_cookie(self, value: str) -> str:
        """A Set-Cookie line that sets the passport, or takes it away when `value` is empty."""
        return self._cookie(self.options.cookies.passport, value, PASSPORT_COOKIE_AGE if value else 0)

    def _me(self, asked: Asked, issued: str | None) -> Answer | Needs:
        """The personal words of a page, so that the page itself needs none."""
        if asked.method not in ("GET", "HEAD"):
            return self._refuse_method()
        now = self._now()
        passport = self._passport(asked, now, issued)
        if isinstance(passport, Needs):
            return passport
        policy = self.options.policy
        subscriber = False
        if passport:
            known = self._reads_of(passport.reader, now)
            if known is None:
                return Needs("reads", passport.reader)
            seen, limit = known[1], policy.registered_limit
            at = now.timestamp()
            subscriber = any(
                r.product == "unlimited" and r.start <= at and (r.end is None or at < r.end) for r in passport.rights
            )
        else:
            seen, limit = self.stories_read(asked.meter, now), policy.free_limit
        me = {
            "signed_in": passport is not None,
            "name": passport.name if passport else "",
            "staff": bool(passport and passport.staff),
            "subscriber": subscriber,
            "read": len(seen),
            "limit": limit,
            "left": max(0, limit - len(seen)),
            "window": policy.window,
        }
        answer = Answer(200, [("Content-Type", "application/json"), ("Cache-Control", PRIVATE)])
        answer.body = json.dumps(me, ensure_ascii=False).encode()
        answer.headers += SECURITY_HEADERS
        if issued is not None:
            answer.add("Set-Cookie", self.passport_cookie(issued))
        return _head(asked, answer)


def _looks_like_a_front(path: str) -> bool:
    """A section's front: one lower-case word between two slashes. Django says whether there is such a section."""
    word = path[1:-1]
    return path.endswith("/") and bool(word) and "/" not in word and word.replace("-", "").isalnum() and word.islower()


def _head(asked: Asked, answer: Answer) -> Answer:
    """HEAD answers as GET would, with the length and without the body."""
    if not answer.fixed:
        answer.add("Content-Length", str(len(answer.body)))
    if asked.method == "HEAD":
        answer.body = b""
    return answer


def _names(if_none_match: str, etag: str) -> bool:
    """Whether the client says it holds this very variant."""
    return etag in if_none_match.replace("W/", "")


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
