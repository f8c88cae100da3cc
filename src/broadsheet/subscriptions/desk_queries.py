"""What the subscription desk looks up: whose something is, all that happened around a subscription, what is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min

from broadsheet.bus.queries import standing
from broadsheet.dates import parse_instant
from broadsheet.payments.desk_queries import (
    Found,
    disputes_about,
    found_by_number,
    found_by_provider,
    mandate_facts,
    notes_about,
)
from broadsheet.payments.queries import invoices_of, payments_of_subject, refunds_of_subject
from broadsheet.readers.queries import ReaderCard, readers_by_ids, readers_by_prefix
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import Happened, subject
from broadsheet.subscriptions.models import ConsentRecord, Gift, Notice, Plan, Seat, Subscription, SubscriptionEvent

LAST_RUN = "billing_run"
MOST_DIGITS = 18  # of a BIGINT


@dataclass(frozen=True, slots=True)
class Match:
    """Something found: `match` says by what. `subscription` is None for a reader without one."""

    match: str
    ref: str
    reader_id: int
    reader: str
    name: str
    subscription: int | None
    plan: str
    status: str
    period_end: Any
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """How many subscriptions of one kind wait for a job, and the oldest of them."""

    kind: str
    due: int
    oldest: datetime | None


def last_event_id() -> int:
    return SubscriptionEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0


def events_after(event_id: int) -> list[Happened]:
    """Everything written after an event, oldest first."""
    rows = SubscriptionEvent.objects.filter(id__gt=event_id).order_by("id")
    return [Happened(row.at, row.kind, row.reader_id, row.subscription_id, row.facts) for row in rows]


def subscription_of_number(number: str) -> int | None:
    """The subscription an invoice or a credit note is about."""
    exact = [found for found in found_by_number(number, 2) if found.ref == number.strip().upper()]
    return rules.number_of(exact[0].subject) if exact else None


def find(text: str, limit: int = 20) -> list[Match]:
    """Whatever begins with `text` of the addresses and names of readers and the numbers of documents, and what a
    provider or the old books call exactly so. Every look goes by an index: the cost does not grow with the paper.
    """
    text = text.strip()
    plain = text.removeprefix("#").removeprefix("subscription:")
    if not text:
        return []
    if plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS:
        found = _rows("subscription", Subscription.objects.filter(pk=int(plain)))
        if found:
            return found
    if "/" in text:
        return _documents(found_by_number(text, limit), limit)
    found = _people(text, limit)
    if "@" not in text:
        found += _rows("external_ref", Subscription.objects.filter(external_ref=text).exclude(external_ref=""))
        found += _documents(found_by_provider(text, limit), limit)
    return found[:limit]


def _people(text: str, limit: int) -> list[Match]:
    found: list[Match] = []
    for kind, cards in readers_by_prefix(text, limit).items():
        ids = [card.id for card in cards]
        rows = Subscription.objects.filter(reader_id__in=ids).order_by("reader_id", "-id")
        found += _rows(kind, rows[: 4 * limit])
        with_one = {match.reader_id for match in found}
        found += [_alone(kind, card) for card in cards if card.id not in with_one]
    return found


def _alone(kind: str, card: ReaderCard, ref: str = "") -> Match:
    return Match(kind, ref, card.id, card.email, card.name, None, "", "", None, None)


def _rows(kind: str, rows: Any, ref: str = "") -> list[Match]:
    found = list(rows.select_related("plan"))
    cards = readers_by_ids([row.reader_id for row in found])
    return [
        Match(
            kind, ref, row.reader_id, cards[row.reader_id].email, cards[row.reader_id].name, row.pk, row.plan.code,
            row.status, row.period_end, row.started_at,
        )
        for row in found
    ]  # fmt: skip


def _documents(found: Sequence[Found], limit: int) -> list[Match]:
    matches: list[Match] = []
    for one in found[:limit]:
        number = rules.number_of(one.subject)
        if number is not None:
            matches += _rows(one.match, Subscription.objects.filter(pk=number), one.ref)
        elif one.match == "mandate":
            rows = Subscription.objects.filter(reader_id=one.reader_id).order_by("-id")
            matches += _rows(one.match, rows[:limit], one.ref)
        else:
            matches += [_alone(one.match, card, one.ref) for card in readers_by_ids([one.reader_id]).values()]
    return matches


def timeline(subscription_id: int) -> Iterator[dict[str, Any]]:
    """Everything around one subscription: first what stands (mandate, seats, gift), then what happened, in order."""
    row = Subscription.objects.get(pk=subscription_id)
    held = mandate_facts(row.mandate_id)
    if held is not None:
        yield {"record": "mandate", **asdict(held)}
    for seat in Seat.objects.filter(subscription=row).order_by("id"):
        yield {
            "record": "seat", "email": seat.email, "invited_at": seat.invited_at, "claimed_at": seat.claimed_at,
            "removed_at": seat.removed_at,
        }  # fmt: skip
    for gift in Gift.objects.filter(subscription=row):
        yield {"record": "gift", "giver_id": gift.giver_id, "to": gift.to_email, "redeemed_at": gift.redeemed_at}
    yield from sorted(_happened(row), key=lambda told: told["at"])


def _happened(row: Subscription) -> Iterator[dict[str, Any]]:
    for event in SubscriptionEvent.objects.filter(subscription=row).order_by("id"):
        yield {
            "record": "event", "at": event.at, "event": event.kind, "actor": event.actor, "reason": event.reason,
            "facts": event.facts,
        }  # fmt: skip
    yield from _money(subject(row.pk))
    for notice in Notice.objects.filter(subscription=row).order_by("id"):
        yield {
            "record": "notice", "at": notice.sent_at or notice.dropped_at or notice.due_at, "kind": notice.kind,
            "due_at": notice.due_at, "sent_at": notice.sent_at, "dropped_at": notice.dropped_at,
        }  # fmt: skip
    for consent in ConsentRecord.objects.filter(subscription=row).order_by("id"):
        yield {"record": "consent", "at": consent.at, "kind": consent.kind, "text": consent.text}


def _money(about: str) -> Iterator[dict[str, Any]]:
    for bill in invoices_of(about, void=True):
        yield {
            "record": "invoice", "at": bill.issued_at, "number": bill.number, "kind": bill.kind, "status": bill.status,
            "period_start": bill.period_start, "period_end": bill.period_end, "total_minor": bill.total_minor,
            "credit_minor": bill.credit_minor, "due_minor": bill.due_minor, "currency": bill.currency,
            "paid_at": bill.paid_at,
        }  # fmt: skip
    for paid in payments_of_subject(about):
        yield {
            "record": "payment", "at": paid.settled_at or paid.created_at, "key": paid.key, "kind": paid.kind,
            "provider": paid.provider, "status": paid.status, "failure_code": paid.failure_code,
            "amount_minor": paid.amount_minor, "refunded_minor": paid.refunded_minor, "currency": paid.currency,
            "surplus": paid.surplus,
        }  # fmt: skip
    for back in refunds_of_subject(about):
        yield {
            "record": "refund", "at": back.created_at, "id": back.id, "status": back.status, "reason": back.reason,
            "amount_minor": back.amount_minor, "currency": back.currency, "credit_note": back.note,
            "asked_by": back.asked_by,
        }  # fmt: skip
    for note in notes_about(about):
        yield {"record": "credit_note", **asdict(note)}
    for dispute in disputes_about(about):
        yield {"record": "dispute", **asdict(dispute)}


def newest_paid_invoice(subscription_id: int) -> str:
    """The number of the newest paid invoice, empty when none is."""
    bills = [bill for bill in invoices_of(subject(subscription_id)) if bill.status == "paid"]
    return bills[-1].number if bills else ""


def invoice_id_of(subscription_id: int, number: str) -> int | None:
    """The id of a paid invoice of this subscription."""
    bills = [bill for bill in invoices_of(subject(subscription_id)) if bill.status == "paid"]
    return next((bill.id for bill in bills if bill.number == number), None)


_KINDS = {
    "incomplete": "checkout_expires",
    "trialing": "trial_ends",
    "active": "renewal",
    "past_due": "dunning",
    "suspended": "dunning",
    "paused": "pause_ends",
}


def due_counts(now: datetime) -> list[Due]:
    """What waits for the next run of the jobs, by kind."""
    rows = Subscription.objects.filter(due_at__lte=now).values("status").annotate(n=Count("id"), first=Min("due_at"))
    sums: dict[str, Due] = {kind: Due(kind, 0, None) for kind in _KINDS.values()}
    for row in rows.order_by():
        kind = _KINDS.get(row["status"], row["status"])
        old = sums.get(kind, Due(kind, 0, None))
        oldest = min(row["first"], old.oldest) if old.oldest else row["first"]
        sums[kind] = Due(kind, old.due + row["n"], oldest)
    notices = Notice.objects.filter(sent_at=None, dropped_at=None, due_at__lte=now)
    told = notices.aggregate(n=Count("id"), first=Min("due_at"))
    return [*sums.values(), Due("notice", told["n"], told["first"])]


def last_system_event() -> datetime | None:
    """When a job last changed a subscription."""
    rows = SubscriptionEvent.objects.filter(actor="system").order_by("-id")
    return rows.values_list("at", flat=True).first()


def last_run() -> datetime | None:
    """When the billing jobs last ran through."""
    told = standing(LAST_RUN)
    return parse_instant(told["at"]) if told else None


def codes_on_sale() -> list[tuple[str, str]]:
    """Every plan that is sold, by code and name."""
    return list(Plan.objects.filter(retired=False, published=True).values_list("code", "name"))
