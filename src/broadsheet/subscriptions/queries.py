"""What other apps may know of plans and subscriptions: frozen values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings

from broadsheet.dates import local_date
from broadsheet.payments.queries import credit_balance, invoices_of, mandate, open_invoices_of
from broadsheet.subscriptions import cards, pricing, rules
from broadsheet.subscriptions.actions.billing import discount_of, price_rows
from broadsheet.subscriptions.actions.due import due_since
from broadsheet.subscriptions.actions.history import policies, subject, zone
from broadsheet.subscriptions.actions.renewals import may_be_charged
from broadsheet.subscriptions.actions.rights import promised_until
from broadsheet.subscriptions.cards import PlanCard
from broadsheet.subscriptions.models import Gift, Plan, Subscription, SubscriptionEvent

__all__ = [
    "EventRow",
    "GiftSubscriptionRow",
    "PlanCard",
    "SubscriptionRow",
    "balance",
    "current_subscription",
    "every_subscription",
    "gifts_of",
    "history",
    "plan_card",
    "plan_cards",
    "renewal_date",
    "subscription",
    "subscriptions_of",
]


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One subscription. `paid_until` and `access_until` are exclusive local dates, the latter None without access;
    `next_charge_on` is None when no charge will come; `amount_minor` is what the next period costs before tax on top."""

    id: int
    reader_id: int
    plan_code: str
    plan_name: str
    months: int
    quantity: int
    status: str
    origin: str
    collection: str
    period_start: date
    paid_until: date
    access_until: date | None
    trial_end: datetime | None
    cancel_at_period_end: bool
    next_charge_on: date | None
    amount_minor: int
    currency: str
    pending_plan: str
    pending_quantity: int | None
    pause_until: date | None
    started_at: datetime | None
    ended_at: datetime | None
    mandate_id: int | None

    @property
    def live(self) -> bool:
        return self.status in ("trialing", "active", "past_due", "suspended", "paused")


@dataclass(frozen=True, slots=True)
class EventRow:
    at: datetime
    kind: str
    actor: str
    reason: str
    facts: dict[str, object]


@dataclass(frozen=True, slots=True)
class GiftSubscriptionRow:
    """A subscription given as a present, as its giver sees it."""

    id: int
    plan_name: str
    to_email: str
    send_on: date
    status: str
    token: str


def _price(plan: Plan, day: date) -> pricing.PriceRow | None:
    newest = plan.prices.order_by("-new_from", "-id").first()
    return pricing.price_for_new(price_rows(plan, newest.currency), day) if newest else None


def _offer(plan: Plan, day: date) -> cards.Offer | None:
    price = _price(plan, day)
    if price is None:
        return None  # what has no price yet is not offered
    benefits = tuple((product.code, product.benefit) for product in plan.products.all())
    return cards.Offer(plan.code, plan.name, plan.months, price.amount_minor, price.currency, benefits)


def plan_cards(language: str, *, gifts: int = 0, day: date | None = None) -> tuple[PlanCard, ...]:
    """The plans on sale, in the publisher's order, as readers see them. `gifts`: as in cards.plan_card."""
    when = day or date.max
    rows = Plan.objects.filter(retired=False, published=True, min_quantity=1).prefetch_related("products")
    offers = [offer for plan in rows if (offer := _offer(plan, when))]
    best = cards.best_value(offers)
    products = settings.BROADSHEET_PRODUCTS
    return tuple(
        cards.plan_card(offer, language=language, products=products, best_value=offer.code == best, gifts=gifts)
        for offer in offers
    )


def plan_card(code: str, language: str, *, day: date | None = None) -> PlanCard | None:
    """One plan on sale."""
    return next((card for card in plan_cards(language, day=day) if card.code == code), None)


def renewal_date(code: str, day: date) -> date | None:
    """When a plan bought on `day` renews for the first time."""
    plan = Plan.objects.filter(code=code).first()
    return rules.boundary(day, plan.months, 1) if plan else None


def _next_charge(row: Subscription) -> date | None:
    """The local day of the next automatic charge, as things stand."""
    held = mandate(row.mandate_id)
    if row.collection != "automatic" or row.fixed_term or row.cancel_at_period_end or held is None or not held.usable:
        return None
    if row.status == "trialing" and row.trial_end is not None:
        return local_date(row.trial_end, zone())
    if row.status == "active":
        return row.period_end
    if row.status not in ("past_due", "suspended") or row.next_attempt_on is None:
        return None
    bills = open_invoices_of(subject(row.pk))
    ends = rules.dunning_ends(due_since(row), policies())
    chargeable = all(may_be_charged(row, bill) for bill in bills) and (ends is None or row.next_attempt_on <= ends)
    return row.next_attempt_on if chargeable else None


def _renewal_minor(row: Subscription) -> tuple[int, str]:
    if row.price is None:
        return 0, settings.BROADSHEET.currency
    plan = row.pending_plan or row.plan
    price = (_price(plan, row.period_end) if row.pending_plan else None) or pricing.price_for_holder(
        price_rows(row.plan, row.price.currency),
        pricing.PriceRow(
            row.price.pk, row.price.amount_minor, row.price.currency, row.price.new_from, row.price.existing_from
        ),
        row.period_end,
    )
    amount = price.amount_minor * (row.pending_quantity or row.quantity)
    return pricing.discounted(amount, discount_of(row.coupon, row.coupon_left, plan)), price.currency


def _row(row: Subscription) -> SubscriptionRow:
    amount, currency = _renewal_minor(row)
    return SubscriptionRow(
        id=row.pk,
        reader_id=row.reader_id,
        plan_code=row.plan.code,
        plan_name=row.plan.name,
        months=row.plan.months,
        quantity=row.quantity,
        status=row.status,
        origin=row.origin,
        collection=row.collection,
        period_start=row.period_start,
        paid_until=row.period_end,
        access_until=promised_until(row),
        trial_end=row.trial_end,
        cancel_at_period_end=row.cancel_at_period_end,
        next_charge_on=_next_charge(row),
        amount_minor=amount,
        currency=currency,
        pending_plan=row.pending_plan.name if row.pending_plan else "",
        pending_quantity=row.pending_quantity,
        pause_until=row.pause_until,
        started_at=row.started_at,
        ended_at=row.ended_at,
        mandate_id=row.mandate_id,
    )


_RELATED = ("plan", "pending_plan", "price", "coupon")


def subscription(subscription_id: int) -> SubscriptionRow | None:
    row = Subscription.objects.select_related(*_RELATED).filter(pk=subscription_id).first()
    return _row(row) if row else None


def subscriptions_of(reader_id: int) -> tuple[SubscriptionRow, ...]:
    """Every subscription of a reader, oldest first: the first one is number 1."""
    rows = Subscription.objects.select_related(*_RELATED).filter(reader_id=reader_id).order_by("id")
    return tuple(_row(row) for row in rows)


def every_subscription() -> Iterator[int]:
    """Ids of all subscriptions, oldest first, in bounded memory."""
    yield from Subscription.objects.order_by("id").values_list("pk", flat=True).iterator(chunk_size=2000)


def current_subscription(reader_id: int) -> SubscriptionRow | None:
    """The live one, else the last one that was ever paid; a checkout nobody finished is nothing to show."""
    rows = Subscription.objects.select_related(*_RELATED).filter(reader_id=reader_id, started_at__isnull=False)
    row = rows.filter(status__in=rules.LIVE).first() or rows.order_by("-id").first()
    return _row(row) if row else None


def balance(subscription_id: int) -> int:
    """What a reader owes on a subscription less the credit they hold, in minor units: negative when we owe them."""
    row = Subscription.objects.select_related("price").get(pk=subscription_id)
    currency = row.price.currency if row.price else settings.BROADSHEET.currency
    owed = sum(bill.due_minor for bill in invoices_of(subject(subscription_id)))
    return owed - credit_balance(row.reader_id, currency)


def gifts_of(reader_id: int) -> tuple[GiftSubscriptionRow, ...]:
    """What a reader gave away, newest first."""
    rows = Gift.objects.filter(giver_id=reader_id).exclude(status__in=("open", "void")).select_related("plan")
    return tuple(
        GiftSubscriptionRow(row.pk, row.plan.name, row.to_email, row.send_on, row.status, row.token)
        for row in rows.order_by("-id")
    )


def history(subscription_id: int) -> tuple[EventRow, ...]:
    """Everything that happened to a subscription, oldest first."""
    rows = SubscriptionEvent.objects.filter(subscription_id=subscription_id).order_by("id")
    return tuple(EventRow(row.at, row.kind, row.actor, row.reason, row.facts) for row in rows)
