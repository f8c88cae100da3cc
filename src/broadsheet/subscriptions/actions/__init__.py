"""The only writers of plans and subscriptions. One verb a function, `now` passed in, refusals are `RefusedError`."""

from broadsheet.subscriptions.actions.cancellation import cancel_at_period_end, end_cancelled, undo_cancel
from broadsheet.subscriptions.actions.catalogue import ensure_default_plans
from broadsheet.subscriptions.actions.checkout import (
    Checkout,
    collect_checkouts,
    complete_checkout,
    expire_checkouts,
    start_checkout,
)
from broadsheet.subscriptions.actions.history import Happened
from broadsheet.subscriptions.actions.renewals import renew_due, run_due
from broadsheet.subscriptions.actions.settlement import record_result, settle_invoice
from broadsheet.subscriptions.rules import RefusedError

__all__ = [
    "Checkout",
    "Happened",
    "RefusedError",
    "cancel_at_period_end",
    "collect_checkouts",
    "complete_checkout",
    "end_cancelled",
    "ensure_default_plans",
    "expire_checkouts",
    "record_result",
    "renew_due",
    "run_due",
    "settle_invoice",
    "start_checkout",
    "undo_cancel",
]
