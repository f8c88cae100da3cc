"""What stands around every story: the paper's frame and its walls, as values, and the edition they add up to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from django.conf import settings

from broadsheet import clock
from broadsheet.access.products import doors
from broadsheet.access.queries import current_policy
from broadsheet.access.rules import Policy
from broadsheet.ads import queries as ads
from broadsheet.dates import local_date
from broadsheet.newsroom.queries import sections
from broadsheet.press.store import Stores, open_stores
from broadsheet.press.typesetting import asset_version
from broadsheet.press.values import Chrome, PlanCard, WallText
from broadsheet.subscriptions.queries import plan_cards

FOOTER = (("About us", "/about/"), ("Contact", "/contact/"), ("Terms", "/terms/"), ("Privacy", "/privacy/"))
_WINDOWS = {"month": "this month", "week": "this week"}


@lru_cache(maxsize=1)
def stores() -> Stores:
    """The installation's stores; opened once."""
    return open_stores(settings.BROADSHEET.data / "press")


@lru_cache(maxsize=1)
def _assets() -> str:
    return asset_version()


def public_url() -> str:
    """Where readers find the paper, without a slash at its end."""
    return str(settings.BROADSHEET.public_url)


def window_words(window: str) -> str:
    """`this month`, `this week`, `in 30 days`: how a wall names the meter's window."""
    kind, _, days = window.partition(":")
    return _WINDOWS.get(kind) or f"in {days} days"


def _plans() -> tuple[PlanCard, ...]:
    """What is on sale today: a price of tomorrow is not on a wall before tomorrow."""
    options = settings.BROADSHEET
    return plan_cards(options.languages[0], day=local_date(clock.now(), options.zone))


def walls(tier: str, section: str = "") -> Mapping[str, WallText]:
    """Each wall a story of `tier` in `section` (its slug) may meet, by the name of its sheet."""
    return _walls(tier, section, current_policy(), _plans())


def _walls(tier: str, section: str, policy: Policy, plans: tuple[PlanCard, ...]) -> Mapping[str, WallText]:
    def wall(kind: str, *, signed_in: bool = False) -> WallText:
        limit = policy.registered_limit if signed_in else policy.free_limit
        if kind == "section":
            limit = min(limit, policy.section_limits[section])
        return WallText(kind, limit, policy.registered_limit, window_words(policy.window), signed_in, plans)

    if tier == "premium":
        return {"subscribe": wall("subscribe")}
    if tier == "registered":
        return {"register": wall("register")}
    if tier != "metered":
        return {}
    sheets = {"limit": wall("limit"), "limit-signed-in": wall("limit", signed_in=True)}
    sheets |= {"register": wall("register"), "away": wall("away")}
    if section in policy.section_limits:
        sheets |= {"section": wall("section"), "section-signed-in": wall("section", signed_in=True)}
    if policy.mode == "strict":
        sheets["cookie"] = wall("cookie")
    return sheets


def chrome() -> Chrome:
    """The paper's frame, with the edition that a change of any printed word of it makes new."""
    options = settings.BROADSHEET
    frame = Chrome(
        name=options.name,
        tagline=options.tagline,
        public_url=options.public_url,
        time_zone=options.time_zone,
        language=options.languages[0],
        edition=0,
        sections=sections(),
        footer=FOOTER,
        asset_version=_assets(),
        demo=options.demo,
        doors=doors(),
        gifts=options.gift_quota > 0,
    )
    policy, plans = current_policy(), _plans()
    around = [_walls(tier, section, policy, plans) for tier, section in _kinds_of_story(policy)]
    advertising = ads.frame()
    printed = repr((frame, around, advertising) if advertising else (frame, around))
    digest = hashlib.blake2b(printed.encode(), digest_size=7).digest()
    return replace(frame, edition=int.from_bytes(digest, "big"))


def with_ads(frame: Chrome) -> Chrome | None:
    """The same around a page that carries advertising; None when this paper's pages carry none."""
    advertising = ads.frame()
    return replace(frame, ads=advertising) if advertising else None


def _kinds_of_story(policy: Policy) -> list[tuple[str, str]]:
    """Every tier and section between which walls can differ."""
    return [(tier, "") for tier in ("metered", "registered", "premium")] + [
        ("metered", section) for section in sorted(policy.section_limits)
    ]
