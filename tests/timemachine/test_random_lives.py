"""Random lives: whatever readers, banks and the desk do, in any order, what must always hold does hold after each step.

A life is a scenario file like those people write, walked on the real code. After every step the books are looked at from
outside: the till's own book against ours, periods against the calendar, access against what was paid.
"""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from broadsheet import clock
from broadsheet.access.queries import live_grants
from broadsheet.payments.models import Invoice, Payment, SandboxCharge
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.due import due_since
from broadsheet.subscriptions.actions.history import policies, start_of, today
from broadsheet.subscriptions.check import violations
from broadsheet.subscriptions.models import Segment, Subscription, SubscriptionEvent
from broadsheet.timemachine.steps import parse
from broadsheet.timemachine.walk import Walk

pytestmark = pytest.mark.django_db

HEAD = """
name: a random life
zone: Asia/Kolkata
publisher_state: Delhi
plans:
  - {id: M, amount_minor: 30000, months: 1, tax: gst18}
  - {id: Q, amount_minor: 90000, months: 3, tax: gst18}
  - {id: Y, amount_minor: 270001, months: 12, tax: gst18, trial_days: 10}
  - {id: X, amount_minor: 9999, months: 1, tax: vat, tax_inclusive: false}
taxes:
  gst18: {rate: "18", kind: gst}
  vat: {rate: "7", kind: vat}
coupons:
  - {id: HALF, percent: 50, duration: once}
  - {id: LESS, amount_minor: 3333, duration: forever}
  - {id: FREE, percent: 100, duration: {repeating: 2}}
steps:
"""

PLANS = st.sampled_from(["M", "Q", "Y", "X"])
ANSWERS = st.lists(
    st.sampled_from(
        ["ok", "ok", "decline", "decline", "hard_decline", "opt_out", "timeout", "late_ok", "crash_after_charge"]
    ),
    min_size=1,
    max_size=4,
)


def step(do: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"do": st.just(do), **fields})


DAYS = st.dates(date(2026, 1, 1), date(2029, 12, 31)).map(str)
FROM = {"new_from": DAYS, "existing_from": DAYS}
STEPS = st.one_of(
    step(
        "subscribe",
        plan=PLANS,
        quantity=st.sampled_from([1, 1, 1, 3, 40]),
        rail=st.sampled_from(["card", "card", "upi", "manual", "external"]),
        coupon=st.sampled_from([None, None, "HALF", "LESS", "FREE"]),
        trial=st.sampled_from(["true", "false"]),
        state=st.sampled_from(["Delhi", "Kerala"]),
    ),
    step("advance"),
    step("advance"),
    step("till", next=ANSWERS),
    step(
        "cancel",
        when=st.sampled_from(["now", "period_end"]),
        refund=st.sampled_from(["none", "unused", "credit"]),
    ),
    step("uncancel"),
    step("change_plan", plan=PLANS, when=st.sampled_from(["auto", "now", "period_end"]), keep_date=st.booleans()),
    step("set_quantity", quantity=st.sampled_from([1, 2, 5])),
    step("pause", days=st.integers(1, 40)),
    step("resume"),
    step("pay"),
    step("pay", amount_minor=st.sampled_from([1, 10_000, 95_000])),
    step("new_mandate", rail=st.sampled_from(["card", "upi"]), max_minor=st.sampled_from([None, 20_000, 300_000])),
    step("refund", amount_minor=st.sampled_from([1, 5_000, 90_000]), adjust=st.booleans()),
    step("credit", amount_minor=st.sampled_from([777, 50_000])),
    step("chargeback", result=st.sampled_from(["opened", "won", "lost"])),
    step("webhooks", mode=st.sampled_from(["normal", "lose", "duplicate", "reverse", "tamper"])),
    step("buy_gift", plan=PLANS, to=st.just("asha")),
    step("redeem_gift"),
    step("extend", days=st.integers(1, 20)),
    step("comp", plan=PLANS, until=st.just("2030-01-01")),
    step("price", plan=PLANS, amount_minor=st.sampled_from([100, 45_000, 320_000]), **FROM),
    step("retire", plan=PLANS),
    step("crash", point=st.sampled_from(["claimed", "before_charge", "after_charge", "recorded"])),
)
LIVES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 23), STEPS), min_size=1, max_size=14)
GLOBAL = ("advance", "webhooks", "crash", "price", "retire")


def written(start: datetime, life: list[tuple[int, int, dict[str, Any]]]) -> str:
    """The life as a scenario file."""
    lines, at = [], start
    for days, hours, said in life:
        at += timedelta(days=days, hours=hours)
        fields = {"at": f'"{at:%Y-%m-%d %H:%M}"', **{k: v for k, v in said.items() if v is not None}}
        if said["do"] not in GLOBAL:
            fields["reader"] = "asha"
        words = ", ".join(f"{name}: {_word(value)}" for name, value in fields.items())
        lines.append(f"  - {{{words}}}")
    lines.append(f'  - {{at: "{at + timedelta(days=45):%Y-%m-%d %H:%M}", do: advance}}')
    return HEAD + "\n".join(lines) + "\n"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


class Watched(Walk):
    """A walk that looks at the books after every step."""

    def _do(self, step: Any) -> None:
        super()._do(step)
        self._settle()
        check(self._now)


def check(now: datetime) -> None:
    assert [str(broken) for broken in violations(now=now)] == []
    for row in Subscription.objects.select_related("plan"):
        _check_life(row, now)
    charged = SandboxCharge.objects.filter(status="succeeded", amount_minor__gt=0, decided_at__lte=now)
    for charge in charged:
        # Whatever the till took is known here, once, and belongs to one invoice.
        payment = Payment.objects.get(key=charge.key)
        assert payment.amount_minor == charge.amount_minor
        assert payment.status in ("succeeded", "processing", "pending")
    for bill in Invoice.objects.exclude(status="void"):
        taken = [p for p in bill.payments.all() if p.status == "succeeded" and p.kind != "hand"]
        assert len([p for p in taken if p.refunded_minor < p.amount_minor]) <= 1, "charged twice for one invoice"


def _check_life(row: Subscription, now: datetime) -> None:
    moves = SubscriptionEvent.objects.filter(subscription=row, kind="status_changed").order_by("id")
    status = "incomplete"
    for event in moves:
        assert event.facts["from"] == status, "a status without the event that led to it"
        status = event.facts["to"]
        assert event.actor
        assert event.reason
    assert status == row.status
    assert row.period_end > row.period_start
    if row.status in rules.TERMINAL:
        assert (row.due_at, row.ended_at is None) == (None, False)
        assert not Invoice.objects.filter(
            subject=f"subscription:{row.pk}", status="open", payments__status__in=["x"]
        ).exists()
    elif row.status != "suspended" or row.disputed_at is None:
        assert row.due_at is not None
        assert row.due_at > now - timedelta(minutes=1)
    _check_periods(row)
    _check_access(row, now)


def _check_periods(row: Subscription) -> None:
    """Paid periods follow one another in time and never overlap; each index is paid at most once."""
    bills = list(
        Invoice.objects.filter(subject=f"subscription:{row.pk}", status="paid", period_index__isnull=False).order_by(
            "period_index"
        )
    )
    used = [bill for bill in bills if Segment.objects.filter(invoice_id=bill.pk).exists()]
    for earlier, later in itertools.pairwise(used):
        assert later.period_index > earlier.period_index
        assert later.period_start > earlier.period_start
    if used and row.started_at:
        assert row.period_index == used[-1].period_index


def _check_access(row: Subscription, now: datetime) -> None:
    mine = [g for g in live_grants(row.reader_id, now) if g.source == f"subscription:{row.pk}"]
    if row.status in ("incomplete", "incomplete_expired", "canceled", "expired", "suspended", "paused"):
        assert mine == []
    elif row.status == "active" and today(now) < row.period_end:
        assert mine, "whoever has paid may read"
    latest = start_of(rules.access_ends(due_since(row), policies()))
    assert all(g.ends_at is not None and g.ends_at <= max(latest, start_of(row.period_end)) for g in mine)


class AnyLife(TestCase):
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        start=st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)),  # noqa: DTZ001 - local, as files write them
        first=st.sampled_from(["M", "Q", "Y", "X"]),
        life=LIVES,
    )
    def test_the_invariants_hold_after_every_step(self, start: datetime, first: str, life: list[Any]) -> None:
        opening = (0, 0, {"do": "subscribe", "plan": first, "trial": "false"})
        text = written(start.replace(second=0, microsecond=0), [opening, *life])
        told: list[Any] = []
        try:
            Watched(parse(text), told.append).run()
        except AssertionError as broken:
            raise AssertionError(f"{broken}\n{text}\n" + "\n".join(map(str, told[-12:]))) from broken
        assert [row for row in told if row.get("event") == "trouble"] == [], text


def teardown_module() -> None:
    clock.start_at(datetime.now().astimezone())
    connection.close()
