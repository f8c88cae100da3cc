"""Scenarios to begin with: ready ones in the package, and one made of the paper's own plans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import yaml
from django.apps import apps
from django.conf import settings

from broadsheet.dates import local_date

_READY = Path(__file__).parent / "ready"
OWN = "own"
NAMES: tuple[str, ...] = (OWN, "price-raised", "renewal-unpaid", "plan-changed", "gift-and-coupon")


def listed() -> list[tuple[str, str]]:
    """(name, what it shows)."""
    ready = [(name, str(yaml.safe_load(_text(name))["name"])) for name in NAMES[1:]]
    return [(OWN, "your own plans, and a price that goes up"), *ready]


def _text(name: str) -> str:
    return (_READY / f"{name}.yaml").read_text("utf-8")


def text_of(name: str, now: datetime) -> str | None:
    if name == OWN:
        return own_plans(now)
    return _text(name) if name in NAMES else None


@dataclass(frozen=True, slots=True)
class _Terms:
    """A plan on sale as a scenario needs it."""

    code: str
    months: int
    amount_minor: int
    currency: str
    trial_days: int
    tax: str
    inclusive: bool

    def line(self) -> str:
        parts = [f"id: {self.code}", f"amount_minor: {self.amount_minor}", f"currency: {self.currency}"]
        parts.append(f"months: {self.months}")
        if self.trial_days:
            parts.append(f"trial_days: {self.trial_days}")
        if self.tax:
            parts.append(f"tax: {self.tax}")
        if not self.inclusive:
            parts.append("tax_inclusive: false")
        return "  - {" + ", ".join(parts) + "}"


_NO_PLANS = _Terms("quarterly", 3, 90_000, "INR", 0, "", True)


def _on_sale(today: date) -> list[_Terms]:
    found = []
    for plan in apps.get_model("subscriptions", "Plan").objects.filter(published=True, retired=False):
        price = plan.prices.filter(new_from__lte=today).order_by("-new_from", "-id").first()
        if price is not None:
            terms = (plan.months, price.amount_minor, price.currency, plan.trial_days, plan.tax, plan.tax_inclusive)
            found.append(_Terms(plan.code, *terms))
    # A scenario has one currency.
    return [terms for terms in found if terms.currency == found[0].currency] or [_NO_PLANS]


def _tax_lines(codes: Iterable[str], today: date) -> list[str]:
    lines = []
    for code in dict.fromkeys(code for code in codes if code):
        rates = apps.get_model("payments", "TaxRate").objects.filter(code=code, valid_from__lte=today)
        row = rates.order_by("country", "-valid_from").first()
        rate, kind = (f"{row.rate_bp / 100:g}", row.kind) if row else ("0", "simple")
        lines.append(f'  {code}: {{rate: "{rate}", kind: {kind}}}')
    return lines


def own_plans(now: datetime) -> str:
    """The plans on sale as they are, somebody who takes the first one, and its price 10 % up from a renewal on."""
    options = settings.BROADSHEET
    today = local_date(now, options.zone)
    plans = _on_sale(today)
    first, taxes = plans[0], _tax_lines((plan.tax for plan in plans), today)
    begins, raised = today + timedelta(days=1), today + timedelta(days=45)
    dearer = f"amount_minor: {first.amount_minor * 11 // 10}, new_from: {raised}"
    lines = ["name: our own plans, and a price that goes up", f"zone: {options.zone.key}"]
    if options.publisher_state:
        lines.append(f"publisher_state: {options.publisher_state}")
    lines += [*(["taxes:", *taxes] if taxes else []), "plans:", *(plan.line() for plan in plans)]
    lines += [
        "steps:",
        f'  - {{at: "{begins} 09:00", do: subscribe, reader: asha, plan: {first.code}, state: Karnataka}}',
        f'  - {{at: "{raised} 09:00", do: price, plan: {first.code}, {dearer}, existing_from: {raised}}}',
        f'  - {{at: "{begins + timedelta(days=800)} 00:00", do: advance}}',
    ]
    return "\n".join(lines) + "\n"
