"""Letters about the agreement itself: changed, paused, cancelled, ended, given."""

from __future__ import annotations

from broadsheet.subscriptions import links
from broadsheet.subscriptions.cards import last_day, longday
from broadsheet.subscriptions.letters.words import Words, joined, paper, renews
from broadsheet.subscriptions.notice_plan import Ahead
from broadsheet.subscriptions.queries import SubscriptionRow


def change_scheduled(row: SubscriptionRow, ahead: Ahead | None) -> Words:
    what = f"the {row.pending_plan} subscription" if row.pending_plan else f"{row.pending_quantity} seats"
    return Words(
        "Your change is noted",
        joined(
            f"From {longday(row.paid_until)} you will have {what}. Until then everything stays as it is.",
            renews(ahead) if ahead else "",
            f"You can take this back until then, in your account: {links.account_link()}",
        ),
    )


def cancelled(row: SubscriptionRow) -> Words:
    until = (
        f"You can read on to the end of {last_day(row.paid_until)}. Until then you can take the cancellation back in "
        f"your account: {links.account_link()}"
    )
    return Words(
        "Your subscription is cancelled",
        (f"Your {row.plan_name} subscription is cancelled. You will not be charged again.", until),
    )


def uncancelled(row: SubscriptionRow, ahead: Ahead | None, *, needs_mandate: bool) -> Words:
    ask = (
        "Your permission to debit it ended with the cancellation. If you would like it to be debited again, allow it "
        f"anew: {links.mandate_link()}"
    )
    return Words(
        "Your subscription goes on",
        joined(
            f"You have taken your cancellation back: your {row.plan_name} subscription to {paper()} goes on.",
            renews(ahead) if ahead else "",
            ask if needs_mandate else "",
        ),
    )


def paused(row: SubscriptionRow) -> Words:
    assert row.pause_until is not None
    return Words(
        "Your subscription is paused",
        (
            (
                f"Your {row.plan_name} subscription to {paper()} is paused. It goes on by itself on "
                f"{longday(row.pause_until)}; the days of the pause are added to its end."
            ),
            f"You can go on earlier in your account: {links.account_link()}",
        ),
    )


def resumed(row: SubscriptionRow, ahead: Ahead | None) -> Words:
    return Words(
        "Your subscription goes on",
        joined(
            f"Your pause is over: you can read again, and what you have paid for now lasts to the end of "
            f"{last_day(row.paid_until)}.",
            renews(ahead) if ahead else "",
        ),
    )


_WHY = {
    "nonpayment": "because its renewal was not paid",
    "cancelled": "as you asked",
    "dispute_lost": "because its payment was taken back by your bank",
}
_TERMS = {
    "gift": "The {plan} subscription to {paper} that you were given has ended.",
    "comp": "Your complimentary {plan} subscription to {paper} has ended.",
}


def ended(row: SubscriptionRow, reason: str) -> Words:
    back = f"You are welcome back at any time: {links.plans_link()}"
    if reason == "no_payment_method":
        return Words(
            "Your trial has ended",
            (
                f"Your trial of the {row.plan_name} subscription to {paper()} has ended. Nothing was charged.",
                f"If you liked it, you can go on reading: {links.plan_link(row.plan_code)}",
            ),
        )
    if reason == "term_over":
        words = _TERMS.get(row.origin, "The term of your {plan} subscription to {paper} has ended.")
        opening = f"{words.format(plan=row.plan_name, paper=paper())} Nothing has been charged."
    else:
        opening = f"Your {row.plan_name} subscription has ended, {_WHY.get(reason, 'as agreed')}."
    return Words("Your subscription has ended", (f"{opening} Thank you for reading {paper()}.", back))


def comp_given(row: SubscriptionRow) -> Words:
    return Words(
        f"{paper()} for you",
        (
            (
                f"You have been given the {row.plan_name} subscription to {paper()}: you can read to the end of "
                f"{last_day(row.paid_until)}. It costs you nothing, and it ends by itself."
            ),
        ),
    )
