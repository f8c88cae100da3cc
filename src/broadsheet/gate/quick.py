"""The short road: a story that lies in memory, from the Cookie header to what is written, in one go.

What a visitor gets of a metered story follows from how many stories their meter holds and from whether this is one of
them; what a reader with a live right gets follows from that right; what is open to all is the same for all. So
`decide()` is asked once for each such case of a story, and what comes of it is kept as a row: head, bytes, and what is
recorded. A row goes with its story's sheets and with the policy. Whatever is not as plain takes the general road
(app.py). It answers the same, and tests/gate/test_quick.py holds the two to each other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from broadsheet.access.book import Taken
from broadsheet.access.meter import STORY, Meter, new_meter, padded
from broadsheet.access.rules import (
    Body,
    Cache,
    Decision,
    Policy,
    Principal,
    Request,
    Right,
    Tier,
    decide,
)
from broadsheet.ads.rules import AD_FREE
from broadsheet.gate.ads import holds_ad_free
from broadsheet.gate.answers import PRIVATE, PUBLIC
from broadsheet.gate.app import Gate
from broadsheet.gate.asked import ENCODINGS, read_cookies
from broadsheet.gate.dress import wall_sheet
from broadsheet.gate.shelf import Held
from broadsheet.gate.visit import instant, packed
from broadsheet.press.store import ADS

_NEVER = datetime.min.replace(tzinfo=UTC)
_METERED = Tier.METERED
_WITH_ADS = -2  # cases of a reader with a live right are below zero, and below this one without advertising
_new = tuple.__new__  # a named tuple's own constructor is a Python function: a call more at every read


class Row(NamedTuple):
    """One case of one story: whether it counts a read and under which limit, whether something lent could change it,
    the head and the body to be sent, the facts to be recorded."""

    counts: bool
    limit: int
    may_be_lent: bool
    head: bytes
    body: bytes
    facts: bytes


Written = tuple[bytes, bytes, bytes]
"""The head but for Date, the line that sets a cookie, and the body."""


class Counting(NamedTuple):
    """A read that a book on another machine is still to count, as `take_later` is asked; and for whom."""

    held: Held
    case: int
    row: Row
    meter: Meter
    network: bytes | None
    now: datetime


class ShortRoad:
    """`page` answers; `at` is an instant in Unix seconds, the same for all requests of one turn of the event loop."""

    def __init__(self, gate: Gate) -> None:
        cookies = gate.options.cookies
        self._gate = gate
        self._names = cookies
        self._meter, self._passport = f"{cookies.meter}=", f"{cookies.passport}="
        self._meter_size, self._passport_size = len(self._meter), len(self._passport)
        self._line = f"Set-Cookie: {self._meter}".encode()
        self._read, self._write = gate.seals.meter.read, gate.seals.meter.write
        self._read_passport = gate.seals.passport.read
        self._ads = gate.options.ads
        self._tick = -1.0
        self._policy: Policy | None = None
        self._now = self._start = self._end = _NEVER  # the second for which the end of the cookie's line is rendered
        self._at = 0.0
        self._window, self._padded, self._rest = "", b"", b""

    def page(self, held: Held, cookies: str, encoding: int, address: str, tick: float) -> Written | Counting | None:
        """What is sent to whoever navigates to this story; None for the general road. `cookies`: the Cookie header,
        `encoding`: a place in ENCODINGS, `tick`: the event loop's time."""
        if tick != self._tick or self._policy is not self._gate.policy:
            self._turn(tick)
        if held.rows_of is not self._policy:
            held.rows, held.rows_of = {}, self._policy
        if not cookies:
            meter = session = grants = ""
        elif cookies[: self._meter_size] == self._meter and ";" not in cookies:
            meter = cookies[self._meter_size :]
            session = grants = ""
        elif cookies[: self._passport_size] == self._passport and ";" not in cookies:
            return self._reader(held, cookies[self._passport_size :], encoding)
        else:
            passport, meter, session, grants = read_cookies(cookies, self._names)
            if passport:
                return self._reader(held, passport, encoding)
        if held.story[1] is not _METERED:
            return None if session or grants else self._anybody(held, encoding)
        return self._visitor(held, meter, bool(grants), encoding, address)

    def _visitor(self, held: Held, cookie: str, grants: bool, encoding: int, address: str) -> Written | Counting | None:
        gate = self._gate
        if not self._padded:
            return None
        if cookie:
            found = self._read(cookie)
            if found is None or found[2] != self._padded:
                return None  # of another window, or no meter of ours
            meter_id, first_read, reads = found[1], found[3], found[4:]
            case, story = len(reads) << 2 | encoding, held.story[0]
            for read in reads:
                if read & STORY == story:
                    case |= 2
                    break
        else:
            meter_id, first_read, reads = b"", 0, ()
            case = encoding
        row = held.rows.get(case) or self._visitors_row(held, case, reads)
        if row is None:
            return None
        counts, limit, may_be_lent, head, body, facts = row
        if may_be_lent and (grants or gate.lending.lends_something):
            return None
        line = b""
        if counts:
            if not meter_id:
                meter_id, _, first_read, _ = new_meter(self._window, self._now)
            book = gate.book
            meter = _new(Meter, (meter_id, self._window, first_read, reads))
            network = packed(address) if book.wants_networks else None
            taken = book.take(meter, held.read, limit, None, network, self._now)
            if taken is None:
                return Counting(held, case, row, meter, network, self._now)
            if taken[0] != "ok":
                return None
            line = self._line + self._write(meter_id, self._padded, first_read, taken[1]) + self._rest
        recorder = gate.recorder
        recorder.put(self._at, recorder.of_meter(meter_id) if meter_id else recorder.nobody, facts)
        return head, line, body

    def counted(self, counting: Counting, taken: Taken, tick: float) -> Written | None:
        """What is sent when the book has answered, if all is as it was when it was asked; None for the general road."""
        gate, (held, case, row, meter, _, _) = self._gate, counting
        if tick != self._tick:
            self._turn(tick)
        as_it_was = held.rows.get(case) is row and held.rows_of is gate.policy and gate.shelf.at(held.path) is held
        if taken[0] != "ok" or not as_it_was or meter[1] != self._window or gate.lending.lends_something:
            return None
        gate.recorder.put(self._at, gate.recorder.of_meter(meter[0]), row[5])
        return row[3], self._line + self._write(meter[0], self._padded, meter[2], taken[1]) + self._rest, row[4]

    def _reader(self, held: Held, cookie: str, encoding: int) -> Written | None:
        gate, at = self._gate, self._at
        found = self._read_passport(cookie, at)
        if found is None:
            return None
        reader, epoch, staff, session, products, *times = found
        if staff or gate.is_stale(reader, epoch, session):
            return None
        opens = held.opens
        for product in products.split(","):
            start, end, *times = times or (0, 0)
            if product in opens and start <= at and (at < end or end < 0):
                break
        else:
            return None
        case = ~encoding
        if self._ads and AD_FREE in products and holds_ad_free(products, found[5:], at):
            case -= 2  # the page without advertising
        row = held.rows.get(case) or self._entitled_row(held, case, product)
        if row is None:
            return None
        recorder = gate.recorder
        recorder.put(at, recorder.of_reader(reader), row[5])
        return row[3], b"", row[4]

    def _anybody(self, held: Held, encoding: int) -> Written | None:
        row = held.rows.get(encoding) or self._open_row(held, encoding)
        return row and (row[3], b"", row[4])

    def _turn(self, tick: float) -> None:
        """Note the time, and once a second how long a meter's cookie set now is kept."""
        gate, policy = self._gate, self._gate.policy
        self._tick, self._now = tick, gate.now()
        self._at = self._now.timestamp()
        if self._start <= self._now < self._end and self._policy is policy:
            return
        self._policy = policy
        self._start = self._now.replace(microsecond=0)
        self._end = self._start + timedelta(seconds=1)
        self._padded = b""  # no meter takes this road: each has a window of its own, or there is more to know of it
        if not (policy.window.startswith("rolling") or policy.section_limits or policy.mode == "strict"):
            span = gate.window(self._now)
            self._end = min(self._end, span.end)
            self._window, self._padded = span.name, padded(span.name)
            age = int((span.end - self._end).total_seconds()) or 1
            self._rest = f"; Path=/; Max-Age={age}{gate.cookie_ends}\r\n".encode()

    # --- rows -------------------------------------------------------------------------------------------------------
    def _visitors_row(self, held: Held, case: int, reads: tuple[int, ...]) -> Row | None:
        story, policy = held.story, self._gate.policy
        request = Request(seen=frozenset([read & STORY for read in reads]))
        decision = decide(policy, story, request, self._now)
        return self._row(held, case, request, decision, PRIVATE) if decision.cache is Cache.PRIVATE else None

    def _open_row(self, held: Held, case: int) -> Row | None:
        """The row of a page that everybody may read, shared caches too."""
        if held.facts is None:
            return None
        request = Request()
        decision = decide(self._gate.policy, held.story, request, self._now)
        is_open = decision.body is Body.FULL and decision.cache is Cache.PUBLIC
        return self._row(held, case, request, decision, PUBLIC) if is_open else None

    def _entitled_row(self, held: Held, case: int, product: str) -> Row | None:
        story, policy = held.story, self._gate.policy
        request = Request(Principal.REGISTERED, (Right(product, instant(0), None),))
        decision = decide(policy, story, request, self._now)
        return self._row(held, case, request, decision, PRIVATE) if decision.reason == "entitled" else None

    def _row(self, held: Held, case: int, request: Request, decision: Decision, cache: str) -> Row | None:
        gate, full = self._gate, decision.body is Body.FULL
        name = "full" if full else wall_sheet(decision, signed_in=False, probe=False)
        if self._ads and case >= _WITH_ADS:
            name = ADS + name
        found = gate.page_of(held, name, ENCODINGS[(case if case >= 0 else ~case) & 1], cache, decision.reason)
        if found is None:
            return None
        facts = gate.recorder.facts(self._at, held.story, request, decision, gate.policy.revision)
        row = Row(decision.counts, decision.limit, decision.counts or not full, found[0].wire, found[1], facts)
        held.rows[case] = row
        return row
