"""What each thing that happens to money is in the books. Pure.

A posting is a tuple of (account, amount): a debit is positive, a credit negative, and they add up to nothing.

| account | kind | holds |
|---|---|---|
| `receivable` | asset | what readers owe on invoices; below nothing: what we owe them after a note |
| `cash:<provider>` | asset | what a till holds for us |
| `disputed` | asset | payments a bank took back until somebody decides |
| `deferred_revenue` | liability | sold, net of tax, for days that have not passed |
| `tax_payable:<tax>` | liability | cgst, sgst, igst, vat, tax |
| `customer_credit` | liability | the credit readers hold |
| `surplus` | liability | money that nobody owed, on its way back |
| `credit_carried` | clearing | left over from an invoice, until the reader has it; nothing when an action is over |
| `revenue` | income | earned, net of tax |
| `goodwill`, `bad_debt`, `fees` | expense | credit given away; what is lost; what providers keep |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from broadsheet.dates import add_months
from broadsheet.payments.taxes import WHOLE_BP, Kind, TaxSplit, share, split

RECEIVABLE = "receivable"
DISPUTED = "disputed"
DEFERRED = "deferred_revenue"
CREDIT = "customer_credit"
SURPLUS = "surplus"
CARRIED = "credit_carried"
REVENUE = "revenue"
GOODWILL = "goodwill"
BAD_DEBT = "bad_debt"
FEES = "fees"
TAX = "tax_payable:"
CASH = "cash:"
TAXES = ("cgst", "sgst", "igst", "vat", "tax")
OF_A_READER = frozenset({RECEIVABLE, CREDIT, SURPLUS})

Posting = tuple[tuple[str, int], ...]


class UnbalancedError(ValueError):
    """Debits and credits differ: nothing may be booked."""


@dataclass(frozen=True, slots=True)
class Billed:
    """A line of an invoice: `timed` when it is earned over days. `carried` is what goes to the reader's credit."""

    amount_minor: int
    timed: bool
    carried: bool = False


def posting(*lines: tuple[str, int], more: Iterable[tuple[str, int]] = ()) -> Posting:
    """Lines of one account together, those of nothing left out. UnbalancedError when they do not add up."""
    sums: Counter[str] = Counter()
    for account, amount in (*lines, *more):
        sums[account] += amount
    made = tuple((account, amount) for account, amount in sums.items() if amount)
    if sum(amount for _, amount in made):
        raise UnbalancedError(f"Debits and credits differ: {made}.")
    return made


def reversed_posting(lines: Iterable[tuple[str, int]]) -> Posting:
    return tuple((account, -amount) for account, amount in lines)


def tax_lines(parts: Iterable[tuple[str, int]]) -> Posting:
    """Tax that is owed to the state, as credits."""
    return tuple((TAX + name, -amount) for name, amount in parts)


def document_split(taxable_minor: int, tax_minor: int, tax: Mapping[str, Any]) -> TaxSplit:
    """The tax of a document as its row holds it."""
    parts = tuple((name, int(tax[f"{name}_minor"])) for name in TAXES if f"{name}_minor" in tax)
    return TaxSplit(taxable_minor, tax_minor, parts)


def rate_bp(tax: Mapping[str, Any]) -> int:
    """`{"rate": "18"}` -> 1800"""
    return int(Decimal(str(tax.get("rate", "0"))) * 100)


def effect(lines: Sequence[Billed], whole: TaxSplit, tax: Mapping[str, Any]) -> TaxSplit:
    """What an invoice does to revenue and tax.

    That is what it says, but for one that leaves a rest for the reader's credit: it comes to nothing, and still takes
    back the tax of that rest. Its tax is on record with the invoice that sold it, and the invoice the credit pays will
    have its own.
    """
    if not any(line.carried for line in lines):
        return whole
    kind: Kind = tax.get("kind", "none")
    base = sum(line.amount_minor for line in lines if not line.carried)
    intra = any(name == "cgst" for name, _ in whole.parts)
    return split(base, kind=kind, rate_bp=rate_bp(tax), inclusive=bool(tax.get("inclusive", True)), intra=intra)


def nets(lines: Sequence[Billed], effective: TaxSplit, tax: Mapping[str, Any]) -> tuple[int, ...]:
    """Each line's amount net of tax, 0 for a carried one: together exactly what is taxable. The largest line takes the
    paise that rounding leaves."""
    rate = rate_bp(tax) if tax.get("inclusive", True) else 0
    made = [0 if line.carried else share(line.amount_minor, WHOLE_BP, WHOLE_BP + rate) for line in lines]
    rest = effective.taxable_minor - sum(made)
    if rest:
        own = [place for place, line in enumerate(lines) if not line.carried]
        made[max(own, key=lambda place: abs(lines[place].amount_minor))] += rest
    return tuple(made)


def invoice_finalised(lines: Sequence[Billed], whole: TaxSplit, tax: Mapping[str, Any]) -> Posting:
    """Owed by the reader; the tax is the state's; the rest is deferred for lines with days, else earned."""
    effective = effect(lines, whole, tax)
    amounts = nets(lines, effective, tax)
    deferred = sum(amount for amount, line in zip(amounts, lines, strict=True) if line.timed)
    return posting(
        (RECEIVABLE, whole.total_minor),
        (DEFERRED, -deferred),
        (REVENUE, deferred - effective.taxable_minor),
        (CARRIED, effective.total_minor - whole.total_minor),
        more=tax_lines(effective.parts),
    )


def credit_used(amount_minor: int) -> Posting:
    return posting((CREDIT, amount_minor), (RECEIVABLE, -amount_minor))


def credit_given(amount_minor: int, source: str) -> Posting:
    """`source`: goodwill, change (carried from an invoice), payment (too much by hand), note (instead of a refund)."""
    accounts = {"goodwill": GOODWILL, "change": CARRIED, "payment": CASH + "manual", "note": RECEIVABLE}
    return posting((accounts[source], amount_minor), (CREDIT, -amount_minor))


def payment_settled(amount_minor: int, provider: str, *, surplus: bool) -> Posting:
    return posting((CASH + provider, amount_minor), (SURPLUS if surplus else RECEIVABLE, -amount_minor))


def refund_settled(amount_minor: int, provider: str, *, surplus: bool) -> Posting:
    return reversed_posting(payment_settled(amount_minor, provider, surplus=surplus))


def note_written(part: TaxSplit, deferred_minor: int) -> Posting:
    """`deferred_minor` of what is taxable is taken from what is not earned yet, the rest from revenue."""
    return posting(
        (RECEIVABLE, -part.total_minor),
        (DEFERRED, deferred_minor),
        (REVENUE, part.taxable_minor - deferred_minor),
        more=reversed_posting(tax_lines(part.parts)),
    )


def written_off(owed_minor: int, unearned_minor: int) -> Posting:
    """Nobody will pay `owed_minor`: what was not earned yet never will be, the rest is lost. The tax stays due."""
    return posting((DEFERRED, unearned_minor), (BAD_DEBT, owed_minor - unearned_minor), (RECEIVABLE, -owed_minor))


def dispute_opened(amount_minor: int, provider: str) -> Posting:
    return posting((DISPUTED, amount_minor), (CASH + provider, -amount_minor))


def dispute_won(amount_minor: int, provider: str) -> Posting:
    return reversed_posting(dispute_opened(amount_minor, provider))


def dispute_lost(amount_minor: int, unearned_minor: int) -> Posting:
    return posting((DEFERRED, unearned_minor), (BAD_DEBT, amount_minor - unearned_minor), (DISPUTED, -amount_minor))


def fee_kept(amount_minor: int, provider: str) -> Posting:
    return posting((FEES, amount_minor), (CASH + provider, -amount_minor))


def earned(amount_minor: int) -> Posting:
    return posting((DEFERRED, amount_minor), (REVENUE, -amount_minor))


def earned_by(amount_minor: int, start: date, end: date, day: date) -> int:
    """How much of an amount for `[start, end)` is earned when `day` begins: by whole days, all of it at the end.

    Counted from the start each time, so that rounding never adds up.
    """
    if day >= end:
        return amount_minor
    if day <= start:
        return 0
    return share(amount_minor, (day - start).days, (end - start).days)


def next_close(day: date) -> date:
    """The first day of the month after `day`'s: when that month's revenue is booked."""
    return add_months(day.replace(day=1), 1)


def spread(amount_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """An amount over weights (signed, their sum above nothing) in proportion; together exactly the amount."""
    total = sum(weights)
    made, sofar, given = [], 0, 0
    for weight in weights:
        sofar += weight
        upto = share(amount_minor, sofar, total)
        made.append(upto - given)
        given = upto
    return tuple(made)
