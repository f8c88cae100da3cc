"""The general road: request -> facts -> decide() -> the bytes of one variant. No I/O but the press's stores.

`answer()` returns an Answer, or what it Needs first, or None for what is Django's. Time comes from the clock it is
given. A story goes through `answer`, `_story`, `_visitor` and `_dressed`; what is plain is answered in quick.py before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from broadsheet.access.book import Book, Taken
from broadsheet.access.meter import STORY, Meter, new_meter, stories_of
from broadsheet.access.rules import (
    COVERS,
    Body,
    Cache,
    Decision,
    Principal,
    Request,
    Right,
    State,
    Surface,
    Tier,
    Window,
    carries_over,
    decide,
    policy_from,
    window,
)
from broadsheet.gate.ads import RUNNING, Running, reads_without_ads, security_headers
from broadsheet.gate.answers import PRIVATE, PUBLIC, Answer, Head, Needs, plain
from broadsheet.gate.asked import Asked, story_id
from broadsheet.gate.dress import dress, moved, not_modified, wall_sheet
from broadsheet.gate.fronts import front
from broadsheet.gate.lending import COOKIE_AGE, Lending, see_other
from broadsheet.gate.me import YOUNG, is_subscriber, personal_words
from broadsheet.gate.options import GateOptions, Seals
from broadsheet.gate.passes import Grants
from broadsheet.gate.recorder import Recorder
from broadsheet.gate.shelf import Held, Recent, Shelf
from broadsheet.gate.told import NOTHING_YET, Told
from broadsheet.gate.visit import Visit, as_it_turned_out, in_section, instant, packed
from broadsheet.press.store import ADS
from broadsheet.readers.passport import Passport

Clock = Callable[[], datetime]
PLAIN_HTTP = (
    "This paper is served over https alone. If a proxy in front ends TLS, list its address in trusted_proxies and let "
    "it send X-Forwarded-Proto: https."
)
PASSPORT_COOKIE_AGE = 60 * 60 * 24 * 30  # the seal inside lives for minutes; the cookie says whom to ask again
LATE = timedelta(hours=24)  # how long a lapsed passport is good while nobody can be asked for a fresh one
_READS = frozenset(("GET", "HEAD"))
_FULL, _PUBLISHED, _METERED, _VISITOR = Body.FULL, State.PUBLISHED, Tier.METERED, Principal.VISITOR
_PRIVATE, _PAGE = Cache.PRIVATE, Surface.PAGE
_NO_SEAT: frozenset[str] = frozenset()
_new = tuple.__new__  # as in asked.py
_A_VISITOR, _A_VISITORS_LOOK = Request(), Request(real_read=False)


class Gate:
    def __init__(
        self, options: GateOptions, shelf: Shelf, seals: Seals, *, book: Book, recorder: Recorder, now: Clock
    ) -> None:
        self.options = options
        self.policy = options.policy
        self.shelf = shelf
        self.book = book
        self.recorder = recorder
        self.lending = Lending(seals.grants)
        self.seals = seals
        self.now = now
        self._running: Window | None = None
        self._epochs: Recent[int, int] = Recent(500_000)
        self._ended_sessions: Recent[str, bool] = Recent(500_000)
        self._reads: Recent[int, tuple[Window, tuple[int, ...], datetime]] = Recent(100_000)
        end = f"; HttpOnly; SameSite=Lax{'; Secure' if options.secure else ''}"
        self.cookie_ends = end
        self.ads = options.ads
        self._with_ads = security_headers(options.ad_policy)
        self._ads_running = Running()

    # --- what changed elsewhere ---------------------------------------------------------------------------------
    def reader_changed(self, reader: int, epoch: int) -> None:
        self._epochs.put(reader, max(epoch, self._epochs.get(reader) or 0))
        self._reads.drop(reader)

    def session_ended(self, session: str) -> None:
        self._ended_sessions.put(session, True)

    def gift_revoked(self, gift: int) -> None:
        self.lending.gift_revoked(gift)

    def standing(self, name: str, value: Any) -> None:
        """A value that holds until the next one of its name: the publisher's policy, the institutions."""
        if name == "policy":
            self.policy = policy_from(value)
            self._running = None
            self._reads = Recent(100_000)  # they were learnt for the windows of the policy before
        elif name == "institutions":
            self.lending.institutions_changed(value)
        elif name == "ads":
            self._ads_running = Running(value)

    def knows_reads(self, reader: int, first_read: int | None, reads: tuple[int, ...]) -> None:
        """What the server's meter holds of a reader; `first_read` (Unix seconds) dates a rolling window."""
        now = self.now()
        first = instant(first_read) if first_read is not None else None
        self._reads.put(reader, (window(self.policy, now, first), reads, now))

    # --- a story ------------------------------------------------------------------------------------------------
    def answer(self, asked: Asked, told: Told = NOTHING_YET) -> Answer | Needs | None:
        """`told`: what was done since this request was first asked."""
        options = self.options
        if asked.host not in options.hosts and asked.host.lower() not in options.hosts:
            return plain(421)
        if options.secure and not asked.secure and asked.path != b"/healthz":
            return plain(403, PLAIN_HTTP)
        held = self.shelf.at(asked.path)
        if held is None or held.story.state is not _PUBLISHED:
            return self._elsewhere(asked, told)
        if asked.method not in _READS:
            return plain(405, extra=[("Allow", "GET, HEAD")])
        return self._story(asked, held, told)

    def _story(self, asked: Asked, held: Held, told: Told) -> Answer | Needs:
        if asked.gift:
            return self._offered(asked, held, told)
        now, story, policy = self.now(), held.story, self.policy
        visit = self._reader(asked, held, now, told) if asked.passport else self._visitor(asked, held, now)
        if isinstance(visit, Needs):
            return visit
        decision = visit.decision or decide(policy, story, visit.request, now)
        if (decision.counts or decision.body is not _FULL) and (asked.grants or self.lending.lends_something):
            lent = self._borrow(asked, held, visit, told)
            if lent is not None:
                return lent
            decision = decide(policy, story, visit.request, now)
        if decision.counts:
            full = self.variant("full", visit.passport, now) if self.ads else "full"
            if full not in held.sheets and self.shelf.sheet(held, full) is None:
                return Needs("story", (story.id,))  # no read is counted for a page that is not there
            taken = self._take(asked, held, visit, told, decision.limit)
            if isinstance(taken, Needs):
                return taken
            self._counted(visit, taken)
            if taken.verdict != "ok":
                visit.request = as_it_turned_out(visit.request, taken, decision.limit)
                decision = decide(policy, story, visit.request, now)
        return self._dressed(asked, held, visit, told, decision)

    def _visitor(self, asked: Asked, held: Held, now: datetime) -> Visit:
        policy, story = self.policy, held.story
        real = asked.is_read
        if story.tier is not _METERED or story.emergency_free or policy.emergency:
            return Visit(_A_VISITOR if real else _A_VISITORS_LOOK, self.window(now), now)
        meter, span = self.open_meter(asked.meter, now) if asked.meter else (None, self.window(now))
        if meter is None:
            request = _A_VISITOR if real and policy.mode != "strict" else _A_VISITORS_LOOK
            return Visit(request, span, now)
        reads = meter.reads
        used = in_section(reads, held.read) if policy.section_limits else 0
        seen = frozenset([read & STORY for read in reads])
        facts = (_VISITOR, (), seen, 0, real, _PAGE, used, _NO_SEAT, False, True, True)
        return Visit(_new(Request, facts), span, now, meter)

    def _dressed(self, asked: Asked, held: Held, visit: Visit, told: Told, decision: Decision) -> Answer | Needs:
        story, passport, meter, now, policy = held.story, visit.passport, visit.meter, visit.at, self.policy
        full = decision.body is _FULL
        probe = meter is None and policy.mode == "strict"
        name = "full" if full else wall_sheet(decision, signed_in=passport is not None, probe=probe)
        if self.ads:
            name = self.variant(name, passport, now)
        private = decision.cache is _PRIVATE or asked.personal or (not full and self.lending.lends(story.tier))
        cache = PRIVATE if private else PUBLIC
        found = held.dressed.get((name, asked.encoding, cache, decision.reason)) or self.page_of(
            held, name, asked.encoding, cache, decision.reason
        )
        if found is None:
            return Needs("story", (story.id,))
        answer = Answer(found[0], found[1])
        if asked.if_none_match and not decision.counts:
            answer = not_modified(answer, asked.if_none_match)
        if passport is None and meter is not None and visit.taken is not None:
            answer.extra.append(("Set-Cookie", self._meter_cookie(meter, visit.window, now)))
        elif probe and decision.reason == "not_a_read":
            fresh = new_meter(visit.window.name, now)
            answer.extra.append(("Set-Cookie", self._meter_cookie(fresh, visit.window, now)))
        if told.issued is not None:
            answer.extra.append(("Set-Cookie", self.passport_cookie(told.issued)))
        if visit.grants is not None:
            self._with_grants(answer, visit.grants)
        if private or not full:
            recorder = self.recorder
            if passport is not None:
                who = recorder.of_reader(passport.reader)
            else:
                who = recorder.of_meter(meter.id) if meter is not None else recorder.nobody
            recorder.add(now.timestamp(), who, story, visit.request, decision, policy.revision)
        return answer

    def variant(self, name: str, passport: Passport | None, now: datetime) -> str:
        """The sheet of that name as this reader gets it where pages carry advertising."""
        return name if reads_without_ads(passport, now) else ADS + name

    def page_of(self, held: Held, name: str, encoding: str, cache: str, reason: str) -> tuple[Head, bytes] | None:
        """The head and the bytes of a sheet, rendered once for each way in which it may be sent."""
        key = (name, encoding, cache, reason)
        found = held.dressed.get(key)
        if found is None:
            sheet = held.sheets.get(name) or self.shelf.sheet(held, name)
            if sheet is None:
                return None
            with_ads = self._with_ads if name.startswith(ADS) else ()
            found = dress(sheet, encoding, cache, reason, story=held.facts is not None, with_ads=with_ads)
            if encoding != "plain":  # rarely asked for, and large
                held.dressed[key] = found
        return found

    # --- counting -----------------------------------------------------------------------------------------------
    def _take(self, asked: Asked, held: Held, visit: Visit, told: Told, limit: int) -> Taken | Needs:
        """Count a read before its first byte is sent; whoever has to be asked for it is named."""
        now, ceiling = visit.at, self.policy.section_limits.get(held.story.section)
        if visit.passport is not None:
            return told.taken or Needs("count", (visit.passport.reader, visit.window.name, held.read, limit, ceiling))
        visit.meter = meter = told.meter or visit.meter or new_meter(visit.window.name, now)
        if told.taken is not None:
            return told.taken
        network = packed(asked.address) if self.book.wants_networks else None
        taken = self.book.take(meter, held.read, limit, ceiling, network, now)
        return taken or Needs("take", (meter, held.read, limit, ceiling, network, now))

    def _counted(self, visit: Visit, taken: Taken) -> None:
        """What was said of the count goes into the cookie, or into this worker's memory of the reader."""
        if visit.passport is not None:
            if taken.verdict != "away":
                self._reads.put(visit.passport.reader, (visit.window, taken.reads, visit.at))
        elif visit.meter is not None and taken.verdict in ("ok", "repeat"):
            kept, visit.taken = visit.meter, taken
            visit.meter = _new(Meter, (kept.id, kept.window, kept.first_read, taken.reads))

    def _borrow(self, asked: Asked, held: Held, visit: Visit, told: Told) -> Answer | Needs | None:
        """Put a gift or a seat among the visit's facts; an Answer sends the browser round for its cookie."""
        lent = self.lending.facts(asked, held.story, told, visit.at, real=asked.is_read)
        if isinstance(lent, Needs):
            return lent
        if lent.go_round:
            return self._with_grants(see_other(lent.go_round), lent.grants)
        visit.grants = lent.grants
        visit.request = visit.request._replace(seat=lent.seat, gift=lent.gift)
        return None

    def _meter_cookie(self, meter: Meter, span: Window, now: datetime) -> str:
        age = int((span.end - now).total_seconds()) or 1
        return f"{self.options.cookies.meter}={self.seals.meter.seal(meter)}; Path=/; Max-Age={age}{self.cookie_ends}"

    # --- readers ------------------------------------------------------------------------------------------------
    def passport_of(self, asked: Asked, now: datetime, told: Told) -> Passport | Needs | None:
        """The passport this request may be believed with; None for a visitor."""
        value = asked.passport if told.issued is None else told.issued
        if not value:
            return None
        passport = self.seals.passport.open(value, now)
        if passport is not None and not self.is_stale(passport.reader, passport.epoch, passport.session):
            return passport
        if told.issued is not None or not asked.session:
            # Without a session there is nobody to re-issue it for: a forged or left-over passport is worth nothing.
            return None
        if told.away:
            late = self.seals.passport.open(value, now, LATE)
            if late is not None and not self.is_stale(late.reader, late.epoch, late.session):
                return late  # it has only grown old: a payer reads on while the newsroom is away
        return Needs("passport", (asked.session,))

    def is_stale(self, reader: int, epoch: int, session: str) -> bool:
        """Whether a passport was issued before its reader's rights changed, or from a session that has ended."""
        return epoch < (self._epochs.get(reader) or 0) or bool(self._ended_sessions.get(session))

    def _reader(self, asked: Asked, held: Held, now: datetime, told: Told) -> Visit | Needs:
        passport = self.passport_of(asked, now, told)
        if isinstance(passport, Needs):
            return passport
        if passport is None:
            return self._visitor(asked, held, now)
        story, opens = held.story, COVERS[held.story.tier]
        rights = tuple([
            Right(product, instant(start), instant(end) if end is not None else None)
            for product, start, end in passport.rights
            if product in opens
        ])  # fmt: skip
        real = asked.is_read
        request = Request(Principal.STAFF if passport.staff else Principal.REGISTERED, rights, real_read=real)
        first = decide(self.policy, story, request, now)
        if story.tier is not _METERED or (first.body is _FULL and not first.counts):
            visit = Visit(request, self.window(now), now, None, passport)
            visit.decision = first
            return visit
        known = self.reads_of(passport.reader, now)
        if known is None and told.away:
            return Visit(request._replace(countable=False), self.window(now), now, None, passport)
        if known is None:
            return Needs("reads", (passport.reader,))
        span, reads = known
        used = in_section(reads, held.read) if self.policy.section_limits else 0
        request = request._replace(seen=stories_of(reads), section_used=used)
        return Visit(request, span, now, None, passport)

    def reads_of(self, reader: int, now: datetime, young: float = 1e9) -> tuple[Window, tuple[int, ...]] | None:
        """What is known of a reader's own meter, if it was learnt at most `young` seconds ago."""
        known = self._reads.get(reader)
        if known is None or not known[0].start <= now < known[0].end or (now - known[2]).total_seconds() > young:
            return None
        return known[0], known[1]

    def passport_cookie(self, value: str) -> str:
        """A Set-Cookie line that sets the passport, or takes it away when `value` is empty."""
        age = PASSPORT_COOKIE_AGE if value else 0
        return f"{self.options.cookies.passport}={value}; Path=/; Max-Age={age}{self.cookie_ends}"

    def _offered(self, asked: Asked, held: Held, told: Told) -> Answer | Needs:
        offered = self.lending.offered(asked, held, told)
        return offered if isinstance(offered, Needs) else self._with_grants(*offered)

    def _with_grants(self, answer: Answer, grants: Grants | None) -> Answer:
        if grants is not None:
            value = self.lending.cookie(grants)
            answer.add(
                "Set-Cookie", f"{self.options.cookies.grants}={value}; Path=/; Max-Age={COOKIE_AGE}{self.cookie_ends}"
            )
        return answer

    # --- visitors' meters ---------------------------------------------------------------------------------------
    def window(self, now: datetime, first_read: datetime | None = None) -> Window:
        """The meter's window; a calendar's is worked out once and kept until it ends."""
        running = self._running
        if running is None or not running.start <= now < running.end:
            running = window(self.policy, now, first_read)
            self._running = None if self.policy.window.startswith("rolling") else running
        return running

    def open_meter(self, cookie: str, now: datetime) -> tuple[Meter | None, Window]:
        """The meter a cookie holds, if it is ours and of the running window, and that window."""
        meter = self.seals.meter.open(cookie) if cookie else None
        if meter is None:
            return None, self.window(now)
        span = self._running
        if span is None or not span.start <= now < span.end:
            span = self.window(now, meter.first_read_at)
        if meter.window != span.name:
            if not carries_over(meter.window, self.policy, now):
                return None, span
            # The publisher changed the kind of window while this one runs: what was read in it still counts.
            meter = Meter(meter.id, span.name, meter.first_read, self.book.look(meter))
        return meter, span

    # --- everything but a story that is held --------------------------------------------------------------------
    def _elsewhere(self, asked: Asked, told: Told) -> Answer | Needs | None:
        if asked.path == b"/me.json":
            return self._me(asked, told)
        if self.ads and asked.path == RUNNING and asked.method in _READS:
            return self._ads_running.answer(asked, self.now())
        story = story_id(asked.path)
        if story is None:
            return front(self, asked, told)
        if asked.method not in _READS:
            return plain(405, extra=[("Allow", "GET, HEAD")])
        held = self.shelf.story(story)
        if held is None:
            return Needs("story", (story,))
        subject = held.story
        if subject.state is State.WITHDRAWN:
            gone = self.page_of(held, "gone", asked.encoding, PUBLIC, "withdrawn")
            return not_modified(Answer(*gone), asked.if_none_match) if gone else Needs("story", (story,))
        if subject.state is not _PUBLISHED:
            return None
        if asked.path != held.path and not asked.gift:  # a gift link leads to the clean address by itself
            return moved(held.path.decode())
        return self._story(asked, held, told)

    def _me(self, asked: Asked, told: Told) -> Answer | Needs:
        if asked.method not in _READS:
            return plain(405, extra=[("Allow", "GET, HEAD")])
        now = self.now()
        passport = self.passport_of(asked, now, told)
        if isinstance(passport, Needs):
            return passport
        reads: tuple[int, ...] = ()
        if passport is None:
            meter, _ = self.open_meter(asked.meter, now)
            reads = self.book.look(meter) if meter else ()
            code = self.recorder.of_meter(meter.id).hex() if meter else ""
        else:
            code = self.recorder.of_reader(passport.reader).hex()
            if not is_subscriber(passport, now) and not told.away:
                known = self.reads_of(passport.reader, now, YOUNG)
                if known is None:
                    return Needs("reads", (passport.reader,))
                reads = known[1]
        answer = personal_words(passport, len(reads), self.policy, code, now)
        if told.issued is not None:
            answer.add("Set-Cookie", self.passport_cookie(told.issued))
        return answer
