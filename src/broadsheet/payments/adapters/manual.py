"""Payments that staff take by hand: bank transfer, cash, cheque. Money is written down when it comes.

The "till" is a page with the publisher's bank details. What was paid is booked by `payments.actions.pay_by_hand` with
its reference; what goes back, the publisher's own bank sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core import signing

from broadsheet.payments.adapters import (
    Capabilities,
    ChargeRequest,
    ChargeResult,
    CheckoutRequest,
    PaymentSeen,
    RefundRequest,
    RefundResult,
    SignatureError,
    WebhookNote,
)

_SALT = "broadsheet.payments.manual"


@dataclass(frozen=True, slots=True)
class TransferPage:
    """What the page with the bank details is about."""

    key: str
    amount_minor: int
    currency: str
    description: str
    return_url: str


def transfer_page(token: str) -> TransferPage | None:
    """The page whose address we gave out; None for any other address."""
    try:
        return TransferPage(*signing.loads(token, salt=_SALT))
    except (signing.BadSignature, TypeError):
        return None


class ManualTill:
    """Answers to `payments.adapters.Provider`."""

    code = "manual"
    sandbox = False
    capabilities = Capabilities(mandates=False, refunds=False, lists=False)

    def open_checkout(self, request: CheckoutRequest) -> str:
        # The page keeps nothing: what it shows is in its address, which nobody but us can make.
        shown = [request.key, request.amount_minor, request.currency, request.description, request.return_url]
        return f"/transfer/{signing.dumps(shown, salt=_SALT, compress=True)}/"

    def charge(self, request: ChargeRequest) -> ChargeResult:
        return ChargeResult("failed", failure_code="no_mandate", at=request.at)

    def notify_debit(self, request: ChargeRequest, debit_at: datetime) -> str:
        raise NotImplementedError("Nobody is debited by hand.")

    def fetch(self, key: str, at: datetime) -> ChargeResult | None:
        return ChargeResult("pending")

    def withdraw(self, key: str, at: datetime) -> ChargeResult:
        return ChargeResult("failed", failure_code="withdrawn", at=at)

    def refund(self, request: RefundRequest) -> RefundResult:
        """Whoever asks sends the money from the publisher's bank: the asking is all there is to record."""
        return RefundResult("succeeded", "by hand", at=request.at)

    def revoke_mandate(self, mandate_ref: str, at: datetime) -> None:
        """There is none."""

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, at: datetime) -> WebhookNote:
        raise SignatureError("Nobody sends messages about payments by hand.")

    def read_webhook(self, event_id: str, body: bytes) -> WebhookNote:
        raise ValueError("Nobody sends messages about payments by hand.")

    def list_payments(self, since: datetime, until: datetime) -> Iterator[PaymentSeen]:
        return iter(())
