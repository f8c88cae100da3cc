"""Readers, plans and purchases for the tests of everything that is sold. Instants are written in the publisher's zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from broadsheet.access.queries import live_grants
from broadsheet.payments.adapters import sandbox
from broadsheet.payments.models import SandboxMandate
from broadsheet.readers.models import Reader
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.models import Plan, Price, Product, Subscription

ZONE = ZoneInfo("Asia/Kolkata")


def at(text: str) -> datetime:
    """`2027-01-10 09:00` in the publisher's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def reader(email: str = "asha@example.org") -> int:
    return Reader.objects.create(email=email, created_at=at("2020-01-01 00:00")).pk


def plan(code: str = "q", months: int = 3, amount: int = 90_000, currency: str = "INR", **more: object) -> Plan:
    row = Plan.objects.create(code=code, name=code.upper(), months=months, **more)
    Price.objects.create(plan=row, amount_minor=amount, currency=currency, new_from=date(2000, 1, 1))
    for position, product in enumerate(("unlimited", "premium")):
        row.products.add(
            Product.objects.get_or_create(
                code=product, defaults={"name": product, "benefit": product, "position": position}
            )[0]
        )
    return row


def start(reader_id: int, now: datetime, code: str = "q", next_path: str = "") -> actions.Checkout:
    return actions.start_checkout(reader_id=reader_id, plan_code=code, next_path=next_path, now=now)


def token(checkout: actions.Checkout) -> str:
    return checkout.url.removeprefix("/till/").removesuffix("/")


def press(checkout: actions.Checkout, now: datetime, *, pay: bool = True, renewals_decline: bool = False) -> None:
    """The reader presses a button of the till."""
    sandbox.decide(token=token(checkout), pay=pay, renewals_decline=renewals_decline, now=now)


def buy(reader_id: int, now: datetime, code: str = "q", **till: bool) -> Subscription:
    """The whole road: order, till, return."""
    checkout = start(reader_id, now, code)
    press(checkout, now, **till)
    actions.complete_checkout(subscription_id=checkout.subscription_id, now=now)
    return Subscription.objects.get(pk=checkout.subscription_id)


def card_declines(*, yes: bool) -> None:
    """From now on, every charge by mandate is declined (or not)."""
    SandboxMandate.objects.update(declines=yes)


def walk(first: datetime, last: datetime) -> list[actions.Happened]:
    """A healthy installation: all jobs at ten past midnight of every day."""
    happened, now = [], first
    while now <= last:
        happened += actions.run_due(now=now)
        now += timedelta(days=1)
    return happened


def may_read(reader_id: int, now: datetime, product: str = "premium") -> bool:
    return any(g.product == product and g.starts_at <= now for g in live_grants(reader_id, now))
