"""What other apps may know of plans and subscriptions: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings

from broadsheet.subscriptions import rules
from broadsheet.subscriptions.models import Plan, Subscription, SubscriptionEvent
from broadsheet.subscriptions.rules import PlanCard

__all__ = [
    "EventRow",
    "PlanCard",
    "SubscriptionRow",
    "current_subscription",
    "history",
    "plan_card",
    "plan_cards",
    "subscription",
]


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One subscription. `paid_until` and `access_until` are exclusive local dates; `next_charge_on` is None when no
    charge will come."""

    id: int
    reader_id: int
    plan_code: str
    plan_name: str
    months: int
    status: str
    period_start: date
    paid_until: date
    access_until: date
    cancel_at_period_end: bool
    next_charge_on: date | None
    amount_minor: int
    currency: str
    started_at: datetime | None
    ended_at: datetime | None
    mandate_id: int | None

    @property
    def live(self) -> bool:
        return self.status in ("active", "past_due")


@dataclass(frozen=True, slots=True)
class EventRow:
    at: datetime
    kind: str
    actor: str
    reason: str
    facts: dict[str, object]


def _offer(plan: Plan) -> rules.Offer:
    benefits = tuple((product.code, product.benefit) for product in plan.products.all())
    return rules.Offer(plan.code, plan.name, plan.months, plan.amount_minor, plan.currency, benefits)


def plan_cards(language: str, *, gifts: int = 0) -> tuple[PlanCard, ...]:
    """The plans on sale, in the publisher's order, as readers see them. `gifts`: as in rules.plan_card."""
    offers = [_offer(plan) for plan in Plan.objects.filter(retired=False).prefetch_related("products")]
    best = rules.best_value(offers)
    products = settings.BROADSHEET_PRODUCTS
    return tuple(
        rules.plan_card(offer, language=language, products=products, best_value=offer.code == best, gifts=gifts)
        for offer in offers
    )


def plan_card(code: str, language: str) -> PlanCard | None:
    """One plan on sale."""
    return next((card for card in plan_cards(language) if card.code == code), None)


def renewal_date(code: str, day: date) -> date | None:
    """When a plan bought on `day` renews for the first time."""
    plan = Plan.objects.filter(code=code).first()
    return rules.boundary(day, plan.months, 1) if plan else None


def _row(row: Subscription) -> SubscriptionRow:
    next_charge = None
    if not row.cancel_at_period_end and row.status in ("active", "past_due"):
        next_charge = row.period_end if row.status == "active" else row.next_attempt_on
    retries = row.status == "past_due" and row.failures < len(rules.DUNNING_DAYS)
    until = rules.access_until(row.period_end, cancelled=row.cancel_at_period_end or row.status == "active")
    return SubscriptionRow(
        id=row.pk,
        reader_id=row.reader_id,
        plan_code=row.plan.code,
        plan_name=row.plan.name,
        months=row.plan.months,
        status=row.status,
        period_start=row.period_start,
        paid_until=row.period_end,
        access_until=until,
        cancel_at_period_end=row.cancel_at_period_end,
        next_charge_on=next_charge if row.status == "active" or retries else None,
        amount_minor=row.plan.amount_minor,
        currency=row.plan.currency,
        started_at=row.started_at,
        ended_at=row.ended_at,
        mandate_id=row.mandate_id,
    )


def subscription(subscription_id: int) -> SubscriptionRow | None:
    row = Subscription.objects.select_related("plan").filter(pk=subscription_id).first()
    return _row(row) if row else None


def current_subscription(reader_id: int) -> SubscriptionRow | None:
    """The live one, else the last one that was ever paid; a checkout nobody finished is nothing to show."""
    rows = Subscription.objects.select_related("plan").filter(reader_id=reader_id, started_at__isnull=False)
    row = rows.filter(status__in=rules.LIVE).first() or rows.order_by("-id").first()
    return _row(row) if row else None


def history(subscription_id: int) -> tuple[EventRow, ...]:
    """Everything that happened to a subscription, oldest first."""
    rows = SubscriptionEvent.objects.filter(subscription_id=subscription_id).order_by("id")
    return tuple(EventRow(row.at, row.kind, row.actor, row.reason, row.facts) for row in rows)
