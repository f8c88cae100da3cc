"""Background entries: the effects of a payment, the billing clock, what follows from them. Each may run
twice. The letters stand in jobs_letters."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.bus.actions import emit, remember
from broadsheet.dates import parse_instant, rfc3339
from broadsheet.payments.events import PaymentSettled
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.desk_queries import LAST_RUN
from broadsheet.subscriptions.events import (
    BaseImported,
    MandateUnwanted,
    PriceSet,
    ProductsChanged,
    SubscriptionEnded,
)
from broadsheet.subscriptions.queries import subscription

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


def sync_holders(event: ProductsChanged) -> None:
    """Who has a plan that unlocks something else may read accordingly: a batch a job."""
    go_on_after = actions.sync_holders(plan_id=event.plan_id, after=event.after, now=clock.now())
    if go_on_after is not None:
        emit(ProductsChanged(event.plan_id, go_on_after))


def plan_notices_of_imported(event: BaseImported) -> None:
    """Who was taken over is told ahead of their renewals as everybody is: a hundred a job, so that no job is long."""
    go_on_from = actions.plan_imported(first=event.first, last=event.last, now=clock.now())
    if go_on_from is not None:
        emit(BaseImported(go_on_from, event.last, event.at))


def drop_mandate(event: MandateUnwanted) -> None:
    """Nothing may be charged by it any more: at the provider too."""
    actions.give_back_mandate(mandate_id=event.mandate_id, now=parse_instant(event.at))


def finish_subscription(event: SubscriptionEnded) -> None:
    """Give the mandate back, so that no later debit can happen."""
    row = subscription(event.subscription_id)
    if row is not None and row.mandate_id:
        actions.give_back_mandate(mandate_id=row.mandate_id, now=parse_instant(event.at))
