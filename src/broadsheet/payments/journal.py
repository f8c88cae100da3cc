"""The journal itself: written once a key, summed by account, looked through for what does not add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Max, Min, Model, Sum

from broadsheet.dates import local_date
from broadsheet.payments import postings
from broadsheet.payments.models import Deferral, JournalEntry, JournalLine

SPAN = 5000


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account comes to: above nothing a debit, below nothing a credit."""

    account: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never be. `rule` is its name, `what` the document or row, `detail` the figures."""

    rule: str
    what: str
    detail: str


def local_day(now: datetime) -> date:
    return local_date(now, settings.BROADSHEET.zone)


def is_booked(key: str) -> bool:
    return JournalEntry.objects.filter(key=key).exists()


def write(
    *,
    key: str,
    posting: postings.Posting,
    text: str,
    currency: str,
    now: datetime,
    document: str = "",
    reader_id: int | None = None,
    booked_on: date | None = None,
) -> None:
    """Add an entry, in the transaction of what it is about. UnbalancedError when its lines do not add up; a key that
    is in the books already is refused by the database."""
    lines = postings.posting(*posting)
    entry = JournalEntry.objects.create(
        key=key,
        booked_on=booked_on or local_day(now),
        at=now,
        text=text[:200],
        document=document,
        currency=currency,
    )
    JournalLine.objects.bulk_create(
        JournalLine(
            entry=entry,
            account=account,
            amount_minor=amount,
            reader_id=reader_id if account in postings.OF_A_READER else None,
        )
        for account, amount in lines
    )


def trial_balance(day: date) -> tuple[Balance, ...]:
    """Every account with what was booked on it up to and including `day`; accounts at nothing are left out."""
    rows = JournalLine.objects.filter(entry__booked_on__lte=day).values("account", "entry__currency")
    sums = rows.annotate(sum=Sum("amount_minor")).order_by("account", "entry__currency")
    return tuple(Balance(row["account"], row["entry__currency"], row["sum"]) for row in sums if row["sum"])


def deferred_revenue(day: date) -> dict[str, int]:
    """By currency, what was sold for days not passed, as the books had it at the end of `day`: an amount above nothing.

    Months are closed on the first of the next: between closes the books hold what the last one left.
    """
    rows = JournalLine.objects.filter(account=postings.DEFERRED, entry__booked_on__lte=day)
    sums = rows.values("entry__currency").annotate(sum=Sum("amount_minor")).order_by("entry__currency")
    return {row["entry__currency"]: -row["sum"] for row in sums}


def balance(account: str, currency: str) -> int:
    rows = JournalLine.objects.filter(account=account, entry__currency=currency)
    return rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0


def spans(*models: type[Model], field: str = "pk", size: int = SPAN) -> Iterator[tuple[int, int]]:
    """The ids of `field` in any of the tables as ranges, both ends included."""
    ends = [model._default_manager.aggregate(low=Min(field), high=Max(field)) for model in models]  # noqa: SLF001
    lows = [end["low"] for end in ends if end["low"] is not None]
    if not lows:
        return
    low, high = min(lows), max(end["high"] for end in ends if end["high"] is not None)
    for first in range(low, high + 1, size):
        yield first, min(high, first + size - 1)


def within(field: str, span: tuple[int, int]) -> dict[str, int]:
    """The rows of a span, for `filter`."""
    return {f"{field}__gte": span[0], f"{field}__lte": span[1]}


def check_journal() -> Iterator[Violation]:
    """Every entry that does not add up, and a deferred revenue that is not that of the lines."""
    for span in spans(JournalEntry):
        sums = (
            JournalLine.objects.filter(**within("entry", span)).values_list("entry").annotate(sum=Sum("amount_minor"))
        )
        wrong = dict(sums.exclude(sum=0).order_by("entry"))
        for entry in JournalEntry.objects.filter(pk__in=list(wrong)).order_by("pk"):
            yield Violation("journal_balances", entry.key, f"debits and credits differ by {wrong[entry.pk]}")
    left = {
        row["currency"]: (row["amount"] or 0) - (row["earned"] or 0)
        for row in Deferral.objects.order_by("currency")
        .values("currency")
        .annotate(amount=Sum("amount_minor"), earned=Sum("earned_minor"))
    }
    for currency in sorted(left):
        booked = -balance(postings.DEFERRED, currency)
        if booked != left[currency]:
            detail = f"the books say {booked}, the lines {left[currency]}"
            yield Violation("deferred_revenue_is_of_lines", currency, detail)
