"""What is known today of a subscription's days to come, and what they will cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from broadsheet.dates import local_date, rfc3339
from broadsheet.payments import actions as payments
from broadsheet.payments.adapters.registry import provider
from broadsheet.payments.queries import MandateRow, invoice_of_period, mandate, payments_of
from broadsheet.subscriptions import notice_plan, pricing, rules
from broadsheet.subscriptions.actions.billing import discount_of, period_lines, price_for_new, price_row, taxed
from broadsheet.subscriptions.actions.history import policies, standing, subject, zone
from broadsheet.subscriptions.models import Price, Subscription
from broadsheet.subscriptions.notice_plan import Ahead

FAR = 40  # periods ahead to look for another price: three years of months


def outlook(subscription: Subscription, now: datetime) -> notice_plan.Outlook:
    held = mandate(subscription.mandate_id) if subscription.collection == "automatic" else None
    debited = held is not None and held.usable
    renews = (
        subscription.price_id is not None
        and not (subscription.fixed_term or subscription.cancel_at_period_end)
        and subscription.collection != "external"
    )
    new_price = short = None
    if renews and subscription.status == "active":
        coming = _coming(subscription)
        new_price = next(((day, row.id) for day, row, other in coming if other), None)
        if held is not None and debited and held.max_minor is not None:
            short = _short(subscription, held, coming, now)
    return notice_plan.Outlook(
        id=subscription.pk,
        status=subscription.status,
        months=(subscription.pending_plan or subscription.plan).months,
        renews=renews,
        debited=debited,
        fixed_term=subscription.fixed_term,
        started_on=local_date(subscription.started_at or now, zone()),
        period_start=subscription.period_start,
        period_end=subscription.period_end,
        trial_end=subscription.trial_end,
        retry=_retry(subscription, held) if debited and renews else None,
        new_price=new_price,
        short=short,
    )


def _schedules(subscription: Subscription, count: int) -> list[rules.Schedule]:
    found, last = [], standing(subscription)
    for _ in range(count):
        last = rules.following_period(last, subscription.plan.months)
        found.append(last)
    return found


def _coming(subscription: Subscription) -> list[tuple[date, pricing.PriceRow, bool]]:
    """(first day, price, whether it is another than before) of the next renewal, and of the one that brings another
    price. A plan they chose for then has its own price: that is what they were told when they chose."""
    prices = [price_row(row) for row in Price.objects.filter(plan_id=subscription.plan_id)]
    agreed = next((row for row in prices if row.id == subscription.price_id), None)
    if agreed is None or subscription.pending_plan_id is not None:
        return []
    prices = [row for row in prices if row.currency == agreed.currency]
    last = max((row.existing_from for row in prices if row.existing_from), default=None)
    found: list[tuple[date, pricing.PriceRow, bool]] = []
    for schedule in _schedules(subscription, 1 if last is None else FAR):
        price = pricing.price_for_holder(prices, agreed, schedule.start)
        other = price.amount_minor != agreed.amount_minor
        if not found or other:
            found.append((schedule.start, price, other))
        if other or last is None or schedule.start >= last:
            break
    return found


def _short(
    subscription: Subscription,
    held: MandateRow,
    coming: Sequence[tuple[date, pricing.PriceRow, bool]],
    now: datetime,
) -> tuple[date, int] | None:
    """The first renewal that the mandate does not allow for. With a plan chosen for then: the next one."""
    for day in [day for day, _, _ in coming] or [subscription.period_end]:
        money, _ = _renewal(subscription, day, now)
        if money.due_minor > (held.max_minor or 0):
            return day, held.id
    return None


def _retry(subscription: Subscription, held: MandateRow | None) -> tuple[date, int] | None:
    """The next try of an overdue renewal, where the bank has to be told; elsewhere the letter about the failure has."""
    if subscription.next_attempt_on is None or subscription.status not in ("past_due", "suspended"):
        return None
    if held is None or not provider(held.provider).capabilities.needs_notice:
        return None
    bill = invoice_of_period(subject(subscription.pk), subscription.period_index + 1)
    return subscription.next_attempt_on, len(payments_of(bill.id)) + 1 if bill else 1


@dataclass(frozen=True, slots=True)
class _Amount:
    """What a renewal comes to with its tax, and what is left to pay after the reader's credit."""

    total_minor: int
    due_minor: int
    currency: str


def _renewal(subscription: Subscription, day: date, now: datetime) -> tuple[_Amount, pricing.PriceRow]:
    """The renewal on `day`, as things stand today."""
    chosen = subscription.pending_plan
    offered = chosen or subscription.plan
    agreed = price_row(Price.objects.get(pk=subscription.price_id))
    if chosen is not None:
        price = price_for_new(chosen, agreed.currency, day)
    else:
        rows = [price_row(row) for row in Price.objects.filter(plan=offered, currency=agreed.currency)]
        price = pricing.price_for_holder(rows, agreed, day)
    quantity = subscription.pending_quantity or subscription.quantity
    discount = discount_of(subscription.coupon, subscription.coupon_left, offered)
    end = rules.boundary(day, offered.months, 1)
    lines = period_lines(
        offered, unit_minor=price.amount_minor, quantity=quantity, discount=discount, start=day, end=end
    )
    money = payments.quote(
        reader_id=subscription.reader_id, lines=lines, taxed=taxed(offered), currency=price.currency, now=now
    )
    total = money.split.total_minor
    return _Amount(total, total - money.credit_minor, price.currency), price


def renewal_ahead(*, subscription_id: int, now: datetime) -> Ahead | None:
    """The next renewal as things stand; None when it will not renew."""
    subscription = Subscription.objects.select_related("plan", "pending_plan", "coupon").get(pk=subscription_id)
    known = outlook(subscription, now)
    if not known.renews or known.status not in ("trialing", "active"):
        return None
    day = subscription.period_end
    if subscription.status == "trialing" and subscription.trial_end is not None:
        day = local_date(subscription.trial_end, zone())
    amount, _ = _renewal(subscription, day, now)
    by, label = _collected(subscription, amount)
    return Ahead(day, amount.total_minor, amount.due_minor, amount.currency, by, label)


def ends_unpaid_on(subscription_id: int) -> date | None:
    """The day on which an unpaid subscription is over; None when it is not behind, or never ends by itself."""
    subscription = Subscription.objects.get(pk=subscription_id)
    since = subscription.past_due_since
    return rules.dunning_ends(since, policies()) if since else None


def _collected(subscription: Subscription, amount: _Amount) -> tuple[str, str]:
    """How it will be paid (`mandate`, `invoice`, `link`), and by which card or account."""
    held = mandate(subscription.mandate_id) if subscription.collection == "automatic" else None
    if held is not None and held.usable and _within(held, amount):
        return "mandate", held.label
    return ("invoice" if subscription.collection == "send_invoice" else "link"), ""


def facts_of(subscription: Subscription, wanted: notice_plan.Planned, now: datetime) -> dict[str, Any] | None:
    """What the letter says, as of now; None when there is nothing to tell after all."""
    facts: dict[str, Any] = {"on": wanted.on.isoformat(), "plan": (subscription.pending_plan or subscription.plan).name}
    if wanted.kind in ("term_ending", "yearly_statement"):
        return facts
    held = mandate(subscription.mandate_id) if subscription.collection == "automatic" else None
    if wanted.kind == "pre_debit" and subscription.status in ("past_due", "suspended"):
        bill = invoice_of_period(subject(subscription.pk), subscription.period_index + 1)
        if bill is None:
            return None
        amount = _Amount(bill.total_minor, bill.due_minor, bill.currency)
    else:
        amount, _ = _renewal(subscription, wanted.on, now)
    by, label = _collected(subscription, amount)
    if wanted.kind == "pre_debit" and (by != "mandate" or not amount.due_minor):
        return None
    return facts | {
        "amount_minor": amount.due_minor,
        "total_minor": amount.total_minor,
        "currency": amount.currency,
        "by": by,
        "label": label,
        **_more(subscription, wanted, held, now),
    }


def _more(
    subscription: Subscription, wanted: notice_plan.Planned, held: MandateRow | None, now: datetime
) -> dict[str, Any]:
    """What only one kind has to say."""
    match wanted.kind:
        case "pre_debit":
            assert held is not None
            return {"reference": debit_key(subscription), "mandate": held.id}
        case "price_change" | "mandate_needed":
            # Before the first day of the new price the old one holds: the day before says what they pay today.
            old, _ = _renewal(subscription, subscription.period_start, now)
            return {"old_minor": old.total_minor, "max_minor": held.max_minor if held else None}
        case "trial_ending":
            assert subscription.trial_end is not None
            return {"ends_at": rfc3339(subscription.trial_end), "method": bool(held and held.usable)}
    return {}


def _within(held: MandateRow, amount: _Amount) -> bool:
    limits = provider(held.provider).capabilities.max_auto_minor or {}
    return rules.may_debit(
        amount.due_minor,
        amount.currency,
        mandate_max_minor=held.max_minor,
        till_max_minor=limits.get(amount.currency),
        policies=policies(),
    )


def debit_key(subscription: Subscription) -> str:
    """The key the next debit will have: it is asked for under the name it was announced by."""
    index = subscription.period_index + 1
    bill = invoice_of_period(subject(subscription.pk), index)
    tries = len(payments_of(bill.id)) + 1 if bill else 1
    return f"renew:{subscription.pk}:{index}:{tries}"
