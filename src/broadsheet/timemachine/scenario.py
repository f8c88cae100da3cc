"""A scenario as frozen values. Pure: a file in, values or a ScenarioError with its line out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Policies:
    """What the file says about the publisher's policies; None: the product's own."""

    dunning_days: tuple[int, ...] | None = None
    grace_days: int | None = None
    cancel_after_days: int | None = None
    overdue_stages: tuple[tuple[int, str], ...] | None = None
    rounding: str | None = None
    change_day: str | None = None
    cancel_day: str | None = None
    auto_debit_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Tax:
    id: str
    kind: str
    rate_bp: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`products` empty: everything the product knows. `tax` empty: none."""

    id: str
    name: str
    amount_minor: int
    months: int
    trial_days: int = 0
    tax: str = ""
    tax_inclusive: bool = True
    currency: str = "INR"
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coupon:
    id: str
    percent_bp: int | None
    amount_minor: int | None
    duration: str
    periods: int
    plans: tuple[str, ...] = ()
    first_time_only: bool = False
    max_redemptions: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`subscription` counts a reader's subscriptions from 1; None: the one that lives, else the latest."""

    line: int
    at: datetime
    do: str
    reader: str | None = None
    subscription: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expect:
    """`wants` holds the fields as the file names them; `at` None: when the last step is done."""

    line: int
    at: datetime | None
    reader: str | None
    subscription: int | None
    wants: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    zone: ZoneInfo
    publisher_state: str
    policies: Policies
    taxes: tuple[Tax, ...]
    plans: tuple[Plan, ...]
    coupons: tuple[Coupon, ...]
    steps: tuple[Step, ...]
    expects: tuple[Expect, ...]

    @property
    def currency(self) -> str:
        return self.plans[0].currency if self.plans else "INR"

    @property
    def readers(self) -> tuple[str, ...]:
        """Everybody the steps name, in their order."""
        names = [name for step in self.steps for name in (step.reader, step.values.get("to")) if name]
        return tuple(dict.fromkeys(names))
