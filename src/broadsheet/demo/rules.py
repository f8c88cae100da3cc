"""What the demo paper is: its sections, its personas, and the small sums of time its files are written in. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

NAME: Final = "The Meridian Courier"
TAGLINE: Final = "Business and public affairs, daily, from Alderport and Nandanpur"


@dataclass(frozen=True, slots=True)
class DemoSection:
    name: str
    slug: str
    language: str = "en"


SECTIONS: Final = (
    DemoSection("Economy", "economy"),
    DemoSection("Companies", "companies"),
    DemoSection("Markets", "markets"),
    DemoSection("Politics", "politics"),
    DemoSection("World", "world"),
    DemoSection("Technology", "technology"),
    DemoSection("Science", "science"),
    DemoSection("Culture", "culture"),
    DemoSection("Sport", "sport"),
    DemoSection("Opinion", "opinion"),
    DemoSection("हिन्दी", "hindi", "hi"),
)


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody a door lets you be. `email` is empty for the visitor, who has no account."""

    door: str
    title: str
    tells: str
    email: str = ""
    name: str = ""
    opens: str = "/"


PERSONAS: Final = (
    Persona("visitor", "Visitor", "No account, and nothing read yet this month."),
    Persona(
        "reader",
        "Registered reader",
        "Has an account and a larger allowance, but pays nothing.",
        "reader@meridian.example",
    ),
    Persona(
        "subscriber",
        "Subscriber",
        "Pays by the year and reads everything.",
        "subscriber@meridian.example",
    ),
    Persona(
        "editor",
        "Editor",
        "Runs the newsroom: stories, fronts, the wire.",
        "editor@meridian.example",
        "Duty Editor",
        "/admin/",
    ),
)
SUBSCRIBER_PLAN: Final = "annual"

_STEP = re.compile(r"(\d+)([dhm])")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_MARK = re.compile(r"\[\[AT(?:([+-]\d+)([smhd]))?(\|mail)?\]\]")


def persona(door: str) -> Persona | None:
    """The persona behind a door; None when there is no such door."""
    return next((who for who in PERSONAS if who.door == door), None)


def section_slug(name: str) -> str:
    """The slug of a section by the name that stands in a story's front matter. KeyError for one the paper lacks."""
    return {section.name: section.slug for section in SECTIONS}[name]


def age(text: str) -> timedelta:
    """How long ago: `-3h`, `-2d 4h`, `-2h 30m` as a positive span. ValueError for anything else."""
    if not re.fullmatch(r"-\d+[dhm](?: \d+[dhm])*", text):
        raise ValueError(f"{text!r} is no age; write it as -2d 4h")
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _STEP.findall(text)), timedelta())


def stamped(text: str, at: datetime) -> str:
    """An agency file's text with its marks (see schedule.py) written out for a file that arrives `at`."""

    def write(mark: re.Match[str]) -> str:
        instant = at + timedelta(**{_UNITS[mark[2]]: int(mark[1])}) if mark[1] else at
        return format_datetime(instant) if mark[3] else instant.isoformat(timespec="seconds")

    return _MARK.sub(write, text)


def is_loopback(*, peer: str, host: str) -> bool:
    """Whether a request came from this machine and asked for it by a loopback name.

    The name counts too: a page elsewhere can point a host of its own at 127.0.0.1 and have our browser ask.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return _is_loopback_address(peer) and (name == "localhost" or _is_loopback_address(name))


def _is_loopback_address(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def is_from_here(*, origin: str, fetch_site: str, host: str) -> bool:
    """Whether a form was sent by a page of this site. Programs send neither header; browsers send at least one."""
    if fetch_site:
        return fetch_site in ("same-origin", "none")
    return not origin or urlsplit(origin).netloc == host


def drawing_size(svg: str) -> tuple[int, int]:
    """Width and height of one of our own drawings, in pixels."""
    found = re.search(r'<svg[^>]* width="(\d+)" height="(\d+)"', svg)
    if found is None:
        raise ValueError("the drawing does not say how large it is")
    return int(found[1]), int(found[2])
