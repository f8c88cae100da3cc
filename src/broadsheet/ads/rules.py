"""Slots, when a campaign runs, where in a story an advertisement may stand, and what may be linked to. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

AD_FREE = "ad_free"
"""The product of whoever reads without advertising."""

Size = tuple[int, int]


class Slot(NamedTuple):
    """A place on a page. Sizes in CSS pixels; None where the slot is not on that device. ads.css reserves them."""

    name: str
    title: str
    phone: Size | None
    desktop: Size | None


SLOTS = (
    Slot("top", "Top of a page", (320, 100), (728, 90)),
    Slot("feed", "Between the stories of a front", (300, 250), (728, 90)),
    Slot("side", "Beside a story", None, (300, 600)),
    Slot("story", "Inside a story", (300, 250), (300, 250)),
    Slot("end", "At a story's end", (300, 250), (728, 90)),
)
SLOT_NAMES = tuple(slot.name for slot in SLOTS)
DEVICES = ("phone", "desktop")
SIZES = tuple(sorted({size for slot in SLOTS for size in (slot.phone, slot.desktop) if size}))

FIRST_AFTER, THEN_EVERY, MOST_IN_STORY, LEFT_AFTER = 3, 7, 2, 2
"""An advertisement stands after the third paragraph of a story and after seven more, and never near its end."""


class Status(StrEnum):
    DRAFT = "draft"
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    STOPPED = "stopped"


def status(state: str, starts_at: datetime, ends_at: datetime | None, now: datetime) -> Status:
    """How a campaign stands at `now`. `state`: draft | approved | stopped; it runs over `[starts_at, ends_at)`."""
    if state != "approved":
        return Status.STOPPED if state == "stopped" else Status.DRAFT
    if now < starts_at:
        return Status.WAITING
    return Status.ENDED if ends_at is not None and ends_at <= now else Status.RUNNING


# --- what runs, for the gate ------------------------------------------------------------------------------------------
def runs_at(posted: Mapping[str, Any], at: float) -> list[Mapping[str, Any]]:
    """The campaigns that run at an instant. `posted`: as actions.post_campaigns posts it, times in Unix seconds."""
    return [
        campaign
        for campaign in posted.get("campaigns", ())
        if campaign["start"] <= at and (campaign["end"] is None or at < campaign["end"])
    ]


def next_change(posted: Mapping[str, Any], at: float) -> float:
    """When one begins or ends next, in Unix seconds; infinity when none will."""
    edges = [edge for campaign in posted.get("campaigns", ()) for edge in (campaign["start"], campaign["end"])]
    return min((float(edge) for edge in edges if edge is not None and edge > at), default=float("inf"))


def public_list(posted: Mapping[str, Any], running: Iterable[Mapping[str, Any]]) -> str:
    """What everybody's browser is told, as JSON: no dates, no names of campaigns, nothing that is not on show."""
    told = ("id", "kind", "weight", "cap", "slots", "sections", "devices", "creatives")
    campaigns = [{name: campaign[name] for name in told} for campaign in running]
    listed = {"sample": posted.get("sample", 0), "campaigns": campaigns}
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


# --- where in a story -------------------------------------------------------------------------------------------------
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*?(/?)>")
_VOID = frozenset(("br", "hr", "img", "embed", "source", "wbr"))


def _paragraph_ends(html: str) -> list[tuple[int, bool]]:
    """For each paragraph that stands in no other element: where it ends, and whether one follows it at once."""
    depth, ends = 0, []
    for tag in _TAG.finditer(html):
        closing, name, alone = tag[1], tag[2].lower(), tag[3]
        if name in _VOID or alone:
            continue
        depth += -1 if closing else 1
        if closing and name == "p" and depth == 0:
            ends.append((tag.end(), html[tag.end() :].lstrip()[:2].lower() == "<p"))
    return ends


def story_parts(body_html: str) -> tuple[str, ...]:
    """A story's body cut where an advertisement may stand: between two paragraphs, not under a heading, and so that at
    least LEFT_AFTER paragraphs follow. Joined again they are the body."""
    ends = _paragraph_ends(body_html)
    parts: list[str] = []
    begin, wanted = 0, FIRST_AFTER
    for number, (end, before_paragraph) in enumerate(ends, 1):
        if len(parts) == MOST_IN_STORY or len(ends) - number < LEFT_AFTER:
            break
        if number >= wanted and before_paragraph:
            parts.append(body_html[begin:end])
            begin, wanted = end, number + THEN_EVERY
    return (*parts, body_html[begin:])


# --- what is refused --------------------------------------------------------------------------------------------------
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")


def target_problem(url: str, *, house: bool) -> str:
    """Why a click may not lead there, "" when it may: https with a host, for house ads a path of this paper too."""
    if _CONTROL.search(url):
        return "An address holds no spaces, backslashes or control characters."
    if house and url.startswith("/"):
        return "A path of this paper begins with one slash." if url.startswith("//") else ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is no address."
    if parts.scheme != "https" or not host or "." not in host or parts.username is not None:
        return "Write a full address that begins with https://" + (" or a path such as /subscribe/." if house else ".")
    return ""


def size_problem(width: int, height: int, slots: Sequence[str]) -> str:
    """Why a picture of this size fits none of these slots, "" when it fits one; twice the size is for sharp screens."""
    wanted = sorted(
        {size for slot in SLOTS if slot.name in slots for size in (slot.phone, slot.desktop) if size}, reverse=True
    )
    if any((width, height) in (size, (2 * size[0], 2 * size[1])) for size in wanted):
        return ""
    sizes = ", ".join(f"{w} x {h}" for w, h in wanted)
    return f"The picture is {width} x {height}. The slots of this campaign take {sizes} pixels, or twice that."


def shown_size(width: int, height: int) -> Size:
    """The size in CSS pixels at which a picture of this size is shown."""
    return (width, height) if (width, height) in SIZES else (width // 2, height // 2)


# --- ads.txt ----------------------------------------------------------------------------------------------------------
_HOST = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\Z")
_VARIABLES = frozenset(("CONTACT", "SUBDOMAIN", "INVENTORYPARTNERDOMAIN", "OWNERDOMAIN", "MANAGERDOMAIN"))


def is_host(text: str) -> bool:
    """Whether this is the name of a host: letters, digits and dashes between dots."""
    return bool(_HOST.match(text.lower()))


def seller_problem(line: str) -> str:
    """Why a line may not stand in ads.txt or app-ads.txt (IAB Tech Lab, 1.1), "" when it may."""
    if not line.isprintable():
        return "holds a character that cannot be printed"
    words = line.partition("#")[0].strip()
    if not words:
        return "" if line.strip() else "is empty"
    name, is_variable, value = words.partition("=")
    if is_variable and "," not in name:
        if name.strip().upper() not in _VARIABLES:
            return f"sets {name.strip()!r}, which is none of {', '.join(sorted(_VARIABLES))}"
        return "" if value.strip() else "sets nothing"
    fields = [field.strip() for field in words.split(";")[0].split(",")]
    if len(fields) not in (3, 4) or not all(fields):
        return "needs three or four fields: domain, account, DIRECT or RESELLER, and the seller's certification id"
    if not is_host(fields[0]):
        return f"begins with {fields[0]!r}, which is no domain"
    if fields[2].upper() not in ("DIRECT", "RESELLER"):
        return f"says {fields[2]!r} where DIRECT or RESELLER stands"
    return ""
