"""The part of the page of wiring that billing needs to run by itself, without the newsroom and the site: for the time
machine's scratch papers. `wiring` takes it over whole."""

from __future__ import annotations

from broadsheet.bus import actions as bus
from broadsheet.payments import jobs as payment_jobs
from broadsheet.payments import ports as payment_ports
from broadsheet.payments.events import PaymentFailed, PaymentSettled, RefundSettled, WebhookReceived
from broadsheet.subscriptions import actions as subscriptions
from broadsheet.subscriptions import jobs as subscription_jobs
from broadsheet.subscriptions.events import (
    BaseImported,
    CancellationScheduled,
    CancellationWithdrawn,
    ChangeScheduled,
    CompGiven,
    CreditGiven,
    DisputeChanged,
    GiftBought,
    GiftDue,
    MandateLost,
    MandateUnwanted,
    NoticeSent,
    PaymentWanted,
    PriceSet,
    RenewalFailed,
    SeatInvited,
    SeatRemoved,
    SeatsCut,
    SubscriptionChanged,
    SubscriptionEnded,
    SubscriptionPaused,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStarted,
    SubscriptionSuspended,
    TrialStarted,
    WithdrawalReceived,
)

HANDLERS = {
    PaymentSettled: (subscription_jobs.settle_payment,),
    PaymentFailed: (),
    RefundSettled: (),
    WebhookReceived: (payment_jobs.follow_webhook,),
    SubscriptionStarted: (subscription_jobs.send_receipt,),
    SubscriptionRenewed: (subscription_jobs.send_receipt,),
    SubscriptionChanged: (subscription_jobs.send_receipt,),
    RenewalFailed: (subscription_jobs.send_renewal_failed,),
    CancellationScheduled: (subscription_jobs.send_cancellation,),
    SubscriptionEnded: (subscription_jobs.finish_subscription,),
    MandateUnwanted: (subscription_jobs.drop_mandate,),
    GiftDue: (subscription_jobs.send_gift,),
    SeatInvited: (),
    SeatRemoved: (),
    SeatsCut: (),
    WithdrawalReceived: (),
    NoticeSent: (),
    TrialStarted: (),
    ChangeScheduled: (),
    PaymentWanted: (),
    SubscriptionSuspended: (),
    SubscriptionPaused: (),
    SubscriptionResumed: (),
    CancellationWithdrawn: (),
    MandateLost: (),
    CreditGiven: (),
    DisputeChanged: (),
    GiftBought: (),
    CompGiven: (),
    PriceSet: (subscription_jobs.plan_notices_again,),
    BaseImported: (subscription_jobs.plan_notices_of_imported,),
}


def connect_ports() -> None:
    """What follows from a provider's word lies above payments."""
    payment_ports.connect(
        record_result=subscriptions.record_result,
        refund_result=subscriptions.record_refund_result,
        dispute=subscriptions.dispute,
        mandate_revoked=subscriptions.mandate_revoked,
    )


def connect() -> None:
    """Called once, when every app of a scratch paper is loaded."""
    bus.connect(HANDLERS)
    connect_ports()
