"""Background entries that write to readers: each finds what its letter says and hands it to `mail`. Each may run twice:
equal keys give equal letters."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings

from broadsheet.dates import add_months, parse_instant
from broadsheet.mail import Letter, send
from broadsheet.payments.events import RefundSettled
from broadsheet.payments.queries import InvoiceRow, invoice, invoices_of, mandate, open_invoices_of, refund
from broadsheet.readers.queries import administrators, reader
from broadsheet.subscriptions import actions, cooling_off, events, links, rules
from broadsheet.subscriptions.actions.foresight import ends_unpaid_on, renewal_ahead
from broadsheet.subscriptions.actions.history import policies, start_of, subject
from broadsheet.subscriptions.letters import agreement, ahead, presents, receipts, unpaid
from broadsheet.subscriptions.letters.words import Words
from broadsheet.subscriptions.models import Gift, Notice, Seat
from broadsheet.subscriptions.notice_plan import Ahead
from broadsheet.subscriptions.queries import SubscriptionRow, consents_of, subscription


def _post(reader_id: int, words: Words, key: str) -> None:
    card = reader(reader_id)
    if card is not None:  # else the account is closed: nobody is there to read it
        _post_to(card.email, words, key, name=card.name, foot=f"Your account: {links.account_link()}")


def _post_to(email: str, words: Words, key: str, *, name: str = "", foot: str = "") -> None:
    parts = [f"Dear {name or 'reader'},", *words.lines, *([foot] if foot else []), settings.BROADSHEET.name]
    send(Letter(to=email, subject=words.subject, text="\n\n".join(parts) + "\n", key=key))


def _named(reader_id: int) -> str:
    """A reader as others may call them."""
    card = reader(reader_id)
    return (card.name or card.email) if card else "Somebody"


def _next(subscription_id: int, at: str) -> Ahead | None:
    return renewal_ahead(subscription_id=subscription_id, now=parse_instant(at))


def _withdraw_until(row: SubscriptionRow, now: datetime) -> date | None:
    said = actions.may_withdraw(subscription_id=row.id, now=now)
    return said.until if said else None


def _agreed(row: SubscriptionRow) -> list[str]:
    """What they agreed to about withdrawing, which the law wants confirmed in writing."""
    kinds = (cooling_off.WAIVER, cooling_off.EARLY_START)
    return [one.text for one in consents_of(row.reader_id) if one.subscription_id == row.id and one.kind in kinds]


# Money


def send_receipt(
    event: events.SubscriptionStarted | events.SubscriptionRenewed | events.SubscriptionChanged,
) -> None:
    row, bill = subscription(event.subscription_id), invoice(event.invoice_id)
    if row is None or bill is None:
        return
    now, started = parse_instant(event.at), isinstance(event, events.SubscriptionStarted)
    what = (
        "started" if started else "renewed" if bill.kind == "period" else "seats" if bill.kind == "seats" else "changed"
    )
    words = receipts.receipt(
        row,
        bill,
        what,
        ahead=_next(row.id, event.at),
        withdraw_until=_withdraw_until(row, now) if started else None,
        agreed=_agreed(row) if started else (),
    )
    _post(row.reader_id, words, f"receipt:{bill.number}")


def welcome_trial(event: events.TrialStarted) -> None:
    row = subscription(event.subscription_id)
    if row is None or row.trial_end is None:
        return
    until = _withdraw_until(row, parse_instant(event.at))
    ahead_of = _next(row.id, event.at) if row.mandate_id else None
    _post(row.reader_id, receipts.trial_started(row, ahead_of, until), f"trial:{row.id}")


def send_refund(event: RefundSettled) -> None:
    row = refund(event.refund_id)
    bill = invoice(row.invoice_id) if row else None
    if row is not None and bill is not None:
        _post(bill.reader_id, receipts.refund_sent(row), f"refund:{row.id}")


def send_credit(event: events.CreditGiven) -> None:
    words = receipts.credit_given(event.amount_minor, event.currency, event.note)
    _post(event.reader_id, words, f"credit:{event.note or event.at}:{event.reader_id}")


def acknowledge_withdrawal(event: events.WithdrawalReceived) -> None:
    row = subscription(event.subscription_id)
    if row is not None:
        words = receipts.withdrawn(
            row,
            parse_instant(event.at),
            refund_minor=event.refund_minor,
            credit_minor=event.credit_minor,
            currency=event.currency,
            terms=event.terms,
        )
        _post(row.reader_id, words, f"withdrawn:{row.id}")


# Unpaid


def send_renewal_failed(event: events.RenewalFailed) -> None:
    row, bill = subscription(event.subscription_id), invoice(event.invoice_id)
    if row is None or bill is None:
        return
    again = event.code in ("", "declined") and not event.last_attempt
    words = unpaid.renewal_failed(
        row,
        bill,
        code=event.code,
        next_try=date.fromisoformat(event.next_attempt_on) if again else None,
        access_until=_still(event.access_until, event.at),
        ends_on=date.fromisoformat(event.ends_on) if event.ends_on else None,
    )
    _post(row.reader_id, words, f"failed:{bill.number}:{event.at}")


def _still(day: str, at: str) -> date | None:
    """A first day without access, as long as there is access before it."""
    until = date.fromisoformat(day)
    return until if start_of(until) > parse_instant(at) else None


def ask_for_payment(event: events.PaymentWanted) -> None:
    row, bill = subscription(event.subscription_id), invoice(event.invoice_id)
    if row is None or bill is None or bill.due_minor <= 0:
        return  # it was paid meanwhile
    why, limit = _why_asked(row, bill)
    words = unpaid.payment_wanted(
        row, bill, why=why, limit_minor=limit, access_until=row.access_until, ends_on=ends_unpaid_on(row.id)
    )
    _post(row.reader_id, words, f"wanted:{bill.number}")


def _why_asked(row: SubscriptionRow, bill: InvoiceRow) -> tuple[str, int | None]:
    held = mandate(row.mandate_id)
    if row.collection == "send_invoice":
        return "invoice", None
    if held is None or not held.usable:
        return "no_mandate", None
    if held.max_minor is not None and bill.due_minor > held.max_minor:
        return "maximum", held.max_minor
    return "limit", policies().auto_debit_limit_minor if bill.currency == "INR" else None


def tell_suspended(event: events.SubscriptionSuspended) -> None:
    row = subscription(event.subscription_id)
    if row is None or row.status != "suspended":
        return
    bills = open_invoices_of(subject(row.id))
    words = unpaid.suspended(row, bills[0] if bills else None, ends_unpaid_on(row.id))
    _post(row.reader_id, words, f"suspended:{row.id}:{event.at}")


def tell_mandate_lost(event: events.MandateLost) -> None:
    row = subscription(event.subscription_id)
    if row is not None and row.live:
        _post(row.reader_id, unpaid.mandate_lost(row), f"mandate:{row.id}:{row.mandate_id}")


def tell_desk_of_dispute(event: events.DisputeChanged) -> None:
    row = subscription(event.subscription_id)
    if row is None:
        return
    card = reader(row.reader_id)
    who = card.email if card else f"reader {row.reader_id}"
    words = unpaid.disputed(row, event.status, event.amount_minor, event.currency, who)
    for email in administrators():
        _post_to(email, words, f"dispute:{row.id}:{event.status}:{event.at}", name="colleague")


# The agreement


def confirm_change(event: events.ChangeScheduled) -> None:
    row = subscription(event.subscription_id)
    if row is not None and (row.pending_plan or row.pending_quantity):
        _post(row.reader_id, agreement.change_scheduled(row, _next(row.id, event.at)), f"change:{row.id}:{event.at}")


def send_cancellation(event: events.CancellationScheduled) -> None:
    row = subscription(event.subscription_id)
    if row is not None:
        _post(row.reader_id, agreement.cancelled(row), f"cancelled:{row.id}:{event.at}")


def send_uncancelled(event: events.CancellationWithdrawn) -> None:
    row = subscription(event.subscription_id)
    if row is not None:
        asks = actions.needs_mandate(row.id)
        words = agreement.uncancelled(row, _next(row.id, event.at), needs_mandate=asks)
        _post(row.reader_id, words, f"uncancelled:{row.id}:{event.at}")


def send_paused(event: events.SubscriptionPaused) -> None:
    row = subscription(event.subscription_id)
    if row is not None and row.pause_until is not None:
        _post(row.reader_id, agreement.paused(row), f"paused:{row.id}:{event.at}")


def send_resumed(event: events.SubscriptionResumed) -> None:
    row = subscription(event.subscription_id)
    if row is not None:
        _post(row.reader_id, agreement.resumed(row, _next(row.id, event.at)), f"resumed:{row.id}:{event.at}")


def say_goodbye(event: events.SubscriptionEnded) -> None:
    """Whoever withdrew has their receipt for that, which says it all."""
    row = subscription(event.subscription_id)
    if row is not None and event.reason != "withdrawn":
        _post(row.reader_id, agreement.ended(row, event.reason), f"ended:{row.id}")


def send_comp(event: events.CompGiven) -> None:
    row = subscription(event.subscription_id)
    if row is not None:
        _post(row.reader_id, agreement.comp_given(row), f"comp:{row.id}")


# Gifts and seats


def thank_giver(event: events.GiftBought) -> None:
    gift, bill = Gift.objects.select_related("plan").get(pk=event.gift_id), invoice(event.invoice_id)
    if bill is None:
        return
    at_once = start_of(gift.send_on) <= parse_instant(event.at)
    words = presents.gift_bought(
        gift.plan.name, gift.plan.months, gift.to_email, gift.send_on, bill, at_once=at_once
    )  # fmt: skip
    _post(gift.giver_id, words, f"receipt:{bill.number}")


def send_gift(event: events.GiftDue) -> None:
    """Tell whoever was given a subscription; and the giver, unless they bought it for today."""
    gift = Gift.objects.select_related("plan").get(pk=event.gift_id)
    words = presents.gift_for_you(
        gift.plan.name, gift.plan.months, _named(gift.giver_id), gift.message, gift.token
    )  # fmt: skip
    _post_to(gift.to_email, words, f"gift:{gift.pk}")
    if start_of(gift.send_on) > gift.created_at:
        _post(gift.giver_id, presents.gift_delivered(gift.to_email), f"gift-sent:{gift.pk}")


def invite_to_seat(event: events.SeatInvited) -> None:
    seat = Seat.objects.select_related("subscription__plan").get(pk=event.seat_id)
    if seat.removed_at is None and seat.claimed_at is None:
        payer = _named(seat.subscription.reader_id)
        words = presents.seat_invited(payer, seat.subscription.plan.name, seat.token)
        _post_to(seat.email, words, f"seat:{seat.pk}")


def tell_seat_removed(event: events.SeatRemoved) -> None:
    """Whoever never came need not hear that there is nothing to come to."""
    seat = Seat.objects.select_related("subscription__plan").get(pk=event.seat_id)
    if seat.reader_id is not None:
        _post(seat.reader_id, presents.seat_removed(seat.subscription.plan.name), f"seat-removed:{seat.pk}")


def tell_seats_cut(event: events.SeatsCut) -> None:
    row = subscription(event.subscription_id)
    if row is not None:
        words = presents.seats_cut(row.plan_name, row.quantity, event.emails)
        _post(row.reader_id, words, f"seats-cut:{row.id}:{event.at}")


# Ahead of time


_AHEAD = {
    "renewal_early": ahead.renewal,
    "renewal_soon": ahead.renewal,
    "trial_ending": ahead.trial_ending,
    "price_change": ahead.price_change,
    "mandate_needed": ahead.mandate_needed,
    "pre_debit": ahead.pre_debit,
    "term_ending": ahead.term_ending,
}


def send_notice(event: events.NoticeSent) -> None:
    notice = Notice.objects.get(pk=event.notice_id)
    row = subscription(notice.subscription_id)
    if row is None or row.status in rules.TERMINAL:
        return
    if notice.kind == "yearly_statement":
        words = _statement(row, notice, event.at)
    else:
        words = _AHEAD[notice.kind](row, notice.facts)
    _post(row.reader_id, words, f"notice:{notice.key}")


def _statement(row: SubscriptionRow, notice: Notice, at: str) -> Words:
    until = date.fromisoformat(notice.facts["on"])
    since = start_of(add_months(until, -12))
    paid = [
        bill
        for bill in invoices_of(subject(row.id))
        if bill.paid_at is not None and since <= bill.paid_at < start_of(until) and bill.total_minor
    ]
    return ahead.yearly_statement(row, notice.facts, paid, _next(row.id, at))
