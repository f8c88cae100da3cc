"""The only writers of plans, subscriptions, gifts and seats. Each returns what happened, as the commands print it."""

from broadsheet.subscriptions.actions.cancellation import cancel, needs_mandate, uncancel
from broadsheet.subscriptions.actions.catalogue import (
    ensure_default_plans,
    retire_plan,
    set_price,
    set_products,
    sync_holders,
)
from broadsheet.subscriptions.actions.changes import (
    ChangeQuote,
    change_plan,
    preview_change,
    preview_quantity,
    set_quantity,
)
from broadsheet.subscriptions.actions.checkout import Checkout, complete_checkout, start_checkout
from broadsheet.subscriptions.actions.clockwork import next_due, run_due
from broadsheet.subscriptions.actions.consent import ConsentRow, record_consent
from broadsheet.subscriptions.actions.desk import note_reason, note_receipt, refuse_refund, retry
from broadsheet.subscriptions.actions.gifts import buy_gift, redeem_gift
from broadsheet.subscriptions.actions.groups import claim_seat, invite_seat, remove_seat, set_seat_domain
from broadsheet.subscriptions.actions.history import Happened
from broadsheet.subscriptions.actions.imports import plan_imported
from broadsheet.subscriptions.actions.merging import merge_readers
from broadsheet.subscriptions.actions.methods import (
    TillPage,
    chargeback,
    complete_mandate,
    dispute,
    give_back_mandate,
    give_credit,
    mandate_revoked,
    pay,
    start_mandate,
    start_payment,
)
from broadsheet.subscriptions.actions.notices import plan_again
from broadsheet.subscriptions.actions.pausing import pause, resume
from broadsheet.subscriptions.actions.quoting import CheckoutQuote, quote_checkout, quote_gift, quote_renewal, rails
from broadsheet.subscriptions.actions.refunding import approve_refund, record_refund_result, refund_payment
from broadsheet.subscriptions.actions.renewals import work_one
from broadsheet.subscriptions.actions.returning import (
    complete_gift,
    complete_new_mandate,
    complete_payment,
    leave_checkout,
    pay_gift,
)
from broadsheet.subscriptions.actions.settlement import record_result, settle_invoice
from broadsheet.subscriptions.actions.staff import comp, extend
from broadsheet.subscriptions.actions.withdrawal import Withdrawal, may_withdraw, withdraw

__all__ = [
    "ChangeQuote",
    "Checkout",
    "CheckoutQuote",
    "ConsentRow",
    "Happened",
    "TillPage",
    "Withdrawal",
    "approve_refund",
    "buy_gift",
    "cancel",
    "change_plan",
    "chargeback",
    "claim_seat",
    "comp",
    "complete_checkout",
    "complete_gift",
    "complete_mandate",
    "complete_new_mandate",
    "complete_payment",
    "dispute",
    "ensure_default_plans",
    "extend",
    "give_back_mandate",
    "give_credit",
    "invite_seat",
    "leave_checkout",
    "mandate_revoked",
    "may_withdraw",
    "merge_readers",
    "needs_mandate",
    "next_due",
    "note_reason",
    "note_receipt",
    "pause",
    "pay",
    "pay_gift",
    "plan_again",
    "plan_imported",
    "preview_change",
    "preview_quantity",
    "quote_checkout",
    "quote_gift",
    "quote_renewal",
    "rails",
    "record_consent",
    "record_refund_result",
    "record_result",
    "redeem_gift",
    "refund_payment",
    "refuse_refund",
    "remove_seat",
    "resume",
    "retire_plan",
    "retry",
    "run_due",
    "set_price",
    "set_products",
    "set_quantity",
    "set_seat_domain",
    "settle_invoice",
    "start_checkout",
    "start_mandate",
    "start_payment",
    "sync_holders",
    "uncancel",
    "withdraw",
    "work_one",
]
