"""What must be true of one subscription, told from its rows. Pure: `check` brings the rows, a thousand at a time.

Each function yields what is broken: the invariant's name and the facts that show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from broadsheet.subscriptions import rules

Broken = tuple[str, dict[str, Any]]
LEGAL: frozenset[tuple[str, str]] = frozenset((old, new) for (old, _), new in rules.TRANSITIONS.items() if old != new)
REVIVED = ("incomplete_expired", "active")  # money that lands late buys what it was meant for
PROMPT = timedelta(minutes=90)  # the longest a job puts off what is due without its date having moved


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    at: datetime
    day: date
    kind: str
    actor: str
    reason: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cover:
    """A paid line: `[start, end)` without what was given back. `kind` is its invoice's; `paid_at` is None for what was
    paid before the base was imported."""

    invoice_id: int
    kind: str
    start: date
    end: date
    paid_at: datetime | None
    closed: bool


@dataclass(frozen=True, slots=True)
class Bill:
    id: int
    number: str
    kind: str
    period_index: int | None
    given_back: bool


@dataclass(frozen=True, slots=True)
class Debit:
    key: str
    kind: str
    status: str
    reader_id: int
    mandate_reader_id: int
    mandate_since: datetime
    mandate_max_minor: int | None
    limit_minor: int | None
    amount_minor: int
    currency: str
    settled_at: datetime | None
    notice_sent_at: datetime | None
    min_notice: timedelta | None


@dataclass(frozen=True, slots=True)
class Grant:
    product: str
    starts_at: datetime
    ends_at: datetime | None
    reader_id: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever reads by it: the payer, or who has a seat. `open`: they should, as long as the subscription does."""

    reader_id: int | None
    open: bool
    grants: Sequence[Grant]


@dataclass(frozen=True, slots=True)
class Facts:
    """One subscription. `promised` is the instant up to which it opens stories as things stand (None: it does not),
    `latest` the last instant any grant of it may reach, `should_be_due` when its next job falls due."""

    id: int
    reader_id: int
    status: str
    origin: str
    fixed_term: bool
    months: int
    anchor: date
    anchor_index: int
    period_index: int
    period_start: date
    period_end: date
    created_at: datetime
    due_at: datetime | None
    should_be_due: datetime | None
    promised: datetime | None
    latest: datetime | None
    products: frozenset[str]
    consents: bool
    now: datetime
    events: Sequence[Event] = ()
    covers: Sequence[Cover] = ()
    bills: Sequence[Bill] = ()
    debits: Sequence[Debit] = ()
    holders: Sequence[Holder] = ()


def broken(facts: Facts) -> Iterator[Broken]:
    """Everything that is wrong with one subscription."""
    yield from history(facts)
    yield from calendar(facts)
    yield from contiguity(facts)
    yield from effects(facts)
    yield from dueness(facts)
    yield from access(facts)
    for debit in facts.debits:
        yield from debits(facts, debit)


def _changes(facts: Facts) -> list[Event]:
    return [event for event in facts.events if event.kind == "status_changed"]


def history(facts: Facts) -> Iterator[Broken]:
    """Every status was reached by a transition of the table, each told by an event with who, why and when."""
    made = next((event for event in facts.events if event.kind == "subscription_created"), None)
    status = str(made.facts.get("status", "incomplete")) if made else None
    for event in _changes(facts):
        old, new = str(event.facts.get("from")), str(event.facts.get("to"))
        told = {"event": event.id, "at": event.at, "from": old, "to": new}
        if status is not None and old != status:
            yield "every_change_is_told", {**told, "before": status}
        if old in rules.TERMINAL and (old, new) != REVIVED:
            yield "terminal_stays_terminal", told
        elif (old, new) not in LEGAL:
            yield "legal_transitions", told
        if not event.actor or not event.reason:
            yield "events_say_who_and_why", {**told, "actor": event.actor, "reason": event.reason}
        status = new
    if status is not None and status != facts.status:
        yield "every_change_is_told", {"told": status, "status": facts.status}


def calendar(facts: Facts) -> Iterator[Broken]:
    """The period ends where counting from the anchor puts it: nothing drifts."""
    if facts.status == "trialing" or (facts.origin == "comp" and facts.anchor_index == 1):
        return  # a trial ends at an instant, a comp on the day that was said
    if facts.fixed_term and facts.origin == "imported":
        return
    count = facts.period_index - facts.anchor_index + 1
    wanted = rules.boundary(facts.anchor, facts.months, count) if count >= 0 else None
    if wanted != facts.period_end and not (facts.period_index == 0 and facts.anchor == facts.period_start):
        yield "periods_from_the_anchor", {
            "anchor": facts.anchor, "period_index": facts.period_index, "period_end": facts.period_end,
            "expected": wanted,
        }  # fmt: skip


def contiguity(facts: Facts) -> Iterator[Broken]:
    """What was paid for lies end to end: no day twice, none missing that nothing explains."""
    covers = sorted((c for c in facts.covers if c.kind != "seats" and c.end > c.start), key=lambda c: (c.start, c.end))
    for before, after in pairwise(covers):
        told = {"end": before.end, "start": after.start, "invoices": [before.invoice_id, after.invoice_id]}
        if after.start < before.end:
            yield "no_day_is_paid_twice", told
        elif after.start > before.end and not _explained(facts, before, after):
            yield "periods_without_gaps", told
    last = next((cover for cover in reversed(covers) if not cover.closed), None)
    if last is None or facts.status not in ("active", "paused") or facts.fixed_term:
        return
    if last.end != facts.period_end and facts.period_end != last.end + _given(facts, last.paid_at, None):
        yield "periods_without_gaps", {"paid_until": last.end, "period_end": facts.period_end}


def _given(facts: Facts, since: datetime | None, until: datetime | None) -> timedelta:
    """Days that staff gave on top."""
    days = sum(
        int(event.facts.get("days", 0))
        for event in facts.events
        if event.kind == "extended" and (since is None or event.at >= since) and (until is None or event.at <= until)
    )
    return timedelta(days=days)


def _explained(facts: Facts, before: Cover, after: Cover) -> bool:
    """Days were given, or held back by a pause; or access had ended and began anew on the day it was paid for."""
    between = [event for event in facts.events if after.paid_at is None or event.at <= after.paid_at + PROMPT]
    paused = sum(int(event.facts.get("days", 0)) for event in facts.events if event.kind == "pause_ended")
    gap = (after.start - before.end).days
    given = _given(facts, before.paid_at, after.paid_at).days
    if gap <= given + paused:
        return True
    for event in between:
        if event.kind != "status_changed" or event.facts.get("to") != "active" or event.day != after.start:
            continue
        behind = event.facts.get("from")
        if behind in ("suspended", "incomplete_expired") or (behind == "past_due" and after.kind == "change"):
            return True
    return False


def effects(facts: Facts) -> Iterator[Broken]:
    """What was paid bought something, or went back."""
    covered = {cover.invoice_id for cover in facts.covers}
    refused = {event.facts.get("number") for event in facts.events if event.kind == "payment_unused"}
    for bill in facts.bills:
        if bill.id not in covered and not bill.given_back and bill.number not in refused:
            yield "paid_has_its_effect", {"invoice": bill.number, "kind": bill.kind, "period_index": bill.period_index}


def dueness(facts: Facts) -> Iterator[Broken]:
    """Whatever lives has its next job in the book, and what has ended has none."""
    told = {"status": facts.status, "due_at": facts.due_at, "expected": facts.should_be_due}
    if facts.status in rules.TERMINAL:
        if facts.due_at is not None:
            yield "terminal_stays_terminal", told
        return
    if facts.should_be_due is None:
        return
    if facts.due_at is None or facts.due_at > max(facts.should_be_due, facts.now + PROMPT):
        yield "live_ones_fall_due", told


def access(facts: Facts) -> Iterator[Broken]:
    """Grants and the agreement say the same, both ways: nobody reads longer than agreed, and nobody who paid is shut
    out."""
    ended = max((event.at for event in _changes(facts)), default=facts.created_at)
    for holder in facts.holders:
        reach = facts.latest if holder.open else None
        for grant in holder.grants:
            told = {"product": grant.product, "reader_id": grant.reader_id, "ends_at": grant.ends_at}
            most = reach if reach is not None else (ended if holder.open else facts.now)
            if grant.ends_at is None or grant.ends_at > most:
                yield "access_never_outlives", {**told, "at_most": most}
            elif grant.product not in facts.products and grant.ends_at > facts.now:
                yield "access_is_of_the_plan", told
            if grant.reader_id != holder.reader_id and (grant.ends_at is None or grant.ends_at > facts.now):
                yield "access_is_the_readers", {**told, "expected": holder.reader_id}
        if holder.open and facts.promised is not None and facts.promised > facts.now:
            yield from _shut_out(facts, holder)


def _shut_out(facts: Facts, holder: Holder) -> Iterator[Broken]:
    assert facts.promised is not None
    held = {
        grant.product
        for grant in holder.grants
        if grant.starts_at <= facts.now and (grant.ends_at is None or grant.ends_at >= facts.promised)
    }
    for product in sorted(facts.products - held):
        told = {"product": product, "reader_id": holder.reader_id, "until": facts.promised}
        yield "who_paid_may_read", told


def debits(facts: Facts, debit: Debit) -> Iterator[Broken]:
    """Nothing is taken that was not agreed to: whose mandate, by what consent, how much, after which notice."""
    told = {"payment": debit.key, "amount_minor": debit.amount_minor, "currency": debit.currency}
    if debit.mandate_reader_id != debit.reader_id:
        yield "debits_have_a_mandate", {**told, "mandate_of": debit.mandate_reader_id, "reader_id": debit.reader_id}
    # A mandate registered for this very subscription was agreed to on the till's page.
    if not (facts.consents or facts.origin == "imported" or debit.mandate_since >= facts.created_at):
        yield "debits_have_consent", told
    if debit.kind != "renewal" or debit.status == "failed":
        return
    for most in (debit.mandate_max_minor, debit.limit_minor):
        if most is not None and debit.amount_minor > most:
            yield "debits_within_their_limit", {**told, "at_most_minor": most}
    if debit.min_notice is not None and debit.status == "succeeded" and debit.settled_at is not None:
        sent = debit.notice_sent_at
        if sent is None or sent + debit.min_notice > debit.settled_at:
            yield "debits_have_a_notice", {**told, "notice_sent_at": sent, "debited_at": debit.settled_at}
