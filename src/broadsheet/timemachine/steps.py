"""Reads the steps and the expectations of a scenario, and the file as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from broadsheet.timemachine.catalogue import read_coupons, read_plans, read_policies, read_taxes
from broadsheet.timemachine.expectations import read_expect
from broadsheet.timemachine.reading import Fields, ScenarioError, compose, items, line_of, nearest, scalar
from broadsheet.timemachine.scenario import Coupon, Plan, Scenario, Step

MOST_BYTES = 2_000_000
RAILS = ("card", "upi", "manual", "external")
ANSWERS = ("ok", "decline", "hard_decline", "opt_out", "timeout", "late_ok", "crash_after_charge")
# The four moments at which work may die, and what else somebody might call them.
POINTS = {
    "claimed": "claimed",
    "claim": "claimed",
    "after_claim": "claimed",
    "before_charge": "before_charge",
    "after_charge": "after_charge",
    "charged": "after_charge",
    "before_record": "after_charge",
    "recorded": "recorded",
    "record": "recorded",
    "after_record": "recorded",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a step may refer to."""

    zone: ZoneInfo
    plans: tuple[Plan, ...]
    coupons: tuple[Coupon, ...]


def _reference(fields: Fields, name: str, known: list[str], *, needed: bool = False) -> str:
    node = fields.take(name, needed=needed)
    if node is None:
        return ""
    word = scalar(node, f"{fields.what}: {name}")
    if word not in known:
        raise fields.wrong(node, f"there is no {name} {word!r}.", nearest(word, known))
    return word


def _plan(fields: Fields, known: Known) -> str:
    return _reference(fields, "plan", [plan.id for plan in known.plans], needed=True)


def _subscribe(fields: Fields, known: Known) -> dict[str, Any]:
    return {
        "plan": _plan(fields, known),
        "coupon": _reference(fields, "coupon", [coupon.id for coupon in known.coupons]),
        "state": fields.text("state"),
        "country": fields.text("country").upper(),
        "gstin": fields.text("gstin"),
        "quantity": fields.whole("quantity", least=1, most=1_000_000) or 1,
        "rail": fields.choice("rail", RAILS) or "card",
        "mandate_max_minor": fields.whole("mandate_max_minor"),
        "trial": fields.flag("trial"),
    }


def _cancel(fields: Fields, _known: Known) -> dict[str, Any]:
    return {
        "when": fields.choice("when", ("period_end", "now")) or "period_end",
        "refund": fields.choice("refund", ("none", "unused", "credit")) or "none",
        "reason": fields.text("reason"),
    }


def _change_plan(fields: Fields, known: Known) -> dict[str, Any]:
    return {
        "plan": _plan(fields, known),
        "when": fields.choice("when", ("auto", "now", "period_end")) or "auto",
        "keep_date": bool(fields.flag("keep_date")),
    }


def _set_quantity(fields: Fields, _known: Known) -> dict[str, Any]:
    return {"quantity": fields.whole("quantity", needed=True, least=1, most=1_000_000)}


def _days(fields: Fields, _known: Known) -> dict[str, Any]:
    return {"days": fields.whole("days", needed=True, least=1, most=3660)}


def _pay(fields: Fields, _known: Known) -> dict[str, Any]:
    return {"amount_minor": fields.whole("amount_minor", least=1)}


def _new_mandate(fields: Fields, _known: Known) -> dict[str, Any]:
    return {"rail": fields.choice("rail", ("card", "upi")) or "card", "max_minor": fields.whole("max_minor")}


def _till(fields: Fields, _known: Known) -> dict[str, Any]:
    answers = fields.words("next")
    if not answers:
        raise fields.wrong(None, "'next' is missing.", "Write next: [decline, ok].")
    for word, node in answers:
        if word not in ANSWERS:
            raise fields.wrong(node, f"a till does not answer {word!r}.", nearest(word, ANSWERS))
    return {"next": [word for word, _ in answers]}


def _refund(fields: Fields, _known: Known) -> dict[str, Any]:
    adjust = fields.flag("adjust")
    return {"amount_minor": fields.whole("amount_minor", least=1), "adjust": True if adjust is None else adjust}


def _credit(fields: Fields, _known: Known) -> dict[str, Any]:
    return {"amount_minor": fields.whole("amount_minor", needed=True, least=1)}


def _chargeback(fields: Fields, _known: Known) -> dict[str, Any]:
    return {"result": fields.choice("result", ("opened", "won", "lost"), needed=True)}


def _webhooks(fields: Fields, known: Known) -> dict[str, Any]:
    modes = ("normal", "lose", "duplicate", "reverse", "tamper")
    return {"mode": fields.choice("mode", modes, needed=True), "until": fields.instant("until", known.zone)}


def _buy_gift(fields: Fields, known: Known) -> dict[str, Any]:
    return {
        "plan": _plan(fields, known),
        "to": fields.text("to"),
        "send_on": fields.day("send_on"),
        "message": fields.text("message"),
    }


def _price(fields: Fields, known: Known) -> dict[str, Any]:
    return {
        "plan": _plan(fields, known),
        "amount_minor": fields.whole("amount_minor", needed=True, least=1),
        "new_from": fields.day("new_from"),
        "existing_from": fields.day("existing_from"),
    }


def _retire(fields: Fields, known: Known) -> dict[str, Any]:
    return {"plan": _plan(fields, known)}


def _stop_scheduler(fields: Fields, known: Known) -> dict[str, Any]:
    return {"until": fields.instant("until", known.zone, needed=True)}


def _crash(fields: Fields, _known: Known) -> dict[str, Any]:
    node = fields.take("point", needed=True)
    assert node is not None
    word = scalar(node, "point")
    if word not in POINTS:
        raise fields.wrong(node, f"there is no point {word!r}.", nearest(word, dict.fromkeys(POINTS.values())))
    return {"point": POINTS[word]}


def _comp(fields: Fields, known: Known) -> dict[str, Any]:
    return {"plan": _plan(fields, known), "until": fields.day("until", needed=True)}


def _nothing(_fields: Fields, _known: Known) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Form:
    """How a step is read. `reader`: True it names one, None it may, False it is about nobody."""

    read: Callable[[Fields, Known], Mapping[str, Any]]
    reader: bool | None = True


FORMS: Mapping[str, Form] = {
    "subscribe": Form(_subscribe),
    "cancel": Form(_cancel),
    "uncancel": Form(_nothing),
    "change_plan": Form(_change_plan),
    "set_quantity": Form(_set_quantity),
    "pause": Form(_days),
    "resume": Form(_nothing),
    "pay": Form(_pay),
    "new_mandate": Form(_new_mandate),
    "till": Form(_till, reader=None),
    "refund": Form(_refund),
    "credit": Form(_credit),
    "chargeback": Form(_chargeback),
    "webhooks": Form(_webhooks, reader=False),
    "buy_gift": Form(_buy_gift),
    "redeem_gift": Form(_nothing),
    "price": Form(_price, reader=False),
    "retire": Form(_retire, reader=False),
    "stop_scheduler": Form(_stop_scheduler, reader=False),
    "crash": Form(_crash, reader=False),
    "extend": Form(_days),
    "comp": Form(_comp),
    "run_jobs": Form(_nothing, reader=False),
    "advance": Form(_nothing, reader=False),
}


def _step(number: int, node: yaml.Node, known: Known) -> Step:
    fields = Fields.of(node, f"step {number}")
    do_node = fields.take("do", needed=True)
    assert do_node is not None
    do = scalar(do_node, f"step {number}: do")
    if do not in FORMS:
        raise fields.wrong(do_node, f"nothing does {do!r}.", nearest(do, FORMS))
    form = FORMS[do]
    fields.what = f"step {number} ({do})"
    at = fields.instant("at", known.zone, needed=True)
    assert at is not None
    # What is about nobody may still name somebody: it does no harm, and the refusal of a step is counted for them.
    reader = fields.text("reader", needed=form.reader is True) or None
    subscription = fields.whole("subscription", least=1, most=1000)
    values = form.read(fields, known)
    fields.finish()
    return Step(fields.line, at, do, reader, subscription, values)


def _steps(node: yaml.Node | None, known: Known) -> tuple[Step, ...]:
    steps: list[Step] = []
    for number, entry in enumerate(items(node, "steps") if node is not None else (), start=1):
        step = _step(number, entry, known)
        if steps and step.at < steps[-1].at:
            before = steps[-1].at.astimezone(known.zone)
            raise ScenarioError(
                step.line,
                f"step {number} ({step.do}) is earlier than the step before it ({before:%Y-%m-%d %H:%M}).",
                "The clock only goes forward: put the steps in order.",
            )
        steps.append(step)
    return tuple(steps)


def _zone(fields: Fields) -> ZoneInfo:
    node = fields.take("zone")
    name = scalar(node, "zone") if node is not None else "Asia/Kolkata"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise fields.wrong(node, f"there is no zone {name!r}.", "Write a name such as Asia/Kolkata.") from None


def parse(text: str) -> Scenario:
    """The scenario a text holds. ScenarioError for the first thing in it that makes no sense."""
    fields = Fields.of(compose(text), "the scenario")
    name, zone, state = fields.text("name"), _zone(fields), fields.text("publisher_state")
    fields.text("description")
    policies = read_policies(fields.take("policies"))
    taxes = read_taxes(fields.take("taxes"))
    plans = read_plans(fields.take("plans"), taxes)
    coupons = read_coupons(fields.take("coupons"), plans)
    steps_node, expect_node = fields.take("steps", needed=True), fields.take("expect")
    fields.finish()
    _one_currency(plans, fields)
    assert steps_node is not None
    steps = _steps(steps_node, Known(zone, plans, coupons))
    if not steps:
        raise ScenarioError(line_of(steps_node), "There are no steps.", "Write at least one: - {at: …, do: advance}.")
    scenario = Scenario(name, zone, state, policies, taxes, plans, coupons, steps, ())
    wanted = items(expect_node, "expect") if expect_node is not None else []
    expects = tuple(read_expect(number, node, scenario) for number, node in enumerate(wanted, start=1))
    return Scenario(name, zone, state, policies, taxes, plans, coupons, steps, expects)


def _one_currency(plans: tuple[Plan, ...], fields: Fields) -> None:
    if len({plan.currency for plan in plans}) > 1:
        raise fields.wrong(None, "the plans have several currencies.", "A paper sells in one: use a file for each.")


def load(path: Path) -> Scenario:
    """The scenario in a file. ScenarioError, line 1, for a file that cannot be read."""
    try:
        raw = path.read_bytes()
        if len(raw) > MOST_BYTES:
            raise ScenarioError(1, "This is too large to be a scenario.")
        return parse(raw.decode("utf-8-sig"))
    except OSError as error:
        raise ScenarioError(1, f"The file cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except UnicodeDecodeError:
        raise ScenarioError(1, "The file is not UTF-8 text.") from None


def local(at: datetime, zone: ZoneInfo) -> str:
    """An instant as the file would write it."""
    here = at.astimezone(zone)
    return f"{here:%Y-%m-%d %H:%M:%S}" if here.second else f"{here:%Y-%m-%d %H:%M}"
