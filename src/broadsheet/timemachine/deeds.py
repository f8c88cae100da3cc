"""The steps of a scenario, done by the actions that readers, staff and tills use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps

from broadsheet.dates import local_date
from broadsheet.payments import crash
from broadsheet.payments.actions import save_profile
from broadsheet.payments.adapters import sandbox
from broadsheet.payments.adapters.sandbox_notes import dispute_note
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.actions import RefusedError
from broadsheet.timemachine.books import Books
from broadsheet.timemachine.messages import Messages
from broadsheet.timemachine.scenario import Step

STAFF = "staff:time machine"


@dataclass
class Desk:
    """What the deeds work with."""

    books: Books
    messages: Messages

    def reader(self, step: Step) -> int:
        assert step.reader is not None
        return self.books.shop.readers[step.reader]

    def actor(self, step: Step) -> str:
        return f"reader:{self.reader(step)}"

    def subscription(self, step: Step) -> int:
        found = self.books.subscription_of(step)
        if found is None:
            raise RefusedError("no_subscription")
        return found

    def plan(self, step: Step) -> str:
        return self.books.shop.plans[step.values["plan"]]


def press_pay(url: str, now: datetime) -> None:
    """What a person does on the till's page. A press may be lost, declined, or answered a day later."""
    token = url.rstrip("/").rpartition("/")[2]
    if sandbox.till_page(token) is not None:
        sandbox.decide(token=token, pay=True, now=now)


def subscribe(desk: Desk, step: Step, now: datetime) -> None:
    said, reader_id = step.values, desk.reader(step)
    profile = {name: said[name] for name in ("state", "gstin", "country") if said[name]}
    if profile:
        save_profile(reader_id=reader_id, now=now, **profile)
    collection = {"manual": "send_invoice", "external": "external"}.get(said["rail"], "automatic")
    checkout = actions.start_checkout(
        reader_id=reader_id,
        plan_code=desk.plan(step),
        quantity=said["quantity"],
        coupon=said["coupon"],
        rail=said["rail"] if collection == "automatic" else "card",
        mandate_max_minor=said["mandate_max_minor"],
        trial=said["trial"],
        collection=collection,
        now=now,
    )
    if checkout.url:
        press_pay(checkout.url, now)
        actions.complete_checkout(subscription_id=checkout.subscription_id, now=now)


def cancel(desk: Desk, step: Step, now: datetime) -> None:
    said = step.values
    actions.cancel(
        subscription_id=desk.subscription(step),
        when=said["when"],
        refund=said["refund"],
        actor=desk.actor(step),
        reason=said["reason"],
        now=now,
    )


def uncancel(desk: Desk, step: Step, now: datetime) -> None:
    actions.uncancel(subscription_id=desk.subscription(step), actor=desk.actor(step), now=now)


def change_plan(desk: Desk, step: Step, now: datetime) -> None:
    actions.change_plan(
        subscription_id=desk.subscription(step),
        plan_code=desk.plan(step),
        when=step.values["when"],
        keep_date=step.values["keep_date"],
        actor=desk.actor(step),
        now=now,
    )


def set_quantity(desk: Desk, step: Step, now: datetime) -> None:
    actions.set_quantity(
        subscription_id=desk.subscription(step), quantity=step.values["quantity"], actor=desk.actor(step), now=now
    )


def pause(desk: Desk, step: Step, now: datetime) -> None:
    actions.pause(subscription_id=desk.subscription(step), days=step.values["days"], actor=desk.actor(step), now=now)


def resume(desk: Desk, step: Step, now: datetime) -> None:
    actions.resume(subscription_id=desk.subscription(step), actor=desk.actor(step), now=now)


def pay(desk: Desk, step: Step, now: datetime) -> None:
    actions.pay(
        subscription_id=desk.subscription(step),
        amount_minor=step.values["amount_minor"],
        actor=desk.actor(step),
        now=now,
    )


def new_mandate(desk: Desk, step: Step, now: datetime) -> None:
    actions.new_mandate(
        subscription_id=desk.subscription(step), rail=step.values["rail"], max_minor=step.values["max_minor"], now=now
    )


def till(desk: Desk, step: Step, _now: datetime) -> None:
    sandbox.script(step.values["next"], f"reader:{desk.reader(step)}" if step.reader else "")


def refund(desk: Desk, step: Step, now: datetime) -> None:
    actions.refund_payment(
        subscription_id=desk.subscription(step),
        amount_minor=step.values["amount_minor"],
        adjust=step.values["adjust"],
        actor=STAFF,
        reason="a refund of the scenario",
        now=now,
    )


def credit(desk: Desk, step: Step, now: datetime) -> None:
    actions.give_credit(reader_id=desk.reader(step), amount_minor=step.values["amount_minor"], actor=STAFF, now=now)


def chargeback(desk: Desk, step: Step, now: datetime) -> None:
    """The bank speaks through the till, as it does in life: by a message."""
    subscription_id = desk.subscription(step)
    paid = apps.get_model("payments", "Payment").objects.filter(
        invoice__subject=f"subscription:{subscription_id}", provider="sandbox", status="succeeded"
    )
    key = paid.order_by("-settled_at", "-pk").values_list("key", flat=True).first()
    if key is None:
        raise RefusedError("nothing_paid")
    desk.messages.send(dispute_note(key, step.values["result"], now), now)


def webhooks(desk: Desk, step: Step, _now: datetime) -> None:
    desk.messages.set_mode(step.values["mode"], step.values["until"])


def buy_gift(desk: Desk, step: Step, now: datetime) -> None:
    to = step.values["to"]
    email = "someone@readers.example" if not to else desk.books.shop.emails[to]
    actions.buy_gift(
        giver_id=desk.reader(step),
        plan_code=desk.plan(step),
        to_email=email,
        send_on=step.values["send_on"] or local_date(now, desk.books.zone),
        message=step.values["message"],
        now=now,
    )


def redeem_gift(desk: Desk, step: Step, now: datetime) -> None:
    actions.redeem_gift(reader_id=desk.reader(step), now=now)


def price(desk: Desk, step: Step, now: datetime) -> None:
    actions.set_price(
        plan_code=desk.plan(step),
        amount_minor=step.values["amount_minor"],
        new_from=step.values["new_from"] or local_date(now, desk.books.zone),
        existing_from=step.values["existing_from"],
    )


def retire(desk: Desk, step: Step, _now: datetime) -> None:
    actions.retire_plan(plan_code=desk.plan(step))


def extend(desk: Desk, step: Step, now: datetime) -> None:
    actions.extend(
        subscription_id=desk.subscription(step), days=step.values["days"], actor=STAFF, reason="a gesture", now=now
    )


def comp(desk: Desk, step: Step, now: datetime) -> None:
    actions.comp(
        reader_id=desk.reader(step),
        plan_code=desk.plan(step),
        until=step.values["until"],
        actor=STAFF,
        reason="complimentary",
        now=now,
    )


def plan_crash(_desk: Desk, step: Step, _now: datetime) -> None:
    """The next work that comes to this point dies there, once."""

    def hook(name: str) -> None:
        if name == step.values["point"]:
            crash.install(None)
            raise crash.CrashError(name)

    crash.install(hook)


Deed = Callable[[Desk, Step, datetime], None]
DEEDS: Mapping[str, Deed] = {
    "subscribe": subscribe,
    "cancel": cancel,
    "uncancel": uncancel,
    "change_plan": change_plan,
    "set_quantity": set_quantity,
    "pause": pause,
    "resume": resume,
    "pay": pay,
    "new_mandate": new_mandate,
    "till": till,
    "refund": refund,
    "credit": credit,
    "chargeback": chargeback,
    "webhooks": webhooks,
    "buy_gift": buy_gift,
    "redeem_gift": redeem_gift,
    "price": price,
    "retire": retire,
    "crash": plan_crash,
    "extend": extend,
    "comp": comp,
}
