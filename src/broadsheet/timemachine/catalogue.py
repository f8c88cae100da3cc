"""Reads the head of a scenario: policies, taxes, plans, coupons."""

from __future__ import annotations

import re

import yaml

from broadsheet.money import is_currency
from broadsheet.timemachine.reading import Fields, ScenarioError, items, line_of, named, nearest, scalar
from broadsheet.timemachine.scenario import Coupon, Plan, Policies, Tax

_BLOCKS = ("changes", "access", "cancel")
_REPEATING = re.compile(r"repeating\s*[:x* ]?\s*(\d+)")
_ROUNDINGS = ("half_up", "half_even", "down", "up")


def read_policies(node: yaml.Node | None) -> Policies:
    if node is None:
        return Policies()
    fields = Fields.of(node, "policies")
    proration = fields.take("proration")
    parts = Fields.of(proration, "proration") if proration is not None else None
    if parts:
        parts.choice("unit", ("day",))
    policies = Policies(
        dunning_days=_dunning(fields),
        grace_days=fields.whole("grace_days", most=366),
        cancel_after_days=fields.whole("cancel_after_days", most=366),
        overdue_stages=_stages(fields),
        rounding=parts.choice("rounding", _ROUNDINGS) if parts else None,
        change_day=parts.choice("change_day", ("new_plan", "old_plan")) if parts else None,
        cancel_day=parts.choice("cancel_day", ("used", "unused")) if parts else None,
        auto_debit_limit=fields.whole("auto_debit_limit_minor"),
    )
    if parts:
        parts.finish()
    fields.finish()
    return policies


def _dunning(fields: Fields) -> tuple[int, ...] | None:
    words = fields.words("dunning_days")
    if words is None:
        return None
    days = []
    for word, node in words:
        if not word.isdecimal() or int(word) > 366:  # noqa: PLR2004 - a year
            raise fields.wrong(node, f"dunning_days: {word!r} is no number of days.", "Write [0, 3, 7, 14].")
        if days and int(word) <= days[-1]:
            raise fields.wrong(node, "dunning_days count from the due date and grow.", "Write [0, 3, 7, 14].")
        days.append(int(word))
    # The due date itself is always tried, whether or not the list says so.
    return tuple(days) if days[:1] == [0] else (0, *days)


def _stages(fields: Fields) -> tuple[tuple[int, str], ...] | None:
    node = fields.take("overdue_stages")
    if node is None:
        return None
    stages: list[tuple[int, str]] = []
    for entry in items(node, "overdue_stages"):
        part = Fields.of(entry, "overdue_stages")
        days = part.whole("after_days", needed=True, most=366)
        assert days is not None
        for block, place in part.words("block") or []:
            if block not in _BLOCKS:
                raise part.wrong(place, f"nothing is blocked by {block!r}.", nearest(block, _BLOCKS))
            stages.append((days, block))
        part.finish()
    return tuple(sorted(stages))


def _once(seen: dict[str, int], fields: Fields, name: str) -> None:
    if name in seen:
        raise fields.wrong(None, f"{name!r} is there already.", f"The first stands in line {seen[name]}.")
    seen[name] = fields.line


def read_taxes(node: yaml.Node | None) -> tuple[Tax, ...]:
    taxes, seen = [], dict[str, int]()
    for key, entry in named(node, "taxes") if node is not None else ():
        fields = Fields.of(entry, f"tax {key}" if key else "a tax")
        name = key or fields.text("id", needed=True)
        _once(seen, fields, name)
        rate = fields.hundredths("rate", needed=True)
        assert rate is not None
        taxes.append(Tax(name, fields.choice("kind", ("gst", "vat", "simple")) or "gst", rate))
        fields.finish()
    return tuple(taxes)


def read_plans(node: yaml.Node | None, taxes: tuple[Tax, ...]) -> tuple[Plan, ...]:
    plans, seen = [], dict[str, int]()
    for key, entry in named(node, "plans") if node is not None else ():
        fields = Fields.of(entry, f"plan {key}" if key else "a plan")
        name = key or fields.text("id", needed=True)
        fields.what = f"plan {name}"
        _once(seen, fields, name)
        plans.append(_plan(name, fields, taxes))
        fields.finish()
    return tuple(plans)


def _plan(name: str, fields: Fields, taxes: tuple[Tax, ...]) -> Plan:
    tax_node = fields.take("tax")
    tax = scalar(tax_node, "tax") if tax_node is not None else ""
    if tax in ("none", "no", "false"):
        tax = ""
    if tax and tax not in [known.id for known in taxes]:
        raise fields.wrong(tax_node, f"there is no tax {tax!r}.", nearest(tax, [known.id for known in taxes]))
    currency_node = fields.take("currency")
    currency = scalar(currency_node, "currency").upper() if currency_node is not None else "INR"
    if not is_currency(currency):
        raise fields.wrong(currency_node, f"{currency!r} is no currency.", "Write three letters, such as INR.")
    inclusive = fields.flag("tax_inclusive")
    amount = fields.whole("amount_minor", needed=True, least=1)
    months = fields.whole("months", needed=True, least=1, most=1200)
    assert amount is not None
    assert months is not None
    return Plan(
        id=name,
        name=fields.text("name") or name,
        amount_minor=amount,
        months=months,
        trial_days=fields.whole("trial_days", most=366) or 0,
        tax=tax,
        tax_inclusive=True if inclusive is None else inclusive,
        currency=currency,
        products=tuple(word for word, _ in fields.words("products") or []),
    )


def read_coupons(node: yaml.Node | None, plans: tuple[Plan, ...]) -> tuple[Coupon, ...]:
    coupons, seen = [], dict[str, int]()
    for key, entry in named(node, "coupons") if node is not None else ():
        fields = Fields.of(entry, f"coupon {key}" if key else "a coupon")
        name = key or fields.text("id", needed=True)
        fields.what = f"coupon {name}"
        _once(seen, fields, name)
        coupons.append(_coupon(name, fields, plans))
        fields.finish()
    return tuple(coupons)


def _coupon(name: str, fields: Fields, plans: tuple[Plan, ...]) -> Coupon:
    percent, amount = fields.hundredths("percent"), fields.whole("amount_minor", least=1)
    if (percent is None) == (amount is None) or percent == 0:
        raise fields.wrong(
            None, "a coupon takes off a percent or an amount.", "Write percent: 50 or amount_minor: 500."
        )
    duration, periods = _duration(fields)
    only = fields.words("plans") or []
    for word, place in only:
        if word not in [plan.id for plan in plans]:
            raise fields.wrong(place, f"there is no plan {word!r}.", nearest(word, [plan.id for plan in plans]))
    return Coupon(
        id=name,
        percent_bp=percent,
        amount_minor=amount,
        duration=duration,
        periods=periods,
        plans=tuple(word for word, _ in only),
        first_time_only=bool(fields.flag("first_time_only")),
        max_redemptions=fields.whole("max_redemptions", least=1),
        valid_from=fields.day("valid_from"),
        valid_to=fields.day("valid_to"),
    )


def _duration(fields: Fields) -> tuple[str, int]:
    """once, forever, or repeating with its number, as `repeating: 3`, {repeating: 3} or beside a field `periods`."""
    node, periods = fields.take("duration"), fields.whole("periods", least=1, most=10_000)
    if node is None:
        return ("repeating", periods) if periods else ("once", 1)
    if isinstance(node, yaml.MappingNode):
        part = Fields.of(node, "duration")
        count = part.whole("repeating", needed=True, least=1, most=10_000)
        part.finish()
        assert count is not None
        return "repeating", count
    word = scalar(node, "duration").lower()
    if word in ("once", "forever"):
        return word, 1
    found = _REPEATING.fullmatch(word)
    if found and int(found.group(1)):
        return "repeating", int(found.group(1))
    if word == "repeating" and periods:
        return word, periods
    raise ScenarioError(
        line_of(node), f"{fields.what}: duration = {word!r} cannot be used.", "Write once, forever or {repeating: 3}."
    )
