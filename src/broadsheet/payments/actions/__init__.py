"""The only writers of invoices, payments, mandates, refunds, credit and the books."""

from broadsheet.payments.actions.announcing import announce_debit
from broadsheet.payments.actions.attempts import (
    Outcome,
    apply_payment_result,
    begin_payment,
    check_later,
    fetch_result,
    open_checkout,
    request_charge,
    withdraw_checkout,
)
from broadsheet.payments.actions.credit import give_credit
from broadsheet.payments.actions.disputes import close_dispute, open_dispute
from broadsheet.payments.actions.documents import (
    InvoiceStateError,
    Money,
    earn_over,
    mark_uncollectible,
    open_invoice,
    quote,
    set_period,
    void_invoice,
    write_note,
)
from broadsheet.payments.actions.imports import MandateGiven, take_mandates, take_profiles
from broadsheet.payments.actions.mandates import (
    begin_mandate,
    complete_mandate,
    keep_mandate,
    mark_mandate_refused,
    note_mandate_revoked,
    open_mandate_page,
    revoke_mandate,
)
from broadsheet.payments.actions.merging import lend_profile, move_credit
from broadsheet.payments.actions.profiles import save_profile
from broadsheet.payments.actions.receipts import pay_by_hand
from broadsheet.payments.actions.refunds import (
    RefundRefusedError,
    apply_refund_result,
    approve_refund,
    ask_refund,
    credit_instead,
    refund_surplus,
    refuse_refund,
    submit_refund,
)
from broadsheet.payments.actions.taxes import ensure_default_taxes, set_tax_rate

__all__ = [
    "InvoiceStateError",
    "MandateGiven",
    "Money",
    "Outcome",
    "RefundRefusedError",
    "announce_debit",
    "apply_payment_result",
    "apply_refund_result",
    "approve_refund",
    "ask_refund",
    "begin_mandate",
    "begin_payment",
    "check_later",
    "close_dispute",
    "complete_mandate",
    "credit_instead",
    "earn_over",
    "ensure_default_taxes",
    "fetch_result",
    "give_credit",
    "keep_mandate",
    "lend_profile",
    "mark_mandate_refused",
    "mark_uncollectible",
    "move_credit",
    "note_mandate_revoked",
    "open_checkout",
    "open_dispute",
    "open_invoice",
    "open_mandate_page",
    "pay_by_hand",
    "quote",
    "refund_surplus",
    "refuse_refund",
    "request_charge",
    "revoke_mandate",
    "save_profile",
    "set_period",
    "set_tax_rate",
    "submit_refund",
    "take_mandates",
    "take_profiles",
    "void_invoice",
    "withdraw_checkout",
    "write_note",
]
