"""The part of the page of wiring that billing needs to run by itself, without the newsroom and the site: for the time
machine's scratch papers. `wiring` takes it over whole."""

from __future__ import annotations

from broadsheet.bus import actions as bus
from broadsheet.payments import jobs as payment_jobs
from broadsheet.payments import ports as payment_ports
from broadsheet.payments.events import PaymentFailed, PaymentSettled, RefundSettled, WebhookReceived
from broadsheet.subscriptions import actions as subscriptions
from broadsheet.subscriptions import jobs as subscription_jobs
from broadsheet.subscriptions import jobs_letters as letters
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
    ProductsChanged,
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
    RefundSettled: (letters.send_refund,),
    WebhookReceived: (payment_jobs.follow_webhook,),
    SubscriptionStarted: (letters.send_receipt,),
    SubscriptionRenewed: (letters.send_receipt,),
    SubscriptionChanged: (letters.send_receipt,),
    RenewalFailed: (letters.send_renewal_failed,),
    CancellationScheduled: (letters.send_cancellation,),
    SubscriptionEnded: (subscription_jobs.finish_subscription, letters.say_goodbye),
    MandateUnwanted: (subscription_jobs.drop_mandate,),
    GiftDue: (letters.send_gift,),
    SeatInvited: (letters.invite_to_seat,),
    SeatRemoved: (letters.tell_seat_removed,),
    SeatsCut: (letters.tell_seats_cut,),
    WithdrawalReceived: (letters.acknowledge_withdrawal,),
    NoticeSent: (letters.send_notice,),
    TrialStarted: (letters.welcome_trial,),
    ChangeScheduled: (letters.confirm_change,),
    PaymentWanted: (letters.ask_for_payment,),
    SubscriptionSuspended: (letters.tell_suspended,),
    SubscriptionPaused: (letters.send_paused,),
    SubscriptionResumed: (letters.send_resumed,),
    CancellationWithdrawn: (letters.send_uncancelled,),
    MandateLost: (letters.tell_mandate_lost,),
    CreditGiven: (letters.send_credit,),
    DisputeChanged: (letters.tell_desk_of_dispute,),
    GiftBought: (letters.thank_giver,),
    CompGiven: (letters.send_comp,),
    PriceSet: (subscription_jobs.plan_notices_again,),
    ProductsChanged: (subscription_jobs.sync_holders,),
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
