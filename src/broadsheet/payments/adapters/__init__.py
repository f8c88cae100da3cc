"""The interface every payment provider answers to.

Providers see values, never our rows, and are always called outside our transactions. Every request carries a key of
ours; asking again with the same key has to tell the first call's result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

ChargeStatus = Literal["pending", "processing", "succeeded", "failed"]
# What a failed charge is told by. The first is worth another try; none of the others is.
FailureCode = Literal["declined", "hard_declined", "opted_out", "no_mandate", "withdrawn"]


class NoAnswerError(Exception):
    """The provider did not answer in time: nobody knows yet what became of the request. Ask again with its key."""


class SignatureError(Exception):
    """A message that claims to come from the provider is not signed by it, or is too old to be believed."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a till can do and what it asks for.

    `max_auto_minor`: the most it may debit without the reader present, by currency; None: no limit of its own.
    `revived`: whether a revoked mandate may be used again without asking the reader. `lists`: whether it can tell what
    was paid there, for the comparison of both books.
    """

    mandates: bool = True
    checkout: bool = True
    refunds: bool = True
    needs_notice: bool = False
    min_notice: timedelta = timedelta()
    max_auto_minor: Mapping[str, int] | None = None
    retries_itself: bool = False
    idempotent_charge: bool = True
    revived: bool = False
    lists: bool = True


@dataclass(frozen=True, slots=True)
class MandateWish:
    """What a reader is asked to allow: later debits by this rail, up to so much each (None: the rail's own limit)."""

    rail: str = "card"
    max_minor: int | None = None


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A page of the provider's where the reader pays and, with a `mandate`, allows later charges.

    `amount_minor` 0 asks for the mandate alone. `return_url` is a local path. `customer` is our name for the reader,
    such as `reader:12`.
    """

    key: str
    amount_minor: int
    currency: str
    description: str
    return_url: str
    at: datetime
    customer: str = ""
    email: str = ""
    mandate: MandateWish | None = None


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge by the mandate given earlier. `present`: the reader is there and has confirmed this very amount."""

    key: str
    amount_minor: int
    currency: str
    description: str
    mandate_ref: str
    at: datetime
    customer: str = ""
    email: str = ""
    present: bool = False
    # The word to the bank that went before, when the provider wants one.
    notice_ref: str = ""


@dataclass(frozen=True, slots=True)
class MandateSeen:
    """A mandate as the provider knows it."""

    ref: str
    rail: str = "card"
    max_minor: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class ChargeResult:
    """What became of a key. `pending`: nobody has decided yet. `at` is the provider's instant, when it knows one."""

    status: ChargeStatus
    provider_ref: str = ""
    mandate: MandateSeen | None = None
    failure_code: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    key: str
    charge_key: str
    charge_ref: str
    amount_minor: int
    currency: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundResult:
    status: ChargeStatus
    provider_ref: str = ""
    failure_code: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebhookNote:
    """One verified message, in our words. `kind`: `charge`, `refund`, `dispute`, `mandate_revoked` or `other`.

    `key` is ours when the provider sends it back, else `charge_ref` says which charge. `result` goes with a charge and
    a refund; `dispute` is opened, won or lost and `dispute_ref` its name there.
    """

    event_id: str
    kind: str
    key: str = ""
    charge_ref: str = ""
    mandate_ref: str = ""
    dispute: str = ""
    dispute_ref: str = ""
    amount_minor: int = 0
    result: ChargeResult | RefundResult | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    """A payment in the provider's list, for the comparison of both books."""

    key: str
    provider_ref: str
    amount_minor: int
    currency: str
    status: ChargeStatus
    at: datetime
    refunded_minor: int = 0


class Provider(Protocol):
    """A till. May raise NoAnswerError anywhere; every call may be repeated."""

    code: str
    # True: no money moves, so a walk into the future is harmless.
    sandbox: bool
    capabilities: Capabilities

    def open_checkout(self, request: CheckoutRequest) -> str:
        """The URL of the page to send the reader to."""

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """Charge by mandate."""

    def notify_debit(self, request: ChargeRequest, debit_at: datetime) -> str:
        """Have the reader told of a debit ahead; returns the notice's reference. Only where `needs_notice`."""

    def fetch(self, key: str, at: datetime) -> ChargeResult | None:
        """What became of `key`, as known at `at`; None when the provider never heard of it."""

    def withdraw(self, key: str, at: datetime) -> ChargeResult:
        """Close a checkout nobody has paid. When somebody has, that result stands and is returned."""

    def refund(self, request: RefundRequest) -> RefundResult:
        """Give money of a charge back."""

    def revoke_mandate(self, mandate_ref: str, at: datetime) -> None:
        """No charge by this mandate from now on."""

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, at: datetime) -> WebhookNote:
        """A verified message in our words. SignatureError for any other. Header names are in lower case."""

    def read_webhook(self, event_id: str, body: bytes) -> WebhookNote:
        """The same of a message that was verified when it came in, and kept."""

    def list_payments(self, since: datetime, until: datetime) -> Iterable[PaymentSeen]:
        """Every payment made there in `[since, until)`, whether or not we know of it; streamed page by page."""
