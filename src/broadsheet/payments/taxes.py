"""How an amount divides into what is taxed and the tax. Pure; integers in, integers out, nothing lost on the way.

Rates are hundredths of a percent (1800 is 18 %). Halves of a minor unit are rounded away from zero, so that what a
credit takes back is exactly what the charge had put on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gst", "vat", "simple", "none"]
KINDS: tuple[Kind, ...] = ("gst", "vat", "simple", "none")
WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class TaxSplit:
    """`parts` names each tax and its amount: cgst and sgst, or igst; vat; tax. Their sum is `tax_minor`."""

    taxable_minor: int
    tax_minor: int
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def total_minor(self) -> int:
        return self.taxable_minor + self.tax_minor


def share(amount_minor: int, numerator: int, denominator: int) -> int:
    """`amount_minor` x numerator / denominator to the nearest minor unit, halves away from zero. Denominator > 0."""
    product = amount_minor * numerator
    rounded = (2 * abs(product) + denominator) // (2 * denominator)
    return rounded if product >= 0 else -rounded


def split(amount_minor: int, *, kind: Kind, rate_bp: int, inclusive: bool, intra: bool) -> TaxSplit:
    """The tax of `amount_minor`: inside it (`inclusive`) or on top of it.

    `intra` matters to GST alone: within one State it is CGST and SGST, which are always equal, else IGST. Because each
    half is rounded by itself, the same price may be a paisa apart between the two. `none` is no tax at all, whatever
    the rate; a rate of 0 is a tax that is named and is nothing.
    """
    if rate_bp < 0:
        raise ValueError(f"A tax rate is not negative: {rate_bp}.")
    if kind not in KINDS:
        raise ValueError(f"There is no tax of the kind {kind!r}; there are {', '.join(KINDS)}.")
    if kind == "none":
        return TaxSplit(amount_minor, 0)
    base = WHOLE_BP + rate_bp if inclusive else WHOLE_BP
    if kind == "gst" and intra:
        half = share(amount_minor, rate_bp, 2 * base)
        parts: tuple[tuple[str, int], ...] = (("cgst", half), ("sgst", half))
    else:
        name = {"gst": "igst", "vat": "vat", "simple": "tax"}[kind]
        parts = ((name, share(amount_minor, rate_bp, base)),)
    tax = sum(amount for _, amount in parts)
    return TaxSplit(amount_minor - tax if inclusive else amount_minor, tax, parts)


def part_of(whole: TaxSplit, total_minor: int, *, taken: TaxSplit | None = None) -> TaxSplit:
    """What a credit note over `total_minor` of a document takes back: its share of every tax, to the minor unit.

    `taken` is what earlier notes took. Shares are cumulative: whatever the steps, notes over the whole total take back
    exactly what the document had. Raises ValueError when more is asked for than is left.
    """
    before = taken or TaxSplit(0, 0, tuple((name, 0) for name, _ in whole.parts))
    after = before.total_minor + total_minor
    if total_minor < 0 or after > whole.total_minor:
        left = whole.total_minor - before.total_minor
        raise ValueError(f"{total_minor} cannot be taken back: {left} of {whole.total_minor} is left.")
    if whole.total_minor == 0:
        return TaxSplit(0, 0, tuple((name, 0) for name, _ in whole.parts))
    earlier = dict(before.parts)
    parts: list[tuple[str, int]] = []
    for name, amount in whole.parts:
        due = share(amount, after, whole.total_minor) - earlier.get(name, 0)
        # Two halves may fall due in a note of one paisa: then the second half follows in the next note.
        parts.append((name, min(due, total_minor - sum(part for _, part in parts))))
    tax = sum(amount for _, amount in parts)
    return TaxSplit(total_minor - tax, tax, tuple(parts))
