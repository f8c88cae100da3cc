"""The steps of a scenario, done by the actions that readers, staff and tills use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from broadsheet.dates import local_date
from broadsheet.payments import actions as payments
from broadsheet.payments import crash
from broadsheet.payments.adapters import sandbox
from broadsheet.payments.queries import mandate, payments_of_subject
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.queries import subscription
from broadsheet.subscriptions.rules import RefusedError
from broadsheet.timemachine.books import Books
from broadsheet.timemachine.messages import Messages
from broadsheet.timemachine.scenario import Step

STAFF = "staff:time machine"
BACK = "/account/"
SOMEBODY = "somebody@readers.example"  # a gift that was bought before its reader was known


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
        payments.save_profile(reader_id=reader_id, now=now, **profile)
    collection = {"manual": "send_invoice", "external": "external"}.get(said["rail"], "automatic")
    checkout = actions.start_checkout(
        reader_id=reader_id,
        plan_code=desk.plan(step),
        quantity=said["quantity"],
        coupon=said["coupon"],
        rail=said["rail"] if collection == "automatic" else "card",
        mandate_max_minor=said["mandate_max_minor"],
        # By the format, not only the first one: a plan with a trial starts with it unless the step says otherwise.
        trial=said["trial"] is not False,
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
    """A mandate that was given back is given anew on the till's page, as the account's page asks for it."""
    subscription_id = desk.subscription(step)
    actions.uncancel(subscription_id=subscription_id, actor=desk.actor(step), now=now)
    if actions.needs_mandate(subscription_id):
        row = subscription(subscription_id)
        held = mandate(row.mandate_id) if row else None
        _allow(desk, step, held.rail if held else "card", held.max_minor if held else None, now)


def _allow(desk: Desk, step: Step, rail: str, max_minor: int | None, now: datetime) -> None:
    """The reader allows later charges on the till's page."""
    subscription_id = desk.subscription(step)
    page = actions.start_mandate(
        subscription_id=subscription_id, rail=rail, max_minor=max_minor, return_url=BACK, now=now
    )
    press_pay(page.url, now)
    assert page.mandate_id is not None
    actions.complete_mandate(
        subscription_id=subscription_id, mandate_id=page.mandate_id, actor=desk.actor(step), now=now
    )


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
    _allow(desk, step, step.values["rail"], step.values["max_minor"], now)


def till(desk: Desk, step: Step, _now: datetime) -> None:
    sandbox.script(step.values["next"], f"reader:{desk.reader(step)}" if step.reader else "")


def refund(desk: Desk, step: Step, now: datetime) -> None:
    subscription_id = desk.subscription(step)
    paid = [row for row in payments_of_subject(f"subscription:{subscription_id}") if row.status == "succeeded"]
    rest = paid[-1].amount_minor - paid[-1].refunded_minor if paid else 0
    actions.refund_payment(
        subscription_id=subscription_id,
        amount_minor=step.values["amount_minor"] or rest,
        adjust=step.values["adjust"],
        actor=STAFF,
        reason="A refund of the scenario",
        now=now,
    )


def credit(desk: Desk, step: Step, now: datetime) -> None:
    actions.give_credit(
        reader_id=desk.reader(step),
        subscription_id=desk.books.subscription_of(step),
        amount_minor=step.values["amount_minor"],
        currency=desk.books.currency,
        actor=STAFF,
        now=now,
    )


def chargeback(desk: Desk, step: Step, now: datetime) -> None:
    actions.chargeback(subscription_id=desk.subscription(step), result=step.values["result"], now=now)


def webhooks(desk: Desk, step: Step, _now: datetime) -> None:
    desk.messages.set_mode(step.values["mode"], step.values["until"])


def buy_gift(desk: Desk, step: Step, now: datetime) -> None:
    to = step.values["to"]
    email = desk.books.email_of(to) if to else SOMEBODY
    _, key, _ = actions.buy_gift(
        giver_id=desk.reader(step),
        plan_code=desk.plan(step),
        to_email=email,
        send_on=step.values["send_on"],
        message=step.values["message"],
        now=now,
    )
    if key:
        press_pay(payments.open_checkout(key=key, return_url=BACK, now=now), now)
        result = payments.fetch_result(key=key, now=now)
        if result is not None:
            actions.record_result(key=key, result=result, now=now)


def redeem_gift(desk: Desk, step: Step, now: datetime) -> None:
    """By the address it was sent to, else by the link of one that was given to nobody in particular."""
    actions.redeem_gift(reader_id=desk.reader(step), token=desk.books.gift_for(desk.reader(step)), now=now)


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
