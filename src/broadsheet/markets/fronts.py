"""The section's front and its pictures, printed: the same for everyone, kept by the press for the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

from broadsheet.bus.queries import last_notice
from broadsheet.dates import local_date
from broadsheet.markets import charts, figures, pictures, queries, sessions
from broadsheet.markets.values import Quote, Screen
from broadsheet.press import actions as press
from broadsheet.press.queries import chrome
from broadsheet.press.typesetting import render

HTML, SVG = "text/html; charset=utf-8", "image/svg+xml; charset=utf-8"
SHOWN = 5
STORIES = 9
KINDS = (
    ("index", "Indices"), ("currency", "Currencies"), ("commodity", "Commodities"), ("fund", "Funds"),
)  # fmt: skip
LATE = timedelta(hours=6)
"""Prices of a day are expected before six of the next morning; what is not here then is missing."""


class Printed(NamedTuple):
    text: str
    content_type: str
    etag: str


def _printed(path: str, build: Callable[[], str], content_type: str, mentions: Sequence[int] = ()) -> Printed:
    """Build what stands at `path` and store it. The notice is read first: what changes meanwhile makes it stale."""
    version = last_notice()
    text = build()
    press.print_page(path, text, version=version, mentions=mentions, content_type=content_type)
    return Printed(text, content_type, f'"{blake2b(text.encode(), digest_size=12).hexdigest()}"')


def print_card(code: str) -> Printed | None:
    """The picture of an instrument that stands in stories; None when there is no such instrument."""
    quote = queries.quote(code)
    return None if quote is None else _printed(f"/investor/card/{code}.svg", lambda: pictures.card(quote), SVG)


def print_strip(name: str) -> Printed:
    """The market summary on the paper's front, in one of its widths."""
    return _printed(
        f"/investor/strip-{name}.svg", lambda: pictures.strip(queries.summary().featured, pictures.STRIPS[name]), SVG
    )


def print_front(*, now: datetime) -> Printed:
    stories = queries.latest_stories(STORIES)
    values = {**front_values(now), "stories": stories}
    return _printed(
        "/investor/",
        lambda: render("markets/front.html", chrome=chrome(), f=figures, charts=charts, here="/investor/", **values),
        HTML,
        sorted({story.story_id for story in stories}),
    )


def front_values(now: datetime) -> dict[str, Any]:
    """What the front says of the markets as they stand."""
    summary = queries.summary()
    movers = queries.movers(SHOWN)
    groups = [(name, _of_kind(kind, summary.featured)) for kind, name in KINDS]
    return {
        "summary": summary,
        "movers": movers,
        "groups": [(name, quotes) for name, quotes in groups if quotes],
        "missing": missing(now),
        "now": now,
    }


def _of_kind(kind: str, featured: Sequence[Quote]) -> Sequence[Quote]:
    """The featured of a kind; where there are none, those with the highest turnover or the longest return."""
    chosen = [quote for quote in featured if quote.kind == kind]
    if chosen or kind == "index":
        return chosen
    return queries.screen(Screen(kind=kind, order="-1y" if kind == "fund" else "name"), limit=SHOWN).quotes


def missing(now: datetime) -> tuple[str, Any, Any] | None:
    """(exchange, the day whose prices should be here, the day whose are); None when nothing is late.

    Asked of the exchange whose prices came last: one that is no longer imported does not make all others late.
    """
    have = queries.latest_day()
    rows = queries.summary().breadth
    exchange = next((row.exchange for row in rows if row.day == have), "")
    if have is None or not exchange:
        return None
    last = local_date(now - LATE, sessions.EXCHANGE_ZONE)
    closed = {day: (name, is_open) for day, name, is_open in queries.holidays(exchange, have, last + timedelta(days=1))}
    days = sessions.market_days(have + timedelta(days=1), last, closed)
    return (exchange, days[-1], have) if days else None
