"""What a request has been told so far: the answers to what the gate said it needs."""

from __future__ import annotations

from dataclasses import dataclass

from broadsheet.access.book import Taken
from broadsheet.access.meter import Meter


@dataclass(slots=True)
class Told:
    """`issued`: the passport just re-issued, "" when its session is over. `away`: nobody could be asked about this
    reader. `taken`: what the book or the database said of a counted read, `meter`: for whose. `seat`, `gift`: until
    when one is lent (Unix seconds, 0: it is not). `offered`: what stands behind a gift link, {} for nothing. None:
    not asked yet.
    """

    issued: str | None = None
    away: bool = False
    taken: Taken | None = None
    meter: Meter | None = None
    seat: int | None = None
    gift: int | None = None
    offered: dict[str, int] | None = None


NOTHING_YET = Told()
"""A request that comes for the first time. Nobody writes into it."""
