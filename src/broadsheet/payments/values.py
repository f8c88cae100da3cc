"""Values that whoever sells something hands to payments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice to be. `amount_minor` is before tax on top, or with the tax inside the price.

    It is earned over the days `[start, end)`; without them at once. `kind` is one of InvoiceLine.Kind.
    """

    text: str
    amount_minor: int
    kind: str = "plan"
    quantity: int = 1
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Taxed:
    """How something is taxed: the code of dated rates (empty: not at all), and whether prices hold the tax."""

    code: str = ""
    inclusive: bool = True
