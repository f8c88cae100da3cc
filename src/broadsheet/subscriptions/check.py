"""Everything that must be true of subscriptions, looked for in the rows themselves: for `billing check`.

A thousand subscriptions at a time are read with all that belongs to them, in a handful of statements, and forgotten
again: memory does not grow with the paper. Nothing is changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Count

from broadsheet.access.queries import grants_from, sources_granting
from broadsheet.payments import bulk_queries as bulk
from broadsheet.payments import check as money
from broadsheet.payments.adapters.registry import provider
from broadsheet.subscriptions import invariants, rules
from broadsheet.subscriptions.actions.due import due_at, due_since
from broadsheet.subscriptions.actions.history import policies, start_of, subject, today
from broadsheet.subscriptions.actions.rights import promised_until, seat_source
from broadsheet.subscriptions.models import ConsentRecord, Plan, Seat, Segment, Subscription, SubscriptionEvent

BATCH = 1000
TOLD = ("subscription_created", "status_changed", "extended", "pause_ended", "payment_unused")
AGREED = ("renewal", "mandate", "price_change")
OWN = "subscription:"


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never be: `subscription` is None for what is wrong beside them."""

    invariant: str
    subscription: int | None
    facts: dict[str, Any]


def violations(*, now: datetime, progress: Callable[[int], object] = int) -> Iterator[Violation]:
    """Every broken rule, as it is found. `progress` hears how many subscriptions were looked at."""
    yield from between_subscriptions()
    products = {
        plan.pk: frozenset(row.code for row in plan.products.all())
        for plan in Plan.objects.prefetch_related("products")
    }
    seen, last = 0, 0
    while rows := list(Subscription.objects.filter(pk__gt=last).select_related("plan").order_by("pk")[:BATCH]):
        yield from _Batch(rows, products, now).violations()
        seen, last = seen + len(rows), rows[-1].pk
        progress(seen)
    yield from grants_of_nobody(now)
    for one in money.violations():
        yield Violation(one.rule, None, {"what": one.what, "detail": one.detail})


def between_subscriptions() -> Iterator[Violation]:
    """What the database's constraints forbid, should somebody have gone past them."""
    live = Subscription.objects.filter(status__in=rules.LIVE).values("reader").annotate(times=Count("pk"))
    for reader_id, times in live.filter(times__gt=1).order_by("reader").values_list("reader", "times"):
        yield Violation("one_live_per_reader", None, {"reader_id": reader_id, "live": times})
    for about, index, times in bulk.periods_billed_twice():
        yield Violation("one_invoice_a_period", rules.number_of(about), {"period_index": index, "invoices": times})
    for mandate_id, times in bulk.mandates_debited_twice():
        yield Violation("one_open_debit_a_mandate", None, {"mandate": mandate_id, "open": times})


def grants_of_nobody(now: datetime) -> Iterator[Violation]:
    """Access that holds by a subscription which is not there."""
    sources = sources_granting(OWN, now)
    while names := list(islice(sources, BATCH)):
        numbers = {name: rules.number_of(name) for name in names}
        known = set(Subscription.objects.filter(pk__in=[n for n in numbers.values() if n]).values_list("pk", flat=True))
        for name, number in numbers.items():
            if number not in known:
                yield Violation("access_is_by_a_subscription", None, {"source": name})


class _Batch:
    """Some subscriptions with all that belongs to them."""

    def __init__(self, rows: Sequence[Subscription], products: dict[int, frozenset[str]], now: datetime) -> None:
        self._rows, self._products, self._now = rows, products, now
        self._how = policies()
        ids = [row.pk for row in rows]
        subjects = [subject(pk) for pk in ids]
        self._bills: dict[int, list[bulk.Bill]] = defaultdict(list)
        for bill in bulk.paid_bills_of(subjects):
            self._bills[int(bill.subject.removeprefix(OWN))].append(bill)
        self._debits: dict[int, list[bulk.Debit]] = defaultdict(list)
        for debit in bulk.debits_of(subjects):
            self._debits[int(debit.subject.removeprefix(OWN))].append(debit)
        self._events = _events(ids)
        self._segments: dict[int, list[Segment]] = defaultdict(list)
        for segment in Segment.objects.filter(subscription_id__in=ids):
            self._segments[segment.subscription_id].append(segment)
        self._seats: dict[int, list[Seat]] = defaultdict(list)
        for seat in Seat.objects.filter(subscription_id__in=ids):
            self._seats[seat.subscription_id].append(seat)
        self._agreed = set(
            ConsentRecord.objects.filter(subscription_id__in=ids, kind__in=AGREED).values_list(
                "subscription", flat=True
            )
        )
        seats = [seat_source(seat) for some in self._seats.values() for seat in some]
        self._grants: dict[str, list[invariants.Grant]] = defaultdict(list)
        for reader_id, row in grants_from([*subjects, *seats]):
            self._grants[row.source].append(invariants.Grant(row.product, row.starts_at, row.ends_at, reader_id))

    def violations(self) -> Iterator[Violation]:
        for row in self._rows:
            for name, facts in invariants.broken(self._facts(row)):
                yield Violation(name, row.pk, facts)

    def _facts(self, row: Subscription) -> invariants.Facts:
        bills = self._bills[row.pk]
        promised, latest = self._reach(row)
        return invariants.Facts(
            id=row.pk,
            reader_id=row.reader_id,
            status=row.status,
            origin=row.origin,
            fixed_term=row.fixed_term,
            months=row.plan.months,
            anchor=row.anchor,
            anchor_index=row.anchor_index,
            period_index=row.period_index,
            period_start=row.period_start,
            period_end=row.period_end,
            created_at=row.created_at,
            due_at=row.due_at,
            should_be_due=due_at(row),
            promised=promised,
            latest=latest,
            products=self._products[row.plan_id],
            consents=row.pk in self._agreed,
            events=self._events.get(row.pk, ()),
            covers=[_cover(segment, bills) for segment in self._segments[row.pk]],
            bills=[
                invariants.Bill(b.id, b.number, b.kind, b.period_index, 0 < b.total_minor <= b.noted_minor)
                for b in bills
            ],
            debits=[self._debit(debit) for debit in self._debits[row.pk]],
            holders=self._holders(row),
            now=self._now,
        )

    def _reach(self, row: Subscription) -> tuple[datetime | None, datetime | None]:
        """Up to when it opens stories as promised, and the last instant that grace lets a grant reach."""
        until = promised_until(row)
        if until is None:
            return None, None
        promised = start_of(until)
        if row.status == "trialing" and row.trial_end is not None:
            promised = min(promised, row.trial_end)
            return promised, max(row.trial_end, start_of(rules.access_ends(until, self._how)))
        if row.status == "active":
            return promised, start_of(rules.access_ends(until, self._how))
        return promised, max(promised, start_of(rules.access_ends(due_since(row), self._how)))

    def _holders(self, row: Subscription) -> list[invariants.Holder]:
        found = [invariants.Holder(row.reader_id, open=True, grants=self._grants[subject(row.pk)])]
        for seat in self._seats[row.pk]:
            taken = seat.reader_id is not None and seat.removed_at is None
            found.append(invariants.Holder(seat.reader_id, open=taken, grants=self._grants[seat_source(seat)]))
        return found

    def _debit(self, debit: bulk.Debit) -> invariants.Debit:
        limit = self._how.auto_debit_limit_minor if debit.currency == "INR" else 0
        return invariants.Debit(
            key=debit.key,
            kind=debit.kind,
            status=debit.status,
            reader_id=debit.reader_id,
            mandate_reader_id=debit.mandate_reader_id,
            mandate_since=debit.mandate_since,
            mandate_max_minor=debit.mandate_max_minor,
            limit_minor=limit or None,
            amount_minor=debit.amount_minor,
            currency=debit.currency,
            settled_at=debit.settled_at,
            notice_sent_at=debit.notice_sent_at,
            min_notice=_min_notice(debit.provider),
        )


def _min_notice(code: str) -> timedelta | None:
    try:
        able = provider(code).capabilities
    except LookupError:
        return None  # a till that was taken away asks for nothing any more
    return able.min_notice if able.needs_notice else None


def _events(ids: Sequence[int]) -> dict[int, list[invariants.Event]]:
    found: dict[int, list[invariants.Event]] = defaultdict(list)
    rows = SubscriptionEvent.objects.filter(subscription_id__in=ids, kind__in=TOLD).order_by("subscription", "id")
    fields = ("subscription", "pk", "at", "kind", "actor", "reason", "facts")
    for number, pk, at, *told in rows.values_list(*fields).iterator(chunk_size=BATCH):
        found[number].append(invariants.Event(pk, at, today(at), *told))
    return found


def _cover(segment: Segment, bills: Sequence[bulk.Bill]) -> invariants.Cover:
    bill = next((bill for bill in bills if bill.id == segment.invoice_id), None)
    end = min(segment.end, segment.closed_on) if segment.closed_on else segment.end
    return invariants.Cover(
        invoice_id=segment.invoice_id,
        kind=bill.kind if bill else "",
        start=segment.start,
        end=end,
        paid_at=bill.paid_at if bill else None,
        closed=segment.closed_on is not None,
    )
