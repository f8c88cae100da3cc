"""Who may claim what, and how files of codes and statements are read. Pure; days are the publisher's."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from broadsheet.dates import day_start, local_date

NEVER = date(9999, 12, 31)
LONGEST_CODE = 200
MOST_PROBLEMS = 200
LINK_LIVES = timedelta(minutes=5)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def may_be_called(url: str) -> bool:
    """Whether an address is safe to send something private to: https, or this machine itself."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


# --- terms ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Agreement:
    """A right to partner titles that holds now. `plan` is "" where no plan stands behind it; `payer` is the reader who
    pays; `since` the instant the subscription began; `until` the end of the right as things stand, None when open."""

    name: str
    plan: str
    payer: int
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Terms:
    """An offer's terms, as models.Offer explains them."""

    kind: str
    plans: tuple[str, ...] = ()
    from_day: int = 1
    within_days: int = 0
    lasts_days: int = 0
    per: str = "reader"
    again: str = "same"
    most: int = 1
    grace_days: int = 0
    opens_at: datetime | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What a holder had before: how many claims, and how the last one ended ("" while it runs)."""

    claims: int = 0
    last_end: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is "" when it may be claimed by `agreement`; `day` is the day it opens, or was the last, if known."""

    reason: str
    agreement: Agreement | None = None
    day: date | None = None


REASONS = {
    "not_entitled": "Your plan does not include partner titles.",
    "plan": "This title comes with other plans than yours.",
    "not_open": "It cannot be claimed yet.",
    "closed": "It can no longer be claimed.",
    "too_soon": "It is yours a little later in your subscription.",
    "too_late": "The days in which it could be claimed are over.",
    "household": "Somebody in your household has claimed it. It is given once.",
    "never_again": "You had it once. It is given once.",
    "used_up": "You have had it as often as it is given.",
    "no_code": "All codes are given out. The newsroom has been told; please try again in a few days.",
    "revoked": "This was withdrawn. Please write to us.",
    "away": "This title cannot be claimed at the moment.",
}
"""Why not, as the reader reads it."""
_ORDER = ("too_soon", "too_late", "plan")


def holder(terms: Terms, reader_id: int, agreement: Agreement) -> str:
    """What an offer is given to once."""
    return f"payer:{agreement.payer}" if terms.per == "household" else f"reader:{reader_id}"


def covers(terms: Terms, agreement: Agreement) -> bool:
    """Whether a right is of a plan that an offer is for."""
    return not terms.plans or agreement.plan in terms.plans


def may_claim(terms: Terms, agreements: Sequence[Agreement], now: datetime, zone: ZoneInfo) -> Verdict:
    """Whether one of a reader's rights lets them claim now; else the reason of the one that comes closest."""
    if not agreements:
        return Verdict("not_entitled")
    if terms.opens_at is not None and now < terms.opens_at:
        return Verdict("not_open", day=local_date(terms.opens_at, zone))
    if terms.closes_at is not None and now >= terms.closes_at:
        return Verdict("closed", day=local_date(terms.closes_at, zone))
    found = [_in_days(terms, agreement, now, zone) for agreement in agreements]
    good = next((verdict for verdict in found if not verdict.reason), None)
    return good or min(found, key=lambda verdict: _ORDER.index(verdict.reason))


def _in_days(terms: Terms, agreement: Agreement, now: datetime, zone: ZoneInfo) -> Verdict:
    if not covers(terms, agreement):
        return Verdict("plan")
    today = local_date(now, zone)
    first = local_date(agreement.since, zone) + timedelta(days=terms.from_day - 1)
    if today < first:
        return Verdict("too_soon", day=first)
    if terms.within_days and today >= first + timedelta(days=terms.within_days):
        return Verdict("too_late", day=first + timedelta(days=terms.within_days - 1))
    return Verdict("", agreement)


def may_have_again(terms: Terms, past: Past) -> str:
    """Why a holder whose last claim ended gets none: "" when they do."""
    if past.claims == 0:
        return ""
    if past.last_end == "revoked":
        return "revoked"
    if terms.again == "never":
        return "never_again"
    if terms.again == "same":
        return "used_up" if past.last_end == "term_over" else ""
    return "used_up" if past.claims >= terms.most else ""


def claim_ends(terms: Terms, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant without it: so many whole days, that of the claim included. None: with the subscription."""
    if not terms.lasts_days:
        return None
    return day_start(local_date(now, zone) + timedelta(days=terms.lasts_days), zone)


@dataclass(frozen=True, slots=True)
class Review:
    """What becomes of a running claim: it ended for `end` at `at`, or goes on under `agreement` until somebody looks
    again at `check_at`. `losing_since`: since when it runs on grace alone."""

    end: str = ""
    at: datetime | None = None
    agreement: Agreement | None = None
    check_at: datetime | None = None
    losing_since: datetime | None = None


def review(
    terms: Terms,
    ends_at: datetime | None,
    losing_since: datetime | None,
    agreements: Sequence[Agreement],
    now: datetime,
) -> Review:
    """Look at a running claim. Rights of other plans than the offer's do not keep it."""
    if ends_at is not None and ends_at <= now:
        return Review("term_over", ends_at)
    held = [one for one in agreements if covers(terms, one)]
    if held:
        last = max(held, key=lambda one: (one.until is None, one.until or now))
        times = [one for one in (ends_at, last.until) if one is not None]
        return Review(agreement=last, check_at=min(times, default=now + timedelta(days=1)))
    since = losing_since or now
    over = since + timedelta(days=terms.grace_days)
    if over <= now:
        return Review("subscription_ended", over)
    return Review(check_at=min(over, ends_at) if ends_at else over, losing_since=since)


# --- files of codes ---------------------------------------------------------------------------------------------------
OUTCOMES = {
    "added": "Added",
    "blank": "Empty line",
    "twice": "Stands twice in this file",
    "known": "Is in stock already, or was given out",
    "expired": "Has expired",
    "bad_date": "The date cannot be read: write 2027-12-31",
    "bad_code": "Not a code: a control character, or longer than 200",
}


@dataclass(slots=True)
class Reading:
    """What reading a file came to, line by line: counts by outcome, and the first problems."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    problems: list[dict[str, object]] = field(default_factory=list)

    def note(self, line: int, outcome: str) -> None:
        self.counts[outcome] += 1
        if outcome not in ("added", "blank") and len(self.problems) < MOST_PROBLEMS:
            self.problems.append({"line": line, "reason": outcome, "words": OUTCOMES[outcome]})


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line of a file: a code and the last day on which it can be redeemed, or `problem`."""

    line: int
    code: str = ""
    expires_on: date = NEVER
    problem: str = ""


def code_lines(lines: Iterable[str], today: date) -> Iterator[CodeLine]:
    """A code a line, or CSV whose first line names a column `code` (and perhaps `expires`)."""
    columns: dict[str, int] | None = None
    for number, row in enumerate(_rows(lines), 1):
        cells = [cell.strip() for cell in row]
        if number == 1:
            cells = [cells[0].removeprefix("\ufeff").strip(), *cells[1:]] if cells else cells
            names = [cell.lower() for cell in cells]
            if "code" in names:
                columns = {name: place for place, name in enumerate(names)}
                continue
        if not any(cells):
            yield CodeLine(number, problem="blank")
            continue
        yield _code_line(number, cells, columns, today)


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """CSV by comma or semicolon. A line of text without either is its own row, quotes and all."""
    for line in lines:
        text = line.rstrip("\r\n")
        delimiter = ";" if text.count(";") > text.count(",") else ","
        yield next(csv.reader([text.replace("\0", "\1")], delimiter=delimiter), [])


def _code_line(number: int, cells: list[str], columns: dict[str, int] | None, today: date) -> CodeLine:
    where = columns or {"code": 0, "expires": 1}
    code = _cell(cells, where.get("code"))
    if not code:
        return CodeLine(number, problem="blank")
    if len(code) > LONGEST_CODE or any(not char.isprintable() for char in code):
        return CodeLine(number, problem="bad_code")
    text = next((_cell(cells, where[name]) for name in ("expires", "expires_on", "expiry") if name in where), "")
    try:
        expires = date.fromisoformat(text) if text else NEVER
    except ValueError:
        return CodeLine(number, code, problem="bad_date")
    return CodeLine(number, code, expires, "expired" if expires < today else "")


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def parts_of(text: str) -> tuple[tuple[str, str], ...]:
    """The products of an offer: `Name | what it is` a line each."""
    pairs = (line.partition("|") for line in text.splitlines() if line.strip())
    return tuple((name.strip(), words.strip()) for name, _, words in pairs)


# --- statements -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Said:
    """What a partner's file says of one reader: by our `subject` or by their `code`, and whether it runs there."""

    line: int
    subject: str
    code: str
    active: bool
    problem: str = ""


_YES = frozenset({"active", "redeemed", "live", "yes", "true", "1"})
_NO = frozenset({"inactive", "ended", "lapsed", "cancelled", "canceled", "unredeemed", "revoked", "no", "false", "0"})


def statement(lines: Iterable[str]) -> Iterator[Said]:
    """CSV with the columns `subject` or `code`, and `status`. ValueError when the first line names none of them."""
    columns: dict[str, int] = {}
    for number, row in enumerate(_rows(lines), 1):
        cells = [cell.strip() for cell in row]
        if number == 1:
            columns = {cell.removeprefix("\ufeff").lower(): place for place, cell in enumerate(cells)}
            if "status" not in columns or not {"subject", "code"} & set(columns):
                raise ValueError("The first line must name the columns: subject or code, and status.")
            continue
        if not any(cells):
            continue
        subject, code = (_cell(cells, columns.get(name)) for name in ("subject", "code"))
        status = _cell(cells, columns["status"]).lower()
        problem = "" if subject or code else "no_name"
        if not problem and status not in _YES | _NO:
            problem = "bad_status"
        yield Said(number, subject, code, status in _YES, problem)


DIFFERENCES = {
    "no_name": "The line names neither a subject nor a code",
    "bad_status": "The status is neither active nor inactive",
    "twice": "Stands twice in the file",
    "unknown": "We know no such subject or code",
    "other_partner": "The subject or code is not of this partner",
    "never_given": "The code runs there, and we never gave it out",
    "runs_there": "Runs there, and ended here",
    "ended_there": "Runs here, and ended there",
    "missing_there": "Runs here, and the file does not name it",
}
"""What a reconciliation finds, and how it says it."""


def compare(*, given: bool, running: bool, said: bool) -> str:
    """The difference between what we know and what the file says of one reader; "" for none."""
    if not given:
        return "never_given" if said else ""
    if said and not running:
        return "runs_there"
    if running and not said:
        return "ended_there"
    return ""
