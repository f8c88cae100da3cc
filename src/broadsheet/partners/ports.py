"""What partners asks of those who sell: which subscription stands behind a reader's right. Connected in the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The subscription behind a grant: its plan's code, the reader who pays, and when it began."""

    plan: str
    payer: int
    since: datetime


Finder = Callable[[int, Sequence[str]], Mapping[str, Subscribed]]


def _nobody(reader_id: int, sources: Sequence[str]) -> Mapping[str, Subscribed]:  # noqa: ARG001 - a Finder
    return {}


_finder: list[Finder] = [_nobody]


def connect(subscribed: Finder) -> None:
    """Called once, by server/wiring_benefits.py: (reader, sources of grants) -> the subscriptions behind them."""
    _finder[0] = subscribed


def subscribed(reader_id: int, sources: Sequence[str]) -> Mapping[str, Subscribed]:
    return _finder[0](reader_id, sources)
