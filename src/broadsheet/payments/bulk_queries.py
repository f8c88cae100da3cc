"""Bills and debits of many subjects at once: what `billing check` holds against subscriptions, in a few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from broadsheet.payments.models import Invoice, Payment

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Bill:
    """A paid invoice, as far as its effect is asked for."""

    id: int
    number: str
    subject: str
    kind: str
    period_index: int | None
    total_minor: int
    noted_minor: int
    issued_at: datetime
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class Debit:
    """A charge by a mandate that nobody was there to confirm (`renewal`), or that a reader asked for (`change`)."""

    key: str
    kind: str
    subject: str
    reader_id: int
    mandate_id: int
    mandate_reader_id: int
    mandate_max_minor: int | None
    mandate_since: datetime
    amount_minor: int
    currency: str
    provider: str
    status: str
    created_at: datetime
    settled_at: datetime | None
    notice_sent_at: datetime | None


def paid_bills_of(subjects: Sequence[str]) -> Iterator[Bill]:
    rows = Invoice.objects.filter(subject__in=subjects, status=Invoice.Status.PAID).order_by("id")
    fields = ("pk", "number", "subject", "kind", "period_index", "total_minor", "noted_minor", "issued_at", "paid_at")
    for values in rows.values_list(*fields).iterator(chunk_size=CHUNK):
        yield Bill(*values)


def debits_of(subjects: Sequence[str]) -> Iterator[Debit]:
    """Charges by mandate that were asked for, whatever became of them; the page of a till is nobody's debit."""
    kinds = (Payment.Kind.RENEWAL, Payment.Kind.CHANGE)
    rows = Payment.objects.filter(invoice__subject__in=subjects, kind__in=kinds, mandate__isnull=False)
    fields = (
        "key", "kind", "invoice__subject", "invoice__reader", "mandate", "mandate__reader", "mandate__max_minor",
        "mandate__created_at", "amount_minor", "currency", "provider", "status", "created_at", "settled_at",
        "notice_sent_at",
    )  # fmt: skip
    for values in rows.order_by("pk").values_list(*fields).iterator(chunk_size=CHUNK):
        yield Debit(*values)


def periods_billed_twice() -> Iterator[tuple[str, int, int]]:
    """(subject, period, how often) of periods with more than one invoice that holds."""
    rows = Invoice.objects.exclude(status=Invoice.Status.VOID).exclude(period_index=None)
    twice = rows.values("subject", "period_index").annotate(times=Count("pk")).filter(times__gt=1)
    yield from twice.order_by("subject", "period_index").values_list("subject", "period_index", "times")


def mandates_debited_twice() -> Iterator[tuple[int, int]]:
    """(mandate, how many) of mandates with more than one debit under way."""
    rows = Payment.objects.filter(status__in=Payment.UNRESOLVED, mandate__isnull=False)
    twice = rows.values("mandate").annotate(times=Count("pk")).filter(times__gt=1)
    yield from twice.order_by("mandate").values_list("mandate", "times")
