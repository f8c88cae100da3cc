"""Background entries: the effects of a payment, the letters to readers, the billing clock. Each may run twice."""

from __future__ import annotations

from datetime import date

from django.conf import settings

from broadsheet import clock
from broadsheet.bus.actions import emit, remember
from broadsheet.dates import parse_instant, rfc3339
from broadsheet.mail import Letter, send
from broadsheet.money import format_money
from broadsheet.payments.events import PaymentSettled
from broadsheet.payments.queries import invoice
from broadsheet.readers.queries import reader
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.cards import last_day, longday, span
from broadsheet.subscriptions.desk_queries import LAST_RUN
from broadsheet.subscriptions.events import (
    BaseImported,
    CancellationScheduled,
    GiftDue,
    MandateUnwanted,
    PriceSet,
    RenewalFailed,
    SubscriptionChanged,
    SubscriptionEnded,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from broadsheet.subscriptions.queries import SubscriptionRow, subscription

AT_ONCE = 100  # about a second: a night of many renewals leaves room for stories to be printed


def run_billing() -> None:
    """Everything that is due by now: renewals, retries, ends, lapsed checkouts, payments nobody came back from."""
    now = clock.now()
    happened = actions.run_due(now=now, most=AT_ONCE)
    if happened or now.second < 1:  # told once a minute: an idle paper writes nothing
        remember(LAST_RUN, {"at": rfc3339(now)})


def settle_payment(event: PaymentSettled) -> None:
    """The second pair of hands: does nothing when the payment has had its effect already."""
    actions.settle_invoice(invoice_id=event.invoice_id, now=parse_instant(event.at))


def plan_notices_again(event: PriceSet) -> None:
    """Who has a plan whose price was changed is told in time: a batch a job, so that no job is long."""
    go_on_after = actions.plan_again(plan_id=event.plan_id, after=event.after, now=clock.now())
    if go_on_after is not None:
        emit(PriceSet(event.plan_id, go_on_after))


def plan_notices_of_imported(event: BaseImported) -> None:
    """Who was taken over is told ahead of their renewals as everybody is."""
    actions.plan_imported(first=event.first, last=event.last, now=clock.now())


def _letter(row: SubscriptionRow, subject: str, lines: list[str], key: str) -> None:
    card = reader(row.reader_id)
    if card is None:
        return  # the account is closed: nobody is there to read it
    account = f"{settings.BROADSHEET.public_url}/account/"
    text = "\n\n".join([f"Dear {card.name or 'reader'},", *lines, f"Your account: {account}", settings.BROADSHEET.name])
    send(Letter(to=card.email, subject=subject, text=text + "\n", key=key))


def send_receipt(event: SubscriptionStarted | SubscriptionRenewed | SubscriptionChanged) -> None:
    row, bill = subscription(event.subscription_id), invoice(event.invoice_id)
    if row is None or bill is None:
        return
    name, site = settings.BROADSHEET.name, settings.BROADSHEET.public_url
    amount = format_money(bill.total_minor, bill.currency)
    opening, subject = (
        (f"Welcome to {name}. Your {row.plan_name} subscription is open.", f"Welcome to {name}")
        if isinstance(event, SubscriptionStarted)
        else (f"Your {row.plan_name} subscription has been renewed.", f"Your subscription to {name} is renewed")
    )
    receipt = (
        f"We received {amount} for {span(bill.period_start, bill.period_end)}. "
        f"Your invoice {bill.number}: {site}/account/invoices/{bill.number}/"
    )
    lines = [opening, receipt]
    if row.next_charge_on:
        renewal = (
            f"It renews on {longday(row.next_charge_on)} for {format_money(row.amount_minor, row.currency)}. You can "
            "cancel in your account at any time; you then read on until the end of what you have paid for."
        )
        lines.append(renewal)
    _letter(row, subject, lines, f"receipt:{bill.number}")


def send_renewal_failed(event: RenewalFailed) -> None:
    row, bill = subscription(event.subscription_id), invoice(event.invoice_id)
    if row is None or bill is None:
        return
    amount = format_money(bill.total_minor, bill.currency)
    until, again = date.fromisoformat(event.access_until), date.fromisoformat(event.next_attempt_on)
    what = f"We could not collect {amount} for your {row.plan_name} subscription. Nothing has been charged."
    then = (
        f"Your subscription ends on {longday(again)} unless you subscribe anew."
        if event.last_attempt
        else f"We will try again on {longday(again)}. If you would rather stop, you can cancel in your account."
    )
    reading = f"You can read to the end of {last_day(until)}."
    _letter(row, "Your payment did not go through", [what, reading, then], f"failed:{bill.number}:{again}")


def send_cancellation(event: CancellationScheduled) -> None:
    row = subscription(event.subscription_id)
    if row is None:
        return
    reading = (
        f"You can read on to the end of {last_day(row.paid_until)}. "
        "Until then you can take the cancellation back in your account."
    )
    lines = [f"Your {row.plan_name} subscription is cancelled. You will not be charged again.", reading]
    _letter(row, "Your subscription is cancelled", lines, f"cancelled:{row.id}:{event.at}")


_WHY = {
    "nonpayment": "because we could not collect the payment for its renewal",
    "cancelled": "as you asked",
    "no_payment_method": "because no payment method was given; nothing was charged",
    "dispute_lost": "because its payment was taken back by your bank",
}


def drop_mandate(event: MandateUnwanted) -> None:
    """Nothing may be charged by it any more: at the provider too."""
    actions.give_back_mandate(mandate_id=event.mandate_id, now=parse_instant(event.at))


def send_gift(event: GiftDue) -> None:
    """Tell whoever was given a subscription."""


def finish_subscription(event: SubscriptionEnded) -> None:
    """Give the mandate back, so that no later debit can happen, and say goodbye."""
    row = subscription(event.subscription_id)
    if row is None:
        return
    if row.mandate_id:
        actions.give_back_mandate(mandate_id=row.mandate_id, now=parse_instant(event.at))
    why = _WHY.get(event.reason, "as agreed")
    lines = [
        f"Your {row.plan_name} subscription has ended, {why}. Thank you for reading {settings.BROADSHEET.name}.",
        f"You are welcome back at any time: {settings.BROADSHEET.public_url}/subscribe/",
    ]
    _letter(row, "Your subscription has ended", lines, f"ended:{row.id}")
