"""What other apps may know of plans and subscriptions: frozen values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import QuerySet

from broadsheet.access.products import working
from broadsheet.dates import local_date
from broadsheet.payments.queries import credit_balance, invoices_of, mandate, open_invoices_of, tax_rate_on
from broadsheet.payments.taxes import split
from broadsheet.readers.queries import reader
from broadsheet.subscriptions import cards, pricing, rules
from broadsheet.subscriptions.actions.billing import discount_of, price_rows
from broadsheet.subscriptions.actions.consent import ConsentRow, consents_of
from broadsheet.subscriptions.actions.due import due_since
from broadsheet.subscriptions.actions.groups import seats_left
from broadsheet.subscriptions.actions.history import policies, subject, zone
from broadsheet.subscriptions.actions.renewals import may_be_charged
from broadsheet.subscriptions.actions.rights import promised_until
from broadsheet.subscriptions.cards import PlanCard
from broadsheet.subscriptions.models import Gift, Plan, Price, Seat, Subscription, SubscriptionEvent

__all__ = [
    "ConsentRow",
    "EventRow",
    "GiftSubscriptionRow",
    "PlanCard",
    "PresentRow",
    "SeatRow",
    "SubscriptionRow",
    "balance",
    "benefits_of",
    "cards_with",
    "consents_of",
    "currency_of",
    "current_subscription",
    "every_subscription",
    "gift_named",
    "gift_of",
    "gifts_for",
    "gifts_of",
    "group_cards",
    "history",
    "plan_card",
    "plan_cards",
    "renewal_date",
    "seat_domain",
    "seat_named",
    "seats_held",
    "seats_left",
    "seats_of",
    "seats_sold",
    "subscription",
    "subscriptions_of",
]


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One subscription. `paid_until` and `access_until` are exclusive local dates, the latter None without access;
    `next_charge_on` is None when no charge will come; `amount_minor` is what the next period costs before tax on
    top."""

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


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A seat that was given: `reader_id` is None as long as nobody took it."""

    id: int
    subscription_id: int
    email: str
    reader_id: int | None
    token: str
    invited_at: datetime
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PresentRow:
    """A gift as whoever it is for sees it. `giver` is a name or, without one, an address."""

    id: int
    token: str
    plan_code: str
    plan_name: str
    months: int
    giver_id: int
    giver: str
    to_email: str
    message: str
    send_on: date
    status: str
    subscription_id: int | None


def _price(plan: Plan, day: date) -> pricing.PriceRow | None:
    newest = plan.prices.order_by("-new_from", "-id").first()
    return pricing.price_for_new(price_rows(plan, newest.currency), day) if newest else None


def _offer(plan: Plan, day: date) -> cards.Offer | None:
    price = _price(plan, day)
    if price is None:
        return None  # what has no price yet is not offered
    benefits = tuple((product.code, product.benefit) for product in plan.products.all())
    amount = price.amount_minor
    rate = None if plan.tax_inclusive or not plan.tax else tax_rate_on(plan.tax, "IN", day)
    if rate is not None:
        # A price without its tax is no price: the card says what is paid at home.
        amount = split(amount, kind=rate.kind, rate_bp=rate.rate_bp, inclusive=False, intra=True).total_minor
    return cards.Offer(
        plan.code, plan.name, plan.months, amount, price.currency, benefits,
        plan.trial_days, plan.min_quantity, plan.max_quantity,
    )  # fmt: skip


def plan_cards(language: str, *, gifts: int = 0, day: date | None = None, drafts: bool = False) -> tuple[PlanCard, ...]:
    """The plans on sale on `day`, in the publisher's order, as readers see them; with `drafts` also those that are not
    published yet. `gifts`: as in cards.plan_card."""
    return _cards(Plan.objects.filter(min_quantity=1), language, gifts, day, drafts=drafts)


def cards_with(product: str, language: str, *, day: date | None = None) -> tuple[PlanCard, ...]:
    """Those of plan_cards() that include a product; none where it does not work."""
    if product not in working():
        return ()
    return _cards(Plan.objects.filter(min_quantity=1, products__code=product), language, 0, day)


def group_cards(language: str, *, day: date | None = None, drafts: bool = False) -> tuple[PlanCard, ...]:
    """The plans for groups and firms on sale: prices are those of one seat."""
    return _cards(Plan.objects.filter(min_quantity__gt=1), language, 0, day, drafts=drafts)


def _cards(
    plans: QuerySet[Plan], language: str, gifts: int, day: date | None, *, drafts: bool = False
) -> tuple[PlanCard, ...]:
    when = day or date.max
    shown = plans.filter(retired=False) if drafts else plans.filter(retired=False, published=True)
    rows = shown.prefetch_related("products")
    offers = [offer for plan in rows if (offer := _offer(plan, when))]
    best = cards.best_value(offers)
    products = working()
    return tuple(
        cards.plan_card(offer, language=language, products=products, best_value=offer.code == best, gifts=gifts)
        for offer in offers
    )


def plan_card(code: str, language: str, *, day: date | None = None) -> PlanCard | None:
    """One plan on sale."""
    return next((card for card in _cards(Plan.objects.filter(code=code), language, 0, day)), None)


def seats_sold(code: str) -> tuple[int, int]:
    """The fewest and the most seats a plan is sold for."""
    found = Plan.objects.filter(code=code).values_list("min_quantity", "max_quantity").first()
    return found or (1, 1)


def benefits_of(code: str) -> tuple[str, ...]:
    """What a plan unlocks here, in words."""
    plan = Plan.objects.filter(code=code).prefetch_related("products").first()
    here = working()
    return tuple(product.benefit for product in plan.products.all() if product.code in here) if plan else ()


def currency_of(code: str) -> str:
    """The currency a plan is sold in."""
    row = Price.objects.filter(plan__code=code).order_by("-new_from", "-id").first()
    return row.currency if row else settings.BROADSHEET.currency


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


def _present(row: Gift) -> PresentRow:
    giver = reader(row.giver_id)
    named, plan = (giver.name or giver.email) if giver else "", row.plan
    return PresentRow(
        row.pk, row.token, plan.code, plan.name, plan.months, row.giver_id, named, row.to_email, row.message,
        row.send_on, row.status, row.subscription_id,
    )  # fmt: skip


def gift_named(token: str) -> PresentRow | None:
    """The gift its link is for; None as long as it is not paid."""
    rows = Gift.objects.filter(token=token).exclude(status__in=("open", "void")).select_related("plan")
    row = rows.first() if token else None
    return _present(row) if row else None


def gift_of(giver_id: int, gift_id: int) -> PresentRow | None:
    """One gift as its giver sees it, paid or not."""
    row = Gift.objects.filter(giver_id=giver_id, pk=gift_id).select_related("plan").first()
    return _present(row) if row else None


def gifts_for(email: str, day: date) -> tuple[PresentRow, ...]:
    """What waits for whoever has this address, oldest first; a gift whose day has not come is still a surprise."""
    rows = Gift.objects.filter(to_email=email.lower(), status="paid", send_on__lte=day).select_related("plan")
    return tuple(_present(row) for row in rows.order_by("id"))


def history(subscription_id: int) -> tuple[EventRow, ...]:
    """Everything that happened to a subscription, oldest first."""
    rows = SubscriptionEvent.objects.filter(subscription_id=subscription_id).order_by("id")
    return tuple(EventRow(row.at, row.kind, row.actor, row.reason, row.facts) for row in rows)


def _seat(row: Seat) -> SeatRow:
    return SeatRow(
        row.pk, row.subscription_id, row.email, row.reader_id, row.token, row.invited_at, row.claimed_at
    )  # fmt: skip


def seats_of(subscription_id: int) -> tuple[SeatRow, ...]:
    """The seats of a group that were given, oldest first; the payer's own is not among them."""
    rows = Seat.objects.filter(subscription_id=subscription_id, removed_at=None).order_by("id")
    return tuple(_seat(row) for row in rows)


def seat_domain(subscription_id: int) -> str:
    """The domain whose addresses may take a free seat; empty without one."""
    return Subscription.objects.filter(pk=subscription_id).values_list("seat_domain", flat=True).first() or ""


def seat_named(token: str) -> SeatRow | None:
    """The seat an invitation is for, as long as it stands."""
    row = Seat.objects.filter(token=token, removed_at=None).first() if token else None
    return _seat(row) if row else None


def seats_held(reader_id: int) -> tuple[SeatRow, ...]:
    """The seats a reader has in groups that others pay for."""
    rows = Seat.objects.filter(reader_id=reader_id, removed_at=None, subscription__status__in=rules.LIVE)
    return tuple(_seat(row) for row in rows.order_by("id"))
