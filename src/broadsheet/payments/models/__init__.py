"""What is owed, what was paid, what went back; the books they are kept in; what providers told us."""

from broadsheet.payments.models.deferrals import Deferral
from broadsheet.payments.models.documents import (
    BillingProfile,
    CreditNote,
    DocumentSeries,
    Invoice,
    InvoiceLine,
    TaxRate,
)
from broadsheet.payments.models.inbox import Discrepancy, WebhookEvent
from broadsheet.payments.models.ledger import CreditEntry, JournalEntry, JournalLine
from broadsheet.payments.models.money import Dispute, Mandate, Payment, Refund
from broadsheet.payments.models.tills import SandboxCharge, SandboxMandate, SandboxRefund, SandboxScript

__all__ = [
    "BillingProfile",
    "CreditEntry",
    "CreditNote",
    "Deferral",
    "Discrepancy",
    "Dispute",
    "DocumentSeries",
    "Invoice",
    "InvoiceLine",
    "JournalEntry",
    "JournalLine",
    "Mandate",
    "Payment",
    "Refund",
    "SandboxCharge",
    "SandboxMandate",
    "SandboxRefund",
    "SandboxScript",
    "TaxRate",
    "WebhookEvent",
]
