"""Taking over an existing subscriber base: judged and written some hundred lines at a time.

A batch is one transaction: whoever dies in the middle reads the file again, and what is there already is known by its
key. Rows of history are written in bulk; nobody is written a letter; words ahead of renewals are planned afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from broadsheet.access.actions import grant_many
from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.actions import MandateGiven
from broadsheet.payments.desk_queries import mandates_known
from broadsheet.readers.actions import bump_epoch, ensure_readers
from broadsheet.readers.queries import readers_by_emails
from broadsheet.subscriptions import pricing, rules
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.billing import price_rows
from broadsheet.subscriptions.actions.due import set_due
from broadsheet.subscriptions.actions.history import lock, policies, start_of, subject, take_schedule, today
from broadsheet.subscriptions.actions.rights import granted_until
from broadsheet.subscriptions.events import BaseImported
from broadsheet.subscriptions.import_rows import BadRowError, Subscriber
from broadsheet.subscriptions.models import Plan, Price, Segment, Subscription, SubscriptionEvent

PLANNED = 100  # subscriptions a job: others wait for the same worker
TOGETHER = 20  # of them in one transaction
BEFORE_ALL = date(1900, 1, 1)  # a price somebody had before is never what new subscribers pay


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a line: `imported` (in a dry run: would be), `known` from an earlier run, or `refused`."""

    row: Subscriber
    status: str
    fault: BadRowError | None = None


class FileBook:
    """What stood in the file before a line: on the disk, so that memory does not grow with the file."""

    def __init__(self) -> None:
        self._book = sqlite3.connect("", isolation_level=None)
        self._book.execute("CREATE TABLE seen (what TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def first(self, what: str, line: int) -> int:
        """The line on which this stood first; `line` itself when it is new."""
        self._book.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (what, line))
        found: int = self._book.execute("SELECT line FROM seen WHERE what = ?", (what,)).fetchone()[0]
        return found

    def close(self) -> None:
        self._book.close()


@dataclass(frozen=True, slots=True)
class _Paper:
    """What the paper holds already of a batch: keys, accounts, who has a live subscription, mandates."""

    keys: set[str]
    accounts: Mapping[str, tuple[int, bool]]
    live: set[int]
    mandates: set[tuple[str, str]]


def _paper(rows: Sequence[Subscriber]) -> _Paper:
    known = Subscription.objects.filter(external_ref__in=[row.key for row in rows]).exclude(external_ref="")
    accounts = readers_by_emails([row.email for row in rows])
    live = Subscription.objects.filter(reader_id__in=[pk for pk, _ in accounts.values()], status__in=rules.LIVE)
    return _Paper(
        set(known.values_list("external_ref", flat=True)),
        accounts,
        set(live.values_list("reader_id", flat=True)),
        mandates_known([row.mandate_ref for row in rows if row.mandate_ref]),
    )


def judge(rows: Sequence[Subscriber], book: FileBook) -> list[Verdict]:
    """What may become of each line, against the paper and the lines before it. Writes nothing."""
    paper = _paper(rows)
    verdicts = []
    for row in rows:
        try:
            verdicts.append(Verdict(row, _status(row, paper, book)))
        except BadRowError as fault:
            verdicts.append(Verdict(row, "refused", fault))
    return verdicts


def _status(row: Subscriber, paper: _Paper, book: FileBook) -> str:
    if (first := book.first(f"key {row.key}", row.line)) != row.line:
        raise BadRowError("twice_in_file", f"as on line {first}")
    if row.key in paper.keys:
        _remember(row, book)
        return "known"
    reader_id, is_open = paper.accounts.get(row.email, (0, True))
    if not is_open:
        raise BadRowError("account_closed", row.email)
    if row.mandate_ref and (row.provider, row.mandate_ref) in paper.mandates:
        raise BadRowError("mandate_taken", row.mandate_ref)
    if row.live and reader_id in paper.live:
        raise BadRowError("already_subscribed", row.email)
    _remember(row, book)
    return "imported"


def _remember(row: Subscriber, book: FileBook) -> None:
    """One live subscription a reader, one subscription a mandate, in the file too."""
    if row.live and (first := book.first(f"live {row.email}", row.line)) != row.line:
        raise BadRowError("already_subscribed", f"{row.email}, as on line {first}")
    if row.mandate_ref:
        first = book.first(f"mandate {row.provider} {row.mandate_ref}", row.line)
        if first != row.line:
            raise BadRowError("mandate_taken", f"{row.mandate_ref}, as on line {first}")


def take_over(verdicts: Sequence[Verdict], *, actor: str, now: datetime) -> list[Verdict]:
    """Write the good lines of a batch. A line that somebody else's work has made impossible in the meantime is refused
    by itself."""
    good = [verdict for verdict in verdicts if verdict.status == "imported"]
    lost = {id(verdict) for verdict in _store(good, actor, now)}
    return [
        Verdict(verdict.row, "refused", BadRowError("already_subscribed", verdict.row.email))
        if id(verdict) in lost
        else verdict
        for verdict in verdicts
    ]


def _store(good: Sequence[Verdict], actor: str, now: datetime) -> list[Verdict]:
    """Those that could not be written: the constraints decide, and a batch that meets one is halved to find it."""
    if not good:
        return []
    try:
        _write([verdict.row for verdict in good], actor, now)
    except IntegrityError:
        if len(good) == 1:
            return list(good)
        half = len(good) // 2
        return [*_store(good[:half], actor, now), *_store(good[half:], actor, now)]
    return []


@transaction.atomic
def _write(rows: Sequence[Subscriber], actor: str, now: datetime) -> None:
    before = readers_by_emails([row.email for row in rows])
    readers = ensure_readers(names={row.email: row.name for row in rows}, now=now)
    if len(readers) < len({row.email for row in rows}):
        raise IntegrityError("An account was closed meanwhile.")
    mandates = payments.take_mandates(
        given=[
            MandateGiven(readers[row.email], row.provider, row.mandate_ref, row.rail, row.mandate_max_minor)
            for row in rows
            if row.mandate_ref
        ],
        now=now,
    )
    said = {readers[row.email]: row.profile for row in rows if row.profile}
    payments.take_profiles(by_reader=said, now=now)
    prices = _Prices()
    made = Subscription.objects.bulk_create(
        _subscription(row, readers[row.email], mandates.get((row.provider, row.mandate_ref)), prices, now)
        for row in rows
    )
    SubscriptionEvent.objects.bulk_create(_event(row, one, actor, now) for row, one in zip(rows, made, strict=True))
    Segment.objects.bulk_create(_segments(rows, made, prices))
    granted = list(_grants(rows, made))
    grant_many(rows=granted)
    for reader_id in {reader_id for reader_id, *_ in granted} & {pk for pk, _ in before.values()}:
        bump_epoch(reader_id=reader_id)  # who was here before may be reading at this moment
    emit(BaseImported(made[0].pk, made[-1].pk, rfc3339(now)))


class _Prices:
    """What each line pays: a version of its plan's price, made once where nobody ever sold at that."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], list[pricing.PriceRow]] = {}

    def of(self, row: Subscriber) -> pricing.PriceRow | None:
        if row.price_minor == 0:
            return None
        where = (row.plan.id, row.currency)
        if where not in self._known:
            self._known[where] = price_rows(Plan.objects.get(pk=row.plan.id), row.currency)
        versions = self._known[where]
        if row.price_minor is None:
            first = min(versions, key=lambda one: one.new_from)
            return pricing.price_for_new(versions, row.started) or first
        same = [one for one in versions if one.amount_minor == row.price_minor]
        return max(same, key=lambda one: (one.new_from, one.id)) if same else self._make(row, row.price_minor)

    def _make(self, row: Subscriber, amount_minor: int) -> pricing.PriceRow:
        versions = self._known[row.plan.id, row.currency]
        taken = {one.new_from for one in versions}
        day = next(
            day
            for day in (date.fromordinal(BEFORE_ALL.toordinal() + n) for n in range(len(taken) + 1))
            if day not in taken
        )
        made = Price.objects.create(plan_id=row.plan.id, amount_minor=amount_minor, currency=row.currency, new_from=day)
        version = pricing.PriceRow(made.pk, amount_minor, row.currency, day, None)
        versions.append(version)
        return version


def _subscription(
    row: Subscriber, reader_id: int, mandate_id: int | None, prices: _Prices, now: datetime
) -> Subscription:
    price = prices.of(row)
    one = Subscription(
        reader_id=reader_id,
        plan_id=row.plan.id,
        price_id=price.id if price else None,
        quantity=row.quantity,
        status=row.status,
        origin=Subscription.Origin.IMPORTED,
        collection=row.collection,
        fixed_term=price is None,
        coupon_id=row.coupon_id,
        coupon_left=row.coupon_left,
        mandate_id=mandate_id,
        past_due_since=row.since,
        external_ref=row.key,
        created_at=now,
        started_at=start_of(row.started),
    )
    take_schedule(one, row.schedule)
    if row.status == "trialing":
        one.trial_end = start_of(row.schedule.end)
    if row.cancelled:
        one.cancel_at_period_end, one.canceled_at, one.cancel_reason = True, now, "before the import"
    if row.status in rules.TERMINAL:
        one.ended_at = start_of(row.schedule.end)
    if row.since is not None and row.collection == "automatic":
        # The days of the plan that have passed are not made up for.
        one.next_attempt_on = rules.next_attempt(row.since, _yesterday(now), policies())
    set_due(one)
    return one


def _yesterday(now: datetime) -> date:
    return date.fromordinal(today(now).toordinal() - 1)


def _event(row: Subscriber, one: Subscription, actor: str, now: datetime) -> SubscriptionEvent:
    facts: dict[str, Any] = {
        "plan_id": row.plan.id,
        "quantity": row.quantity,
        "status": row.status,
        "imported": True,
        "started": row.started.isoformat(),
        "paid_until": row.schedule.end.isoformat(),
        "line": row.line,
    }
    return SubscriptionEvent(
        subscription=one,
        reader_id=one.reader_id,
        at=now,
        kind="subscription_created",
        actor=actor[:60],
        reason="import",
        facts=facts,
    )


def _segments(rows: Sequence[Subscriber], made: Sequence[Subscription], prices: _Prices) -> Iterable[Segment]:
    """What is paid for already covers its days: a change of plan gives its rest back. Its invoice is in other books."""
    for row, one in zip(rows, made, strict=True):
        price = prices.of(row)
        if price is not None and row.status == "active":
            yield Segment(
                subscription=one,
                invoice_id=-one.pk,
                position=1,
                start=one.period_start,
                end=one.period_end,
                amount_minor=price.amount_minor * row.quantity,
            )


def _grants(
    rows: Sequence[Subscriber], made: Sequence[Subscription]
) -> Iterable[tuple[int, str, datetime, datetime, str]]:
    plans = Plan.objects.filter(pk__in={row.plan.id for row in rows}).prefetch_related("products")
    codes = {plan.pk: [product.code for product in plan.products.all()] for plan in plans}
    for one in made:
        until = granted_until(one)
        if until is None:
            continue
        assert one.started_at is not None
        for code in codes[one.plan_id]:
            yield one.reader_id, code, one.started_at, until, subject(one.pk)


def plan_imported(*, first: int, last: int, now: datetime) -> int | None:
    """Write down what readers who were taken over have to be told ahead of their renewals: of the first hundred of the
    subscriptions `first` to `last`. Returns the id to go on from; None when there are none left."""
    rows = Subscription.objects.filter(pk__gte=first, pk__lte=last, origin=Subscription.Origin.IMPORTED)
    found = list(rows.filter(status__in=rules.LIVE).order_by("pk").values_list("pk", flat=True)[: PLANNED + 1])
    for start in range(0, min(len(found), PLANNED), TOGETHER):
        with transaction.atomic():
            for pk in found[start : start + TOGETHER][: PLANNED - start]:
                notices.plan(lock(pk), now)
    return found[PLANNED] if len(found) > PLANNED else None
