"""What staff may do to a subscription, one form a deed.

Each form knows how to do it: `run` is called once it is valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from babel.numbers import get_currency_precision
from django import forms

from broadsheet import ids
from broadsheet.money import format_money
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.actions import ChangeQuote, Happened
from broadsheet.subscriptions.cards import longday
from broadsheet.subscriptions.desk_queries import codes_on_sale
from broadsheet.subscriptions.queries import SubscriptionRow
from broadsheet.subscriptions.rules import RefusedError


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does it to whom, and when."""

    row: SubscriptionRow
    actor: str
    now: datetime

    def minor(self, amount: Decimal) -> int:
        return int(amount.scaleb(get_currency_precision(self.row.currency)))


class Deed(forms.Form):
    """`label` is the button, `told` what happens; `statuses` are those in which it makes sense."""

    label: ClassVar[str]
    told: ClassVar[str]
    statuses: ClassVar[tuple[str, ...]] = ("trialing", "active", "past_due", "suspended", "paused")
    # Pressing twice does it once: the form carries the name under which money is moved.
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args: Any, row: SubscriptionRow, **kwargs: Any) -> None:
        super().__init__(*args, initial={"key": ids.token(12)}, **kwargs)
        self.row = row

    def run(self, doing: Doing) -> list[Happened]:
        raise NotImplementedError

    def preview(self, doing: Doing) -> list[str]:  # noqa: ARG002 - for those that can say more
        """What exactly it would bring, said before it is done; empty when the form says it all."""
        return []


class Reasoned(Deed):
    reason = forms.CharField(max_length=200, help_text="Stays in the history, with your name.")


class Extend(Reasoned):
    label, told = "Give days", "Days are added at the end of what is paid; later periods are counted from there."
    statuses = ("trialing", "active", "paused")
    days = forms.IntegerField(min_value=1, max_value=366)
    field_order = ("days", "reason")

    def run(self, doing: Doing) -> list[Happened]:
        said = self.cleaned_data
        return actions.extend(
            subscription_id=doing.row.id, days=said["days"], actor=doing.actor, reason=said["reason"], now=doing.now
        )


class Cancel(Reasoned):
    label, told = "Cancel", "No further charge. At the end of what is paid, or at once."
    when = forms.ChoiceField(
        choices=(("period_end", "At the end of what is paid"), ("now", "At once")), widget=forms.RadioSelect
    )
    refund = forms.ChoiceField(
        label="The unused rest, when it ends at once",
        choices=(("none", "is kept"), ("unused", "is refunded"), ("credit", "becomes credit")),
        initial="none",
        widget=forms.RadioSelect,
    )
    field_order = ("when", "refund", "reason")

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if said.get("when") == "period_end" and said.get("refund") not in (None, "none"):
            self.add_error("refund", "Only what ends at once leaves an unused rest.")
        return said

    def run(self, doing: Doing) -> list[Happened]:
        said = self.cleaned_data
        return actions.cancel(
            subscription_id=doing.row.id,
            when=said["when"],
            refund=said["refund"],
            actor=doing.actor,
            reason=said["reason"],
            now=doing.now,
        )


class Uncancel(Deed):
    label, told = "Take the cancellation back", "It goes on as if nothing had been said, with the same date."
    statuses = ("trialing", "active", "paused")

    def run(self, doing: Doing) -> list[Happened]:
        return actions.uncancel(subscription_id=doing.row.id, actor=doing.actor, now=doing.now)


class Pause(Deed):
    label, told = "Pause", "No access for some days, which are given back at the end."
    statuses = ("active",)
    days = forms.IntegerField(min_value=1, max_value=366)

    def run(self, doing: Doing) -> list[Happened]:
        days = self.cleaned_data["days"]
        return actions.pause(subscription_id=doing.row.id, days=days, actor=doing.actor, now=doing.now)


class Resume(Deed):
    label, told = "End the pause", "It goes on today; the days it lasted are given back."
    statuses = ("paused",)

    def run(self, doing: Doing) -> list[Happened]:
        return actions.resume(subscription_id=doing.row.id, actor=doing.actor, now=doing.now)


class ChangePlan(Deed):
    label, told = "Change the plan", "Now, against the unused rest, or at the end of what is paid."
    statuses = ("trialing", "active", "past_due")
    plan = forms.ChoiceField()
    when = forms.ChoiceField(
        choices=(("auto", "Dearer now, cheaper at the end"), ("now", "Now"), ("period_end", "At the end")),
        initial="auto",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].choices = codes_on_sale()

    def preview(self, doing: Doing) -> list[str]:
        said = self.cleaned_data
        if said["plan"] == doing.row.plan_code:
            return []  # the plan they have: it takes back what was to come, or is refused
        quote = actions.preview_change(
            subscription_id=doing.row.id, plan_code=said["plan"], when=said["when"], now=doing.now
        )
        return _told(quote)

    def run(self, doing: Doing) -> list[Happened]:
        said = self.cleaned_data
        return actions.change_plan(
            subscription_id=doing.row.id, plan_code=said["plan"], when=said["when"], actor=doing.actor, now=doing.now
        )


class Quantity(Deed):
    label, told = "Change the seats", "More seats are paid for now; fewer hold from the next period on."
    statuses = ("trialing", "active")
    quantity = forms.IntegerField(label="Seats", min_value=1)

    def preview(self, doing: Doing) -> list[str]:
        quantity = self.cleaned_data["quantity"]
        return _told(actions.preview_quantity(subscription_id=doing.row.id, quantity=quantity, now=doing.now))

    def run(self, doing: Doing) -> list[Happened]:
        quantity = self.cleaned_data["quantity"]
        return actions.set_quantity(subscription_id=doing.row.id, quantity=quantity, actor=doing.actor, now=doing.now)


def _told(quote: ChangeQuote) -> list[str]:
    lines = [f"{line.text}: {format_money(line.amount_minor, quote.currency)}" for line in quote.lines]
    if quote.lines:
        lines.append(f"Total with tax: {format_money(quote.total_minor, quote.currency)}")
    if quote.credit_minor:
        lines.append(f"Met from the reader's credit: {format_money(quote.credit_minor, quote.currency)}")
    when = "today" if quote.when == "now" else f"on {longday(quote.starts)}"
    renewal = format_money(quote.renewal_minor, quote.currency)
    return [*lines, f"It begins {when}; the next renewal is on {longday(quote.renews_on)}, for {renewal}."]


class Refund(Reasoned):
    label = "Refund"
    told = "Money of the newest payment goes back. A large one waits for a second member of staff."
    statuses = ("trialing", "active", "past_due", "suspended", "paused", "canceled", "expired", "incomplete_expired")
    amount = forms.DecimalField(min_value=Decimal("0.01"), decimal_places=2, max_digits=12)
    adjust = forms.BooleanField(
        label="With a credit note",
        required=False,
        initial=True,
        help_text="Without one the reader owes the amount again.",
    )
    field_order = ("amount", "adjust", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["adjust"].initial = True

    def run(self, doing: Doing) -> list[Happened]:
        said = self.cleaned_data
        return actions.refund_payment(
            subscription_id=doing.row.id,
            amount_minor=doing.minor(said["amount"]),
            adjust=said["adjust"],
            actor=doing.actor,
            reason=said["reason"],
            key=f"desk:{said['key']}",
            now=doing.now,
        )


class Pay(Deed):
    label, told = "Book a payment", "Money that came by transfer, cheque or cash. Too much becomes credit."
    statuses = ("incomplete", "trialing", "active", "past_due", "suspended", "paused")
    amount = forms.DecimalField(
        required=False, min_value=Decimal("0.01"), decimal_places=2, max_digits=12, help_text="Empty: all that is owed."
    )
    reference = forms.CharField(max_length=120, help_text="Such as the number of the cheque.")
    field_order = ("amount", "reference")

    def run(self, doing: Doing) -> list[Happened]:
        said = self.cleaned_data
        return actions.pay(
            subscription_id=doing.row.id,
            amount_minor=doing.minor(said["amount"]) if said["amount"] else None,
            reference=said["reference"],
            key=f"desk:{said['key']}",
            actor=doing.actor,
            now=doing.now,
        )


class Credit(Reasoned):
    label, told = "Give credit", "The reader's next invoices come to less."
    amount = forms.DecimalField(min_value=Decimal("0.01"), decimal_places=2, max_digits=12)
    field_order = ("amount", "reason")

    def run(self, doing: Doing) -> list[Happened]:
        said = self.cleaned_data
        return actions.give_credit(
            reader_id=doing.row.reader_id,
            subscription_id=doing.row.id,
            amount_minor=doing.minor(said["amount"]),
            currency=doing.row.currency,
            actor=doing.actor,
            reason=said["reason"],
            key=f"desk:{said['key']}",
            now=doing.now,
        )


class Retry(Deed):
    label, told = "Charge again now", "The overdue renewal is tried once more, by the reader's mandate."
    statuses = ("past_due", "suspended")

    def run(self, doing: Doing) -> list[Happened]:
        return actions.retry(subscription_id=doing.row.id, actor=doing.actor, now=doing.now)


DEEDS: Mapping[str, type[Deed]] = {
    "extend": Extend,
    "change-plan": ChangePlan,
    "seats": Quantity,
    "pause": Pause,
    "resume": Resume,
    "pay": Pay,
    "retry": Retry,
    "credit": Credit,
    "refund": Refund,
    "cancel": Cancel,
    "uncancel": Uncancel,
}

_WORDS = {
    "already_subscribed": "This reader has a subscription already.",
    "bad_amount": "That is no amount.",
    "bad_quantity": "The plan has no such number of seats.",
    "cancelled": "It is cancelled: take that back first.",
    "charge_under_way": "A charge is under way; try again when its answer is here.",
    "interval_differs": "The date can only be kept between plans of the same length.",
    "may_not_be_charged": "It may not be charged without the reader: send a pay link.",
    "no_mandate": "There is nothing to charge by: send a pay link.",
    "not_active": "It is not running.",
    "nothing_overdue": "Nothing is overdue.",
    "nothing_paid": "Nothing was paid that could go back.",
    "nothing_to_cancel": "There is nothing to cancel.",
    "nothing_to_pay": "Nothing is owed.",
    "nothing_to_undo": "There is nothing to take back.",
    "payment_declined": "The charge was declined; nothing was changed.",
    "payment_overdue": "An invoice is overdue: it is paid before anything is changed.",
    "plan_retired": "That plan is not sold any more.",
    "same_plan": "That is the plan they have.",
    "same_quantity": "That is what they have.",
    "same_person": "Whoever asked for a refund cannot approve it.",
    "too_much": "That is more than is left of the payment.",
}


def words(refusal: RefusedError) -> str:
    """A refusal as staff read it."""
    return _WORDS.get(refusal.reason, f"Not possible: {refusal.reason.replace('_', ' ')}.")
