"""One line of somebody else's subscriber base, read into a value or refused with its reason. Pure but for the file.

The file is CSV in UTF-8 (with or without a byte order mark), fields parted by `,` or `;` or a tab, one subscriber a
line. docs/billing-desk.md has the columns.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

from broadsheet.dates import add_months
from broadsheet.money import is_currency
from broadsheet.payments.places import clean_gstin, clean_pin, state_named
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.policies import Policies

NEEDED = ("email", "plan", "started", "paid_until")
COLUMNS = (
    *NEEDED, "name", "status", "price_minor", "currency", "quantity", "country", "state", "pin", "gstin",
    "organisation", "address", "provider", "mandate_ref", "rail", "mandate_max_minor", "external_ref", "coupon",
    "coupon_left",
)  # fmt: skip
# What a file of refused lines has besides: it may be put right and read again as it is.
REFUSED = ("refused_line", "refused_reason", "refused_detail")
STATUSES = ("active", "trialing", "past_due", "canceled", "cancelled", "expired")
RAILS = ("card", "upi")
BY_HAND, EXTERNAL = "manual", "external"
LONGEST = {
    "name": 120, "organisation": 160, "address": 300, "mandate_ref": 120, "external_ref": 120, "state": 60,
    "country": 2,
}  # fmt: skip
MOST = 10**12
FIRST_DAY = date(1900, 1, 1)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EMAIL = re.compile(r"[^@\s\"'<>,;()]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK": "a spreadsheet"}


class BadFileError(Exception):
    """The file as a whole cannot be read; nothing was done."""


class BadRowError(Exception):
    """One line cannot be taken: `reason` is a word, `detail` says what stood there."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Raw:
    """A line as it stands in the file; `cells` by column. `fault` is why it could not even be taken apart."""

    line: int
    cells: Mapping[str, str]
    fault: BadRowError | None = None


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a line is held against. `currency` is that of the plan's newest price, empty when it has none."""

    id: int
    months: int
    min_quantity: int
    max_quantity: int
    currency: str


@dataclass(frozen=True, slots=True)
class World:
    """What the publisher sells and who collects here, on the day of the import. `coupons`: (id, whether for good)."""

    today: date
    plans: Mapping[str, PlanFacts]
    coupons: Mapping[str, tuple[int, bool]]
    providers: frozenset[str]
    policies: Policies


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A good line. `status` is the one it gets here; `schedule` is where it stands; `since` is the day it is unpaid
    since. `price_minor` None: what the plan cost on the day they began, 0: nothing is charged, ever."""

    line: int
    key: str
    email: str
    name: str
    plan: PlanFacts
    status: str
    started: date
    schedule: rules.Schedule
    since: date | None
    cancelled: bool
    price_minor: int | None
    currency: str
    quantity: int
    profile: Mapping[str, str]
    collection: str
    provider: str
    mandate_ref: str
    rail: str
    mandate_max_minor: int | None
    coupon_id: int | None
    coupon_left: int | None

    @property
    def live(self) -> bool:
        return self.status in rules.LIVE


@contextmanager
def opened(path: Path) -> Iterator[tuple[Sequence[str], Iterator[Raw]]]:
    """The file's columns and its lines, streamed. BadFileError when its heading makes no sense."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadFileError(f"{path}: {error.strerror}.") from None
    with file:
        head = file.read(2)
        if head in _MARKS:
            raise BadFileError(f"{path} is {_MARKS[head]}, not CSV in UTF-8: save it as “CSV UTF-8”.")
        file.seek(0)
        # What is not UTF-8 is found line by line: one bad letter must not cost the whole file.
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=None)
        heading = text.readline()
        parted = max(",;\t", key=heading.count)
        columns = _columns(path, heading, parted)
        yield columns, _lines(text, columns, parted)


def _columns(path: Path, heading: str, parted: str) -> list[str]:
    names = [
        name.strip().lower().replace(" ", "_")
        for name in next(csv.reader([heading.rstrip("\n")], delimiter=parted), [])
    ]
    missing = [name for name in NEEDED if name not in names]
    strange = [name for name in names if name not in COLUMNS + REFUSED]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing or strange or twice:
        wrong = [
            f"no column {', '.join(missing)}" if missing else "",
            f"unknown: {', '.join(repr(name) for name in strange)}" if strange else "",
            f"twice: {', '.join(twice)}" if twice else "",
        ]
        raise BadFileError(f"{path}: its first line is no heading ({'; '.join(one for one in wrong if one)}).")
    return names


def _lines(text: io.TextIOWrapper, columns: Sequence[str], parted: str) -> Iterator[Raw]:
    """No field of ours holds a line break, so every line stands for itself: a quote that is never closed spoils one
    subscriber, not the rest of the file."""
    for number, line in enumerate(text, start=2):
        bare = line.rstrip("\r\n")
        if not bare.strip(f"{parted} \t"):
            continue
        try:
            cells = next(csv.reader([bare], delimiter=parted, strict=True), [])
        except csv.Error as error:
            yield Raw(number, {"email": _shown(bare)}, BadRowError("quotes", str(error)))
            continue
        given = {name: _shown(cell.strip()) for name, cell in zip(columns, cells, strict=False)}
        fault = None
        if not _is_text(bare):
            fault = BadRowError("not_utf8", "a letter that is not UTF-8")
        elif len(cells) != len(columns):
            fault = BadRowError("columns", f"{len(cells)} fields, the heading has {len(columns)}")
        yield Raw(number, given, fault)


def _is_text(line: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in line) and "\x00" not in line


def _shown(cell: str) -> str:
    return (
        cell if _is_text(cell) else cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "")
    )


def read(raw: Raw, world: World) -> Subscriber:
    """A line as a subscriber. BadRowError for the first thing that is wrong with it."""
    if raw.fault is not None:
        raise raw.fault
    cell = {name: raw.cells.get(name, "") for name in COLUMNS}
    for name in NEEDED:
        if not cell[name]:
            _bad("missing", name)
    for name, most in LONGEST.items():
        if len(cell[name]) > most:
            _bad("too_long", f"{name} has more than {most} letters")
    email = _email(cell["email"])
    plan = world.plans.get(cell["plan"]) or _bad("plan_unknown", cell["plan"])
    started, until = _date("started", cell["started"]), _date("paid_until", cell["paid_until"])
    if started >= until:
        _bad("dates", f"paid until {until}, begun {started}")
    if started > world.today:
        _bad("dates", f"begins on {started}")
    status, cancelled = _status(cell["status"], until, world)
    price, currency = _price(cell, plan)
    collection = _collection(cell, world, charged=price != 0 and not cancelled and status in rules.LIVE)
    coupon_id, left = _coupon(cell, world)
    return Subscriber(
        line=raw.line,
        key=cell["external_ref"] or _key(email, cell["plan"], started),
        email=email,
        name=cell["name"],
        plan=plan,
        status=status,
        started=started,
        schedule=standing(started, until, plan.months, trial=status == "trialing"),
        since=until if status in ("past_due", "suspended") else None,
        cancelled=cancelled,
        price_minor=price,
        currency=currency,
        quantity=_quantity(cell["quantity"], plan),
        profile=_profile(cell),
        collection=collection,
        provider=cell["provider"] if collection == "automatic" else "",
        mandate_ref=cell["mandate_ref"] if collection == "automatic" else "",
        rail=cell["rail"].lower() or "card",
        mandate_max_minor=_number("mandate_max_minor", cell["mandate_max_minor"], least=1),
        coupon_id=coupon_id,
        coupon_left=left,
    )


def standing(started: date, until: date, months: int, *, trial: bool) -> rules.Schedule:
    """Where an imported subscription stands. The anchor is the day it began when counting from there leads to the day
    it is paid until; else that day itself. The first renewal is on `until` either way."""
    if trial:
        return rules.Schedule(until, 1, 0, started, until)
    count = ((until.year - started.year) * 12 + until.month - started.month) // months
    for index in (count, count + 1):
        if index > 0 and rules.boundary(started, months, index) == until:
            return rules.Schedule(started, 1, index, rules.boundary(started, months, index - 1), until)
    return rules.Schedule(until, 2, 1, max(started, add_months(until, -months)), until)


def _bad(reason: str, detail: str = "") -> NoReturn:
    raise BadRowError(reason, detail[:200])


def _key(email: str, plan: str, started: date) -> str:
    """The name of a line that has none of its own: read twice, it is there once."""
    said = f"{email}|{plan}|{started.isoformat()}".encode()
    return f"import:{hashlib.blake2b(said, digest_size=16).hexdigest()}"


def _email(text: str) -> str:
    email = text.lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email) or ".." in email.partition("@")[0]:  # noqa: PLR2004 - RFC 5321
        _bad("email", text)
    return email


def _date(name: str, text: str) -> date:
    """ISO alone: 04/05/2027 is two different days, and nobody can tell which was meant."""
    if not _DAY.fullmatch(text):
        _bad("date", f"{name} {text}: write it as 2027-04-10")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        _bad("date", f"{name} {text}: there is no such day")
    if day < FIRST_DAY:
        _bad("date", f"{name} {text} lies too far back")
    return day


def _number(name: str, text: str, *, least: int = 0) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not least <= int(text[:20]) <= MOST:
        _bad("amount", f"{name} {text}: a whole number of minor units, such as 90000 for ₹900")
    return int(text)


def _status(text: str, until: date, world: World) -> tuple[str, bool]:
    """The status it gets here, and whether it is cancelled for the end of what is paid."""
    said = text.lower() or "active"
    if said not in STATUSES:
        _bad("status_unknown", text)
    ahead = until > world.today
    if said in ("canceled", "cancelled", "expired"):
        over = "expired" if said == "expired" else "canceled"
        return ("active", True) if ahead else (over, False)
    if said == "past_due":
        if ahead:
            _bad("dates", f"past_due, and paid until {until}")
        ends = rules.dunning_ends(until, world.policies)
        if ends is not None and ends <= world.today:
            _bad("overdue_too_long", f"unpaid since {until}: write canceled")
        return ("past_due" if rules.access_ends(until, world.policies) > world.today else "suspended"), False
    if not ahead:
        _bad("paid_until_past", f"{said}, and paid until {until}: write past_due or canceled")
    if said == "trialing" and until > world.today + timedelta(days=366):
        _bad("dates", f"a trial until {until}")
    return said, False


def _price(cell: Mapping[str, str], plan: PlanFacts) -> tuple[int | None, str]:
    if not plan.currency:
        _bad("plan_unpriced", "give the plan a price first: what somebody paid before must not become its price")
    currency = cell["currency"].upper() or plan.currency
    if not is_currency(currency):
        _bad("currency", cell["currency"])
    price = _number("price_minor", cell["price_minor"])
    if price is None and currency != plan.currency:
        _bad("currency", f"the plan is sold in {plan.currency}: name a price in {currency}")
    return price, currency


def _quantity(text: str, plan: PlanFacts) -> int:
    if not text:
        return plan.min_quantity
    if not (text.isascii() and text.isdigit() and len(text) < 8) or not (  # noqa: PLR2004 - ten million seats
        plan.min_quantity <= int(text) <= plan.max_quantity
    ):
        _bad("quantity", f"{text}: the plan has {plan.min_quantity} to {plan.max_quantity} seats")
    return int(text)


def _profile(cell: Mapping[str, str]) -> dict[str, str]:
    """Whom invoices name; empty when the line says nothing about it."""
    country = cell["country"].upper() or "IN"
    if not (len(country) == 2 and country.isascii() and country.isalpha()):  # noqa: PLR2004 - ISO 3166
        _bad("country", cell["country"])
    state, pin, gstin = cell["state"], cell["pin"], cell["gstin"]
    if country == "IN":
        if state:
            state = state_named(state) or _bad("state_unknown", cell["state"])
        try:
            pin = clean_pin(pin) if pin else ""
        except ValueError:
            _bad("pin", cell["pin"])
        try:
            gstin = clean_gstin(gstin, state) if gstin else ""
        except ValueError as error:
            _bad("gstin", f"{cell['gstin']}: {error}")
    elif gstin:
        _bad("gstin", f"{gstin}: a firm of {country} has none")
    elif len(pin) > 12:  # noqa: PLR2004 - the column's
        _bad("pin", pin)
    said = {
        "state": state,
        "pin": pin,
        "gstin": gstin,
        "organisation": cell["organisation"],
        "address": cell["address"],
    }
    if not any(said.values()) and country == "IN":
        return {}
    return {"name": cell["name"], "country": country, **said}


def _collection(cell: Mapping[str, str], world: World, *, charged: bool) -> str:
    """How later periods are paid. Who has cancelled, or pays nothing, is asked for no mandate."""
    provider, ref, rail = cell["provider"].lower(), cell["mandate_ref"], cell["rail"].lower()
    if rail and rail not in RAILS:
        _bad("rail_unknown", cell["rail"])
    if provider in ("", BY_HAND, EXTERNAL):
        if ref:
            _bad("mandate_incomplete", f"{ref}: whose mandate is it? Name the provider")
        return EXTERNAL if provider == EXTERNAL else "send_invoice"
    if provider not in world.providers:
        _bad("provider_unknown", cell["provider"])
    if not ref:
        _bad("mandate_incomplete", f"{provider} without a mandate_ref")
    return "automatic" if charged else "send_invoice"


def _coupon(cell: Mapping[str, str], world: World) -> tuple[int | None, int | None]:
    if not cell["coupon"]:
        return None, None
    known = world.coupons.get(cell["coupon"].casefold()) or _bad("coupon_unknown", cell["coupon"])
    number, for_good = known
    if for_good:
        return number, None
    left = cell["coupon_left"]
    if not (left.isascii() and left.isdigit() and len(left) < 4):  # noqa: PLR2004 - a thousand periods
        _bad("coupon_left", f"{cell['coupon']} holds for some periods: say how many are left in coupon_left")
    return number, int(left)
