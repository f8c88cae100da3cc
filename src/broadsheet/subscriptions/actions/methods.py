"""How a reader pays: by hand or by a link, by another mandate; and what a chargeback does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.actions import InvoiceStateError
from broadsheet.payments.adapters import MandateWish
from broadsheet.payments.desk_queries import credit_entry_exists
from broadsheet.payments.queries import (
    InvoiceRow,
    MandateRow,
    dispute_named,
    invoice,
    mandate_of_ref,
    mandates_asked,
    open_invoices_of,
    owing_invoices_of,
    payment,
    payment_by_id,
    payments_of,
    payments_of_subject,
)
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions import notices
from broadsheet.subscriptions.actions.due import set_due
from broadsheet.subscriptions.actions.ending import finish
from broadsheet.subscriptions.actions.history import Happened, lock, move, record, subject, tell, today
from broadsheet.subscriptions.actions.rights import sync_access
from broadsheet.subscriptions.actions.settlement import settle
from broadsheet.subscriptions.events import (
    CreditGiven,
    DisputeChanged,
    MandateLost,
    MandateUnwanted,
    SubscriptionEnded,
)
from broadsheet.subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class TillPage:
    """Where to send the reader."""

    url: str
    key: str = ""
    mandate_id: int | None = None


@transaction.atomic
def pay(
    *,
    subscription_id: int,
    actor: str,
    now: datetime,
    amount_minor: int | None = None,
    reference: str = "",
    key: str = "",
) -> list[Happened]:
    """Book money that came by hand: for what is owed, oldest first (all of it when no amount is named). More than is
    owed becomes the reader's credit, which the next invoice uses up. With a `key` it is booked once.

    RefusedError: `nothing_to_pay`, `charge_under_way`, `bad_amount`.
    """
    subscription = lock(subscription_id)
    if key and _booked(subscription_id, key):
        return []
    if subscription.status in rules.TERMINAL:
        raise rules.RefusedError("nothing_to_pay")
    bills = owing_invoices_of(subject(subscription_id))
    left = sum(bill.due_minor for bill in bills) if amount_minor is None else amount_minor
    if left <= 0:
        raise rules.RefusedError("nothing_to_pay" if amount_minor is None else "bad_amount")
    happened: list[Happened] = []
    for position, bill in enumerate(bills):
        part = left if position == len(bills) - 1 else min(left, bill.due_minor)
        if part <= 0:
            break
        tries = len(payments_of(bill.id)) + 1
        try:
            row = payments.pay_by_hand(
                invoice_id=bill.id,
                key=f"{key}:{bill.id}" if key else f"hand:{bill.id}:{tries}",
                amount_minor=part,
                reference=reference,
                now=now,
            )
        except InvoiceStateError:
            raise rules.RefusedError("charge_under_way") from None
        left -= part
        happened += _paid_by_hand(subscription, bill, row.amount_minor, actor, now)
    if left > 0:
        happened += _ahead(subscription, left, actor, key, now)
    return happened


def _booked(subscription_id: int, key: str) -> bool:
    """Whether money was booked under this key before: for an invoice, or ahead."""
    keys = (
        paid.key.rpartition(":")[0] for paid in payments_of_subject(subject(subscription_id)) if paid.kind == "hand"
    )
    return key in keys or credit_entry_exists(f"ahead:{key}")


def _paid_by_hand(
    subscription: Subscription, before: InvoiceRow, amount: int, actor: str, now: datetime
) -> list[Happened]:
    bill = invoice(before.id)
    assert bill is not None
    facts = {"number": bill.number, "amount_minor": amount, "currency": bill.currency, "kind": "by_hand"}
    if bill.status == "paid" and before.status != "paid":
        return settle(subscription, bill, now)
    return [record(subscription, "payment", facts, now=now, actor=actor)]


def _ahead(subscription: Subscription, amount: int, actor: str, key: str, now: datetime) -> list[Happened]:
    """Nothing is owed yet: it is kept as credit for the next invoice."""
    currency = subscription.price.currency if subscription.price else "INR"
    payments.give_credit(
        key=f"ahead:{key}" if key else f"ahead:{subscription.pk}:{rfc3339(now)}:{amount}",
        reader_id=subscription.reader_id,
        currency=currency,
        amount_minor=amount,
        reason="paid ahead",
        source="payment",
        now=now,
    )
    facts = {"amount_minor": amount, "currency": currency, "kind": "ahead"}
    return [record(subscription, "payment", facts, now=now, actor=actor)]


def start_payment(*, subscription_id: int, return_url: str, now: datetime, rail: str = "card") -> TillPage:
    """A till's page for the oldest open invoice, with which later charges are allowed anew: the pay link.

    RefusedError: `nothing_to_pay`, `charge_under_way`.
    """
    with transaction.atomic():
        subscription = lock(subscription_id)
        bills = open_invoices_of(subject(subscription_id))
        if not bills or subscription.status in rules.TERMINAL:
            raise rules.RefusedError("nothing_to_pay")
        bill = bills[0]
        under_way = [p for p in payments_of(bill.id) if p.unresolved]
        if any(p.mandate_id for p in under_way):
            raise rules.RefusedError("charge_under_way")
        key = f"link:{subscription_id}:{bill.id}:{len(payments_of(bill.id)) + 1}"
        row = payments.begin_payment(invoice_id=bill.id, key=key, kind="checkout", mandate_id=None, now=now)
        automatic = subscription.collection == "automatic"
    url = payments.open_checkout(
        key=row.key, return_url=return_url, now=now, mandate=MandateWish(rail, None) if automatic else None
    )
    return TillPage(url, row.key)


def start_mandate(
    *, subscription_id: int, rail: str, max_minor: int | None, now: datetime, return_url: str = ""
) -> TillPage:
    """A till's page on which the reader allows later charges by another card or address; nothing is charged there.

    RefusedError: `not_live`.
    """
    with transaction.atomic():
        subscription = lock(subscription_id)
        if subscription.status in rules.TERMINAL or subscription.collection == "external":
            raise rules.RefusedError("not_live")
        prefix = f"mandate:{subscription_id}:"
        held = payments.begin_mandate(
            reader_id=subscription.reader_id,
            rail=rail,
            max_minor=max_minor,
            key=f"{prefix}{rfc3339(now)}:{mandates_asked(subscription.reader_id)}",
            now=now,
        )
        currency = subscription.price.currency if subscription.price else "INR"
    url = payments.open_mandate_page(
        mandate_id=held.id, currency=currency, return_url=return_url or reverse("account"), now=now
    )
    return TillPage(url, mandate_id=held.id)


def complete_mandate(*, subscription_id: int, mandate_id: int, actor: str, now: datetime) -> list[Happened]:
    """Take the new mandate into use when the reader gave it; the old one is given back. An overdue renewal whose
    plan of tries is used up is tried once more. RefusedError `no_mandate` while there is none.
    """
    held = payments.complete_mandate(mandate_id=mandate_id, now=now)
    if held is None or not held.usable:
        raise rules.RefusedError("no_mandate")
    with transaction.atomic():
        return use_mandate(lock(subscription_id), held, actor, now)


def use_mandate(subscription: Subscription, held: MandateRow, actor: str, now: datetime) -> list[Happened]:
    """Inside the caller's lock."""
    if held.reader_id != subscription.reader_id or subscription.status in rules.TERMINAL:
        raise rules.RefusedError("not_live")
    old = subscription.mandate_id
    if old == held.id:
        return []
    subscription.mandate_id = held.id
    if subscription.collection == "send_invoice":
        subscription.collection = "automatic"
    if subscription.status in ("past_due", "suspended") and subscription.past_due_since:
        subscription.next_attempt_on = subscription.next_attempt_on or today(now)
    set_due(subscription)
    subscription.save()
    facts = {"rail": held.rail, "max_minor": held.max_minor}
    happened = [record(subscription, "mandate_changed", facts, now=now, actor=actor)]
    if old:
        emit(MandateUnwanted(old, rfc3339(now)))
    notices.plan(subscription, now)
    return happened + sync_access(subscription, now)


def give_back_mandate(*, mandate_id: int, now: datetime) -> None:
    """Nothing is charged by it any more, unless a subscription that goes on still uses it."""
    used = Subscription.objects.filter(
        mandate_id=mandate_id, status__in=rules.LIVE, cancel_at_period_end=False
    ).exists()
    if not used:
        payments.revoke_mandate(mandate_id=mandate_id, now=now)


@transaction.atomic
def mandate_revoked(*, provider: str, mandate_ref: str, now: datetime) -> list[Happened]:
    """The reader or their bank ended a mandate over there: renewals are asked for by a pay link from now on."""
    held = mandate_of_ref(provider, mandate_ref)
    if held is None:
        return []
    payments.note_mandate_revoked(mandate_id=held.id, now=now)
    happened: list[Happened] = []
    for pk in Subscription.objects.filter(mandate_id=held.id, status__in=rules.LIVE).values_list("pk", flat=True):
        subscription = lock(pk)
        happened.append(record(subscription, "notice", {"kind": "mandate_revoked", "channel": "email"}, now=now))
        emit(MandateLost(subscription.pk, rfc3339(now)))
        notices.plan(subscription, now)
    return happened


def give_credit(
    *, reader_id: int, subscription_id: int | None, amount_minor: int, currency: str, actor: str, now: datetime,
    reason: str = "", key: str = "",
) -> list[Happened]:  # fmt: skip
    """A gesture of the desk: what the reader's next invoices come to is less. RefusedError `bad_amount`."""
    if amount_minor <= 0:
        raise rules.RefusedError("bad_amount")
    with transaction.atomic():
        made = payments.give_credit(
            key=key or f"goodwill:{reader_id}:{rfc3339(now)}:{amount_minor}",
            reader_id=reader_id,
            currency=currency,
            amount_minor=amount_minor,
            reason=reason or "Credit from the desk",
            source="goodwill",
            now=now,
        )
        if not made:
            return []
        emit(CreditGiven(reader_id, subscription_id, amount_minor, currency, "", rfc3339(now)))
        facts = {"amount_minor": amount_minor, "currency": currency}
        return [
            tell(
                "credit",
                facts,
                reader_id=reader_id,
                subscription_id=subscription_id,
                now=now,
                actor=actor,
                reason=reason,
            )
        ]


def dispute(*, key: str, status: str, dispute_ref: str, amount_minor: int, now: datetime) -> list[Happened]:
    """A bank took a payment back (`opened`), or decided (`won` for us, `lost`). Repeats change nothing."""
    row = payment(key)
    if row is None:
        raise LookupError(f"No attempt {key!r} is known here.")
    subscription_id = rules.number_of(_subject_of(row.id))
    with transaction.atomic():
        subscription = lock(subscription_id) if subscription_id else None
        known = dispute_named(dispute_ref)
        if status == "opened":
            if known is not None:
                return []
            payments.open_dispute(payment_id=row.id, provider_ref=dispute_ref, amount_minor=amount_minor, now=now)
        else:
            if known is None:
                payments.open_dispute(payment_id=row.id, provider_ref=dispute_ref, amount_minor=amount_minor, now=now)
            if payments.close_dispute(provider_ref=dispute_ref, won=status == "won", now=now) is None:
                return []
        if subscription is None:
            return []
        facts = {"amount_minor": amount_minor or row.amount_minor, "currency": row.currency, "result": status}
        happened = [record(subscription, "chargeback", facts, now=now)]
        emit(DisputeChanged(subscription.pk, status, facts["amount_minor"], row.currency, rfc3339(now)))
        return happened + _after_dispute(subscription, status, now)


def _subject_of(payment_id: int) -> str:
    row = payment_by_id(payment_id)
    bill = invoice(row.invoice_id) if row else None
    return bill.subject if bill else ""


def _after_dispute(subscription: Subscription, status: str, now: datetime) -> list[Happened]:
    if subscription.status in rules.TERMINAL or subscription.status == "trialing":
        return []
    if status == "opened":
        happened = move(subscription, "dispute_opened", now=now)
        subscription.disputed_at = now
        set_due(subscription)
        subscription.save()
        return happened + sync_access(subscription, now)
    if status == "won":
        if subscription.disputed_at is None:
            return []
        subscription.disputed_at = None
        happened = [] if subscription.past_due_since else move(subscription, "dispute_won", now=now)
        set_due(subscription)
        subscription.save()
        return happened + sync_access(subscription, now)
    happened = move(subscription, "dispute_lost", now=now)
    happened += finish(subscription, now)
    emit(SubscriptionEnded(subscription.pk, "dispute_lost", rfc3339(now)))
    return happened


def chargeback(*, subscription_id: int, result: str, now: datetime) -> list[Happened]:
    """A chargeback of the newest payment, for the desk's own book and the time machine. RefusedError: `nothing_paid`,
    `nothing_disputed`."""
    paid = [p for p in payments_of_subject(subject(subscription_id)) if p.status == "succeeded"]
    if not paid:
        raise rules.RefusedError("nothing_paid")
    ref = f"dispute:{paid[-1].key}"
    if result == "opened" and dispute_named(ref) is not None:
        raise rules.RefusedError("disputed_before")
    if result == "won" and dispute_named(ref) is None:
        raise rules.RefusedError("nothing_disputed")
    return dispute(key=paid[-1].key, status=result, dispute_ref=ref, amount_minor=paid[-1].amount_minor, now=now)
