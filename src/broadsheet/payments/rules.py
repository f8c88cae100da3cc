"""Pure rules of payments: how a result moves an attempt, where something is supplied, how documents are numbered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

PaymentStatus = Literal["pending", "processing", "succeeded", "failed"]

_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    "pending": frozenset({"processing", "succeeded", "failed"}),
    "processing": frozenset({"succeeded", "failed"}),
    # A provider may find the money after it said no; it never takes a yes back (that is a refund, another document).
    "failed": frozenset({"succeeded"}),
    "succeeded": frozenset(),
}


def may_move(old: PaymentStatus, new: PaymentStatus) -> bool:
    """Whether a result may change an attempt from `old` to `new`. Whatever may not is a repeat, and changes nothing."""
    return new in _MOVES[old]


@dataclass(frozen=True, slots=True)
class Supply:
    """Where something is supplied, for GST: `place` is a State, `intra` the publisher's, `export` abroad."""

    place: str
    intra: bool
    export: bool


def place_of_supply(*, kind: str, country: str, state: str, publisher_state: str) -> Supply:
    """The place of supply of an online service: where its buyer is; the publisher's State when the buyer named none.

    Only GST asks for it. A buyer outside India is an export.
    """
    if kind != "gst":
        return Supply(country, intra=False, export=False)
    if country not in ("", "IN"):
        return Supply(country, intra=False, export=True)
    place = state.strip() or publisher_state
    return Supply(place, intra=place.casefold() == publisher_state.strip().casefold(), export=False)


def rate_words(rate_bp: int) -> str:
    """`1800` -> `18`, `550` -> `5.5`"""
    whole, part = divmod(rate_bp, 100)
    return f"{whole}.{part:02}".rstrip("0") if part else str(whole)


APRIL = 4
SERIES_HOLDS = 9_999_999  # one digit more and the number is longer than the 16 characters allowed


def fiscal_year(day: date) -> str:
    """The Indian fiscal year of `day`, from April: 2027-03-31 -> `26-27`."""
    first = day.year if day.month >= APRIL else day.year - 1
    return f"{first % 100:02}-{(first + 1) % 100:02}"


def document_number(series: str, year: str, ordinal: int) -> str:
    """`BS/26-27/000123`: at most 16 characters of those an Indian tax invoice may use, consecutive within its year."""
    if not 1 <= ordinal <= SERIES_HOLDS:
        raise ValueError(f"A series holds numbers from 1 to {SERIES_HOLDS}, not {ordinal}.")
    return f"{series}/{year}/{ordinal:06}"
