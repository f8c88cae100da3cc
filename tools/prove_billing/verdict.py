"""The end: the till's own book against the paper's and against the calendar, and the product's own checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Any

from django.db import connections
from tools.prove_billing.plan import Found

from broadsheet.bus.models import Job
from broadsheet.dates import add_months, local_date
from broadsheet.payments import reconcile
from broadsheet.payments.models import (
    Discrepancy,
    Payment,
    Refund,
    SandboxCharge,
    SandboxRefund,
    WebhookEvent,
)
from broadsheet.subscriptions.actions.history import zone
from broadsheet.subscriptions.check import violations
from broadsheet.subscriptions.models import Subscription

DAYS = 2000
BOOK = "till" if "till" in connections.databases else "default"
OWN = "subscription:"


def judge(found: Found, books: Any, now: datetime, *, strict: bool) -> None:
    """Write into `found` what is wrong. Without `strict` only the till's book is looked at: the control's papers are
    no longer ours to judge."""
    _charged(found, books, taken(found), now)
    if strict:
        _refunds(found, books)
        _left_over(found, now)
        found.faults += [f"check: {broken}" for broken in list(violations(now=now))[:50]]
        report = reconcile.reconcile(now=now, days=DAYS)
        found.faults += [f"the books disagree: {count} {kind}" for kind, count in report.found.items()]
        if Discrepancy.objects.exists() and not report.found:
            found.faults.append(f"{Discrepancy.objects.count()} discrepancies were raised")


def taken(found: Found) -> dict[tuple[int, int], int]:
    """How often the till took money for each (subscription, period) and kept it."""
    back: Counter[int] = Counter()
    for charge_id, amount in SandboxRefund.objects.using(BOOK).values_list("charge_id", "amount_minor"):
        back[charge_id] += amount
    told = {
        row.key: (int(row.invoice.subject.removeprefix(OWN)), row.invoice.period_index)
        for row in Payment.objects.select_related("invoice")
    }
    kept: Counter[tuple[int, int]] = Counter()
    for row in SandboxCharge.objects.using(BOOK).filter(status="succeeded"):
        found.till_charges += 1
        if row.key not in told:
            found.faults.append(f"the till took {row.key}, of which nobody here knows")
        elif back[row.pk] < row.amount_minor:
            kept[told[row.key]] += 1
    return kept


def charged_twice(kept: dict[tuple[int, int], int]) -> int:
    return sum(count - 1 for count in kept.values() if count > 1)


def _charged(found: Found, books: Any, kept: dict[tuple[int, int], int], now: datetime) -> None:
    """Every period that should be was charged once, and each subscription stands where the calendar says."""
    found.double = charged_twice(kept)
    paid: dict[int, set[int]] = defaultdict(set)
    for pk, index in kept:
        paid[pk].add(index)
    by_reader = Counter(row.customer for row in SandboxCharge.objects.using(BOOK).filter(status="succeeded"))
    for row in Subscription.objects.order_by("pk"):
        index, ends, status = _expected(books, row, paid[row.pk], now)
        found.renewals += row.period_index - 1
        found.lost += len(set(range(1, index + 1)) - paid[row.pk])
        if (row.period_index, row.period_end, row.status) != (index, ends, status):
            found.lost += max(0, index - row.period_index)
            found.stuck += row.status != status
            found.faults.append(
                f"{row}: {row.status}, period {row.period_index} to {row.period_end}; "
                f"expected {status}, {index} to {ends}"
            )
        if extra := paid[row.pk] - set(range(1, index + 1)):
            found.faults.append(f"{row}: periods {sorted(extra)} were charged and not due")
        # The same from the till's side alone: it knows readers, not periods.
        if by_reader[f"reader:{row.reader_id}"] != row.period_index:
            found.faults.append(f"{row}: {by_reader[f'reader:{row.reader_id}']} charges for {row.period_index} periods")
    if found.double:
        found.faults.append(f"{found.double} charges were made twice")


def _expected(books: Any, row: Subscription, paid: set[int], now: datetime) -> tuple[int, date, str]:
    """(period, its end, status) by the calendar. Whose bank refused for good stops before that renewal."""
    anchor, today = books.anchors[row.pk], local_date(now, zone())
    if row.pk in books.gone:
        index = max(paid, default=0)
        return index, add_months(anchor, index), "canceled"
    index = next(count for count in range(1, 1000) if add_months(anchor, count) > today)
    return index, add_months(anchor, index), "active"


def _refunds(found: Found, books: Any) -> None:
    """Each refund that was wished for went out once, in full, and no other did."""
    there: dict[str, list[int]] = defaultdict(list)
    for key, amount in SandboxRefund.objects.using(BOOK).values_list("key", "amount_minor"):
        there[key].append(amount)
    wished = {wish.key: wish.amount_minor for wish in books.wishes}
    found.refunds = len(there)
    for key, amount in wished.items():
        if there.get(key) != [amount]:
            found.faults.append(f"refund {key} of {amount}: the till paid {there.get(key)}")
    for key in set(there) - set(wished):
        if not key.startswith("surplus:"):
            found.faults.append(f"the till paid back {key}, for which nobody asked")


def _left_over(found: Found, now: datetime) -> None:
    """Nothing waits for ever."""
    stuck = {
        "payments without a result": Payment.objects.filter(status__in=Payment.UNRESOLVED),
        "refunds that did not go": Refund.objects.exclude(status="succeeded"),
        "subscriptions with something due": Subscription.objects.filter(due_at__lte=now),
        "subscriptions in dunning": Subscription.objects.filter(status__in=("past_due", "suspended")),
        "messages nobody read": WebhookEvent.objects.filter(status__in=("received", "failed")),
        "jobs not done": Job.objects.filter(done_at=None),
    }
    for what, rows in stuck.items():
        if count := rows.count():
            found.stuck += count
            found.faults.append(f"{count} {what}, such as {rows.first()}")
