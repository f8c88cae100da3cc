"""What became of subscriptions. `at` is an instant in RFC 3339; the letters to readers hang on these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SubscriptionStarted:
    subscription_id: int
    invoice_id: int
    at: str


@dataclass(frozen=True, slots=True)
class SubscriptionRenewed:
    subscription_id: int
    invoice_id: int
    at: str


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """Another plan or more seats, paid for."""

    subscription_id: int
    invoice_id: int
    at: str


@dataclass(frozen=True, slots=True)
class RenewalFailed:
    """A charge came to nothing, for `code` as providers tell it. `next_attempt_on` is the local date of the next try of
    the dunning plan, empty after the last one; `access_until` the first day without access; `ends_on` the day on which
    it is over, empty when it never is by itself."""

    subscription_id: int
    invoice_id: int
    next_attempt_on: str
    last_attempt: bool
    access_until: str
    at: str
    code: str = ""
    ends_on: str = ""


@dataclass(frozen=True, slots=True)
class CancellationScheduled:
    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class SubscriptionEnded:
    """`reason` is `cancelled`, `withdrawn`, `nonpayment`, `no_payment_method`, `term_over` or `dispute_lost`."""

    subscription_id: int
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class MandateUnwanted:
    """Nothing is to be charged by it any more: it is given back at the provider."""

    mandate_id: int
    at: str


@dataclass(frozen=True, slots=True)
class GiftDue:
    """The day of a gift has come: whoever it is for is told."""

    gift_id: int
    at: str


@dataclass(frozen=True, slots=True)
class WithdrawalReceived:
    """A reader withdrew from the contract. `refund_minor` is on its way back to them, `credit_minor` is what they paid
    from their credit and have again; `terms` is `full` or `pro_rata`."""

    subscription_id: int
    refund_minor: int
    credit_minor: int
    currency: str
    terms: str
    at: str


@dataclass(frozen=True, slots=True)
class SeatInvited:
    seat_id: int
    at: str


@dataclass(frozen=True, slots=True)
class SeatRemoved:
    """Somebody lost the seat they had been invited to or had taken."""

    seat_id: int
    at: str


@dataclass(frozen=True, slots=True)
class SeatsCut:
    """A group came to have fewer seats than were given: those of `emails` were freed."""

    subscription_id: int
    emails: list[str]
    at: str


@dataclass(frozen=True, slots=True)
class NoticeSent:
    """A word ahead of time is due to a reader; the letter goes now."""

    notice_id: int
    at: str


@dataclass(frozen=True, slots=True)
class PriceSet:
    """A plan has another price: who has the plan is told in time, from the subscription after `after` on."""

    plan_id: int
    after: int


@dataclass(frozen=True, slots=True)
class ProductsChanged:
    """A plan unlocks other products: who has it may read accordingly, from the subscription after `after` on."""

    plan_id: int
    after: int


@dataclass(frozen=True, slots=True)
class TrialStarted:
    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class ChangeScheduled:
    """Another plan, or fewer seats, from the next period on."""

    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class PaymentWanted:
    """A renewal fell due that we do not collect ourselves: the reader pays it by a link."""

    subscription_id: int
    invoice_id: int
    at: str


@dataclass(frozen=True, slots=True)
class SubscriptionSuspended:
    """Unpaid for so long that the reader cannot read; paying brings it back."""

    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class SubscriptionPaused:
    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class SubscriptionResumed:
    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class CancellationWithdrawn:
    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class MandateLost:
    """The reader or their bank ended the permission to charge, over there."""

    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class CreditGiven:
    """A reader's next invoices come to less. `note` is the credit note's number, empty for a gesture of the desk."""

    reader_id: int
    subscription_id: int | None
    amount_minor: int
    currency: str
    note: str
    at: str


@dataclass(frozen=True, slots=True)
class DisputeChanged:
    """A chargeback was opened, won or lost (`status`)."""

    subscription_id: int
    status: str
    amount_minor: int
    currency: str
    at: str


@dataclass(frozen=True, slots=True)
class GiftBought:
    gift_id: int
    invoice_id: int
    at: str


@dataclass(frozen=True, slots=True)
class CompGiven:
    subscription_id: int
    at: str


@dataclass(frozen=True, slots=True)
class BaseImported:
    """Subscriptions `first` to `last` were taken over from another system."""

    first: int
    last: int
    at: str
