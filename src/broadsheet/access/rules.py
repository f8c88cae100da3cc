"""The one access decision: pure, total, denies unless a rule permits, and says which rule.

The gate, search, feeds and the support screen all call `decide()`. Its table is data: tests/vectors/access.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from broadsheet.dates import month_window, week_window


class Tier(StrEnum):
    FREE = "free"
    METERED = "metered"
    REGISTERED = "registered"
    PREMIUM = "premium"


TIER_NAMES = tuple(tier.value for tier in Tier)


class State(StrEnum):
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    LEGAL = "legal"
    UNPUBLISHED = "unpublished"


class Principal(StrEnum):
    VISITOR = "visitor"
    REGISTERED = "registered"
    STAFF = "staff"


class Surface(StrEnum):
    PAGE = "page"
    OTHER = "other"  # feed, search, API, letter: anything that is not the story's own page


class Body(StrEnum):
    FULL = "full"
    WALL = "wall"
    NONE = "none"


class Wall(StrEnum):
    """Which wall the reader meets: it names what would open the story."""

    LIMIT = "limit"
    REGISTER = "register"
    SUBSCRIBE = "subscribe"


class Cache(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


COVERS: Mapping[Tier, frozenset[str]] = {
    Tier.FREE: frozenset(),
    Tier.METERED: frozenset({"unlimited"}),
    Tier.REGISTERED: frozenset({"unlimited"}),
    Tier.PREMIUM: frozenset({"premium"}),
}
"""The products that open a tier without the meter."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the publisher decided. Limits are stories per window; 0 is allowed and walls every metered story.

    `section_limits`: a ceiling for a section (by slug) inside the one meter. `emergency`: the whole paper is free.
    `revision`: which decision of the publisher this is; 0 is what the options say.
    """

    free_limit: int = 5
    registered_limit: int = 10
    window: str = "month"  # month | week | rolling:N
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Kolkata"))
    mode: str = "soft"  # soft | strict | login
    section_limits: Mapping[str, int] = field(default_factory=dict)
    emergency: bool = False
    revision: int = 0


def policy_of(options: Any) -> Policy:
    """The policy in the publisher's options (server.options)."""
    return Policy(
        free_limit=options.free_limit,
        registered_limit=options.registered_limit,
        window=options.meter_window,
        zone=options.zone,
        mode=options.meter_mode,
        section_limits=options.section_limits,
    )


def policy_values(policy: Policy) -> dict[str, Any]:
    """A policy as JSON values; `policy_from` reads it again."""
    values = {name: getattr(policy, name) for name in Policy.__slots__}
    return {**values, "zone": policy.zone.key, "section_limits": dict(policy.section_limits)}


def policy_from(values: Mapping[str, Any]) -> Policy:
    """The policy in JSON values that `policy_values` made. TypeError, KeyError or ValueError when they are not."""
    return Policy(**{**values, "zone": ZoneInfo(values["zone"])})


class Story(NamedTuple):
    """What the decision may know of a story. The body is not among it."""

    id: int
    tier: Tier
    state: State
    emergency_free: bool = False
    section: str = ""


class Right(NamedTuple):
    """A product over `[start, end)`; `end` None is open."""

    product: str
    start: datetime
    end: datetime | None


_NOTHING: frozenset[int] = frozenset()
_NO_PRODUCTS: frozenset[str] = frozenset()


class Request(NamedTuple):
    """Facts already verified. `seen`: stories read in this window; `used`: how many the meter or the server counted;
    `section_used`: how many of them in this story's section.

    `real_read`: a GET that a person navigated to, whose count could be kept; HEAD, prefetch and the like are not.
    `seat`: products that an institution's seat lends; `gift`: this browser holds a gift of this very story.
    `may_begin`: a visitor without a meter may be given one (the network's budget of new meters is not used up).
    `countable`: the store that counts can be reached.
    """

    principal: Principal = Principal.VISITOR
    rights: tuple[Right, ...] = ()
    seen: frozenset[int] = _NOTHING
    used: int = 0
    real_read: bool = True
    surface: Surface = Surface.PAGE
    section_used: int = 0
    seat: frozenset[str] = _NO_PRODUCTS
    gift: bool = False
    may_begin: bool = True
    countable: bool = True


class Decision(NamedTuple):
    """`counts`: the read must be counted before the first byte is sent. `limit` and `used` speak of the meter."""

    body: Body
    status: int
    reason: str
    cache: Cache
    wall: Wall | None = None
    counts: bool = False
    limit: int = 0
    used: int = 0


# A member of an enumeration costs 0.1 us to look up on its class (Python 3.11), a name of the module almost nothing.
_PUBLISHED = State.PUBLISHED
_FREE_TIER = Tier.FREE
_METERED_TIER = Tier.METERED
_PREMIUM_TIER = Tier.PREMIUM
_REGISTERED_TIER = Tier.REGISTERED
_BY_STAFF = Principal.STAFF
_VISITOR = Principal.VISITOR
_PAGE = Surface.PAGE
_FULL = Body.FULL
_WALL = Body.WALL
_new = tuple.__new__  # a named tuple's own constructor is a Python function: a call more at every decision
_PRIVATE = Cache.PRIVATE
_LIMIT_WALL = Wall.LIMIT


def decide(policy: Policy, story: Story | None, request: Request, now: datetime) -> Decision:
    """First rule that matches wins; the last one denies. `story` None is a story that does not exist."""
    if story is None or story.state is not _PUBLISHED:
        return _absent(story)
    tier = story.tier
    if policy.emergency or story.emergency_free:
        return _EMERGENCY
    if tier is _FREE_TIER:
        return _FREE
    if request.principal is _BY_STAFF:
        return _STAFF
    if request.rights and _entitled(tier, request.rights, now):
        return _ENTITLED
    if request.seat and not request.seat.isdisjoint(COVERS[tier]):
        return _INSTITUTION
    if request.gift and request.surface is _PAGE:
        return _GIFT
    if tier is _METERED_TIER:
        return _metered(policy, story, request)
    if tier is _PREMIUM_TIER:
        return _PREMIUM
    if tier is _REGISTERED_TIER:
        return _registered(request)
    return _DENIED


def decide_benefit(product: str, request: Request, now: datetime) -> Decision:
    """As `decide()`, for what is not a story but what a product opens: an edition's pages, a search through old years.

    No meter, gift or emergency opens it. The wall is private: whether it is met depends on who asks.
    """
    if request.principal is _BY_STAFF:
        return _STAFF
    for held, start, end in request.rights:
        if held == product and start <= now and (end is None or now < end):
            return _ENTITLED
    if product in request.seat:
        return _INSTITUTION
    return _BENEFIT


def _absent(story: Story | None) -> Decision:
    if story is not None and story.state is State.WITHDRAWN:
        return _none(410, "withdrawn")
    if story is not None and story.state is State.LEGAL:
        return _none(451, "legal")
    return _none(404, "unknown")


def _entitled(tier: Tier, rights: tuple[Right, ...], now: datetime) -> bool:
    for product, start, end in rights:
        if product in COVERS[tier] and start <= now and (end is None or now < end):
            return True
    return False


def _registered(request: Request) -> Decision:
    if request.principal is _VISITOR:
        return _REGISTER
    if request.surface is not _PAGE:
        return _wall("surface", Wall.REGISTER, Cache.PUBLIC)
    return _REGISTERED


def _metered(policy: Policy, story: Story, request: Request) -> Decision:
    if request.surface is not _PAGE:
        return _wall("surface", _LIMIT_WALL, Cache.PUBLIC)
    visitor = request.principal is _VISITOR
    if visitor and policy.mode == "login":
        return _LOGIN
    limit = policy.free_limit if visitor else policy.registered_limit
    seen = request.seen
    used = max(len(seen), request.used)
    if story.id in seen:
        return _new(Decision, (_FULL, 200, "repeat", _PRIVATE, None, False, limit, used))
    if used >= limit:
        return _new(Decision, (_WALL, 200, "limit", _PRIVATE, _LIMIT_WALL, False, limit, used))
    if policy.section_limits and request.section_used >= policy.section_limits.get(story.section, limit):
        return _wall("section_limit", _LIMIT_WALL, _PRIVATE, limit, used)
    if not request.real_read:
        return _wall("not_a_read", _LIMIT_WALL, _PRIVATE, limit, used)
    if not request.countable:
        return _wall("meter_away", Wall.REGISTER if visitor else _LIMIT_WALL, _PRIVATE, limit, used)
    if visitor and not request.may_begin:
        return _wall("budget", Wall.REGISTER, _PRIVATE, limit, used)
    return _new(Decision, (_FULL, 200, "meter", _PRIVATE, None, True, limit, used))


def _wall(reason: str, wall: Wall, cache: Cache, limit: int = 0, used: int = 0) -> Decision:
    return Decision(Body.WALL, 200, reason, cache, wall, counts=False, limit=limit, used=used)


def _none(status: int, reason: str) -> Decision:
    return Decision(Body.NONE, status, reason, Cache.PUBLIC)


# Decisions that hold nothing of the request are made once.
_EMERGENCY = Decision(_FULL, 200, "emergency", Cache.PUBLIC)
_FREE = Decision(_FULL, 200, "free", Cache.PUBLIC)
_STAFF = Decision(_FULL, 200, "staff", _PRIVATE)
_ENTITLED = Decision(_FULL, 200, "entitled", _PRIVATE)
_INSTITUTION = Decision(_FULL, 200, "institution", _PRIVATE)
_GIFT = Decision(_FULL, 200, "gift", _PRIVATE)
_REGISTERED = Decision(_FULL, 200, "registered", _PRIVATE)
_PREMIUM = _wall("premium", Wall.SUBSCRIBE, Cache.PUBLIC)
_REGISTER = _wall("register", Wall.REGISTER, Cache.PUBLIC)
_LOGIN = _wall("login", Wall.REGISTER, _PRIVATE)
_DENIED = _wall("denied", Wall.SUBSCRIBE, _PRIVATE)
_BENEFIT = _wall("product", Wall.SUBSCRIBE, _PRIVATE)
REASONS = (
    "unknown", "withdrawn", "legal", "emergency", "free", "staff", "entitled", "institution", "gift", "surface",
    "login", "repeat", "limit", "section_limit", "not_a_read", "meter_away", "budget", "meter", "premium", "register",
    "registered", "denied", "product",
)  # fmt: skip
"""Every reason a decision can give, in an order that records rely on: append, never reorder."""


@dataclass(frozen=True, slots=True)
class Window:
    """The meter's window that holds an instant: a stable name and `[start, end)`."""

    name: str
    start: datetime
    end: datetime


def window(policy: Policy, now: datetime, first_read: datetime | None = None) -> Window:
    """The window of `now`. A rolling one begins with the meter's first read and is named for it."""
    kind, _, hours = policy.window.partition(":")
    if kind == "rolling":
        length = timedelta(hours=24 * int(hours))
        start = first_read if first_read and first_read <= now < first_read + length else now
        start = start.replace(microsecond=0)
        return Window(f"r{int(hours)}-{int(start.timestamp())}", start, start + length)
    start, end = (week_window if kind == "week" else month_window)(now, policy.zone)
    day = start.astimezone(policy.zone)
    return Window(day.strftime("w%Y%m%d" if kind == "week" else "m%Y%m"), start, end)


def rolling_start(name: str) -> datetime | None:
    """When a rolling window began, by its name; None for a window of the calendar."""
    kind, _, seconds = name.partition("-")
    return datetime.fromtimestamp(int(seconds), UTC) if kind.startswith("r") and seconds.isdigit() else None


def window_named(name: str, zone: ZoneInfo) -> Window | None:
    """The window that `window()` gave this name; None when it gave none such. A policy that counts in another kind of
    window since then asks with it what was read in the running one."""
    kind, rest = name[:1], name[1:]
    try:
        if kind == "r":
            days, _, start = rest.partition("-")
            first = datetime.fromtimestamp(int(start), UTC)
            return Window(name, first, first + timedelta(hours=24 * int(days)))
        day = datetime.strptime(rest + ("01" if kind == "m" else ""), "%Y%m%d").replace(tzinfo=zone)
    except ValueError:
        return None
    found = window(Policy(window="month" if kind == "m" else "week", zone=zone), day)
    return found if found.name == name else None


def carries_over(name: str, policy: Policy, now: datetime) -> bool:
    """Whether a meter of window `name` goes on counting in the policy's running window, which is of another kind: while
    its own window runs, a policy that changes the kind gives no second allowance."""
    own = window_named(name, policy.zone)
    if own is None or not own.start <= now < own.end:
        return False
    kind, _, days = policy.window.partition(":")
    return not name.startswith(f"r{days}-" if kind == "rolling" else kind[:1])
