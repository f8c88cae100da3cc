"""The one access decision: pure, total, denies unless a rule permits, and says which rule.

The gate, search, feeds and the support screen all call `decide()`. Its table is data: tests/vectors/access.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
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
    """What the publisher decided. Limits are stories per window; 0 is allowed and walls every metered story."""

    free_limit: int = 5
    registered_limit: int = 10
    window: str = "month"  # month | week | rolling:N
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Kolkata"))
    mode: str = "soft"  # soft | strict | login


def policy_of(options: Any) -> Policy:
    """The policy in the publisher's options (server.options)."""
    return Policy(
        free_limit=options.free_limit,
        registered_limit=options.registered_limit,
        window=options.meter_window,
        zone=options.zone,
        mode=options.meter_mode,
    )


@dataclass(frozen=True, slots=True)
class Story:
    """What the decision may know of a story. The body is not among it."""

    id: int
    tier: Tier
    state: State
    emergency_free: bool = False


@dataclass(frozen=True, slots=True)
class Right:
    """A product over `[start, end)`; `end` None is open."""

    product: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Request:
    """Facts already verified. `seen`: stories read in this window; `used`: how many the meter or the server counted.

    `real_read`: a GET that a person navigated to, whose count could be kept; HEAD, prefetch and the like are not.
    """

    principal: Principal = Principal.VISITOR
    rights: tuple[Right, ...] = ()
    seen: frozenset[int] = frozenset()
    used: int = 0
    real_read: bool = True
    surface: Surface = Surface.PAGE


@dataclass(frozen=True, slots=True)
class Decision:
    """`count`: the read must be counted before the first byte is sent. `limit` and `used` speak of the meter."""

    body: Body
    status: int
    reason: str
    cache: Cache
    wall: Wall | None = None
    count: bool = False
    limit: int = 0
    used: int = 0


def decide(policy: Policy, story: Story | None, request: Request, now: datetime) -> Decision:
    """First rule that matches wins; the last one denies. `story` None is a story that does not exist."""
    gone = _absent(story)
    if gone or story is None:
        return gone or _none(404, "unknown")
    if story.emergency_free:
        return _full("emergency", Cache.PUBLIC)
    if story.tier is Tier.FREE:
        return _full("free", Cache.PUBLIC)
    if _entitled(story.tier, request.rights, now):
        return _full("entitled", Cache.PRIVATE)
    if story.tier is Tier.PREMIUM:
        return _wall("premium", Wall.SUBSCRIBE, Cache.PUBLIC)
    if story.tier is Tier.REGISTERED:
        return _registered(request)
    if story.tier is Tier.METERED:
        return _metered(policy, story, request)
    return _wall("denied", Wall.SUBSCRIBE, Cache.PRIVATE)


def _absent(story: Story | None) -> Decision | None:
    if story is None or story.state is State.UNPUBLISHED:
        return _none(404, "unknown")
    if story.state is State.WITHDRAWN:
        return _none(410, "withdrawn")
    if story.state is State.LEGAL:
        return _none(451, "legal")
    return None if story.state is State.PUBLISHED else _none(404, "unknown")


def _entitled(tier: Tier, rights: tuple[Right, ...], now: datetime) -> bool:
    return bool(rights) and any(
        right.product in COVERS[tier] and right.start <= now and (right.end is None or now < right.end)
        for right in rights
    )


def _registered(request: Request) -> Decision:
    if request.principal is not Principal.REGISTERED:
        return _wall("register", Wall.REGISTER, Cache.PUBLIC)
    if request.surface is not Surface.PAGE:
        return _wall("surface", Wall.REGISTER, Cache.PUBLIC)
    return _full("registered", Cache.PRIVATE)


def _metered(policy: Policy, story: Story, request: Request) -> Decision:
    if request.surface is not Surface.PAGE:
        return _wall("surface", Wall.LIMIT, Cache.PUBLIC)
    visitor = request.principal is not Principal.REGISTERED
    limit = policy.free_limit if visitor else policy.registered_limit
    if visitor and policy.mode == "login":
        return _wall("login", Wall.REGISTER, Cache.PRIVATE)
    used = max(len(request.seen), request.used)
    if story.id in request.seen:
        return _full("repeat", Cache.PRIVATE, limit=limit, used=used)
    if used >= limit:
        return _wall("limit", Wall.LIMIT, Cache.PRIVATE, limit=limit, used=used)
    if not request.real_read:
        return _wall("not_a_read", Wall.LIMIT, Cache.PRIVATE, limit=limit, used=used)
    return _full("meter", Cache.PRIVATE, count=True, limit=limit, used=used)


def _full(reason: str, cache: Cache, *, count: bool = False, limit: int = 0, used: int = 0) -> Decision:
    return Decision(Body.FULL, 200, reason, cache, None, count, limit, used)


def _wall(reason: str, wall: Wall, cache: Cache, *, limit: int = 0, used: int = 0) -> Decision:
    return Decision(Body.WALL, 200, reason, cache, wall, count=False, limit=limit, used=used)


def _none(status: int, reason: str) -> Decision:
    return Decision(Body.NONE, status, reason, Cache.PUBLIC)


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
