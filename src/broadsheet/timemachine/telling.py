"""The rows of a walk as a page tells them: what happened, how it ended, what was not as expected. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadsheet.money import format_money
from broadsheet.timemachine.printing import Text, label
from broadsheet.timemachine.scenario import Expect, Scenario

_WORDS: Mapping[str, str] = {
    "subscription_created": "Subscription",
    "status_changed": "State",
    "invoice_finalised": "Invoice",
    "charge": "Charge",
    "payment": "Payment",
    "refund": "Refund",
    "credit_note": "Credit note",
    "notice": "Notice",
    "grant": "Access",
    "refused": "Refused",
    "crashed": "Died",
}
MOST_ROWS = 3000


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the table. `tone` is money, access, bad or plain."""

    at: datetime
    day: bool
    who: str
    what: str
    text: str
    amount: str
    tone: str

    @property
    def at_text(self) -> str:
        """In the publisher's zone, which is the instant's own here."""
        return f"{self.at:%d %b %Y, %H:%M}" if self.at.second == 0 else f"{self.at:%d %b %Y, %H:%M:%S}"


@dataclass(frozen=True, slots=True)
class State:
    """How one subscription ended."""

    who: str
    plan: str
    status: str
    period: str
    access_until: str
    next_charge: str
    balance: str
    charged: str
    refunded: str
    invoices: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation of the file; `wrong` says what was found instead, empty when it holds."""

    line: int
    when: str
    who: str
    text: str
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    happenings: tuple[Happening, ...]
    states: tuple[State, ...]
    expected: tuple[Expected, ...]
    troubles: tuple[str, ...]
    left_out: int

    @property
    def broken(self) -> int:
        return sum(bool(row.wrong) for row in self.expected)


def _who(row: Mapping[str, Any], several: frozenset[str]) -> str:
    name = row.get("reader") or ""
    return f"{name} #{row['subscription']}" if name in several and row.get("subscription") else name


def told(rows: Sequence[Mapping[str, Any]], scenario: Scenario | None) -> Told:
    """`scenario` is what was walked, for its expectations."""
    several = frozenset(row["reader"] for row in rows if row.get("reader") and (row.get("subscription") or 1) > 1)
    events = [row for row in rows if row["event"] not in ("state", "expectation_failed", "trouble")]
    ends = [row for row in rows if row["event"] == "state"]
    currency = next((row["currency"] for row in rows if row.get("currency")), "INR")
    words = Text(currency)
    shown: list[Happening] = []
    for row in events[:MOST_ROWS]:
        at = datetime.fromisoformat(row["at"])
        first = not shown or shown[-1].at.date() != at.date()
        shown.append(_happening(row, _who(row, several), words, currency, day=first))
    return Told(
        happenings=tuple(shown),
        states=tuple(_state(row, _who(row, several)) for row in ends),
        expected=tuple(_expected(expect, scenario, rows, words) for expect in scenario.expects) if scenario else (),
        troubles=tuple(row["text"] for row in rows if row["event"] == "trouble"),
        left_out=max(0, len(events) - MOST_ROWS),
    )


def _expected(expect: Expect, scenario: Scenario, rows: Sequence[Mapping[str, Any]], words: Text) -> Expected:
    mine = [row for row in rows if row["event"] == "expectation_failed" and row["line"] == expect.line]
    when = expect.at.astimezone(scenario.zone).strftime("%d %b %Y, %H:%M") if expect.at else "at the end"
    who = (expect.reader or "") + (f" #{expect.subscription}" if expect.subscription else "")
    pairs = (f"{label(name)} {words.value(name, wanted)}" for name, wanted in expect.wants.items())
    wrong = (f"{label(row['field'])} is {words.value(row['field'], row['found'])}" for row in mine)
    return Expected(expect.line, when, who, ", ".join(pairs), tuple(wrong))


def _happening(row: Mapping[str, Any], who: str, words: Text, currency: str, *, day: bool) -> Happening:
    kind, at = row["event"], datetime.fromisoformat(row["at"])
    amount = row.get("total_minor") if kind == "invoice_finalised" else row.get("amount_minor")
    left = {name: value for name, value in row.items() if name not in ("total_minor", "amount_minor", "date")}
    tone = "plain"
    if kind in ("refused", "crashed") or row.get("result") == "failed":
        tone = "bad"
    elif amount is not None:
        tone = "money"
    elif kind in ("grant", "status_changed"):
        tone = "access"
    if kind == "grant":
        text = f"{row.get('product')} until {row.get('valid_until')}"
    elif kind == "invoice_finalised":
        lines = "; ".join(f"{line['text']} {format_money(line['amount_minor'], currency)}" for line in row["lines"])
        text = f"{row['number']}, {row['period_start']} to {row['period_end']}: {lines}"
    else:
        text = words.words(left)
    what = _WORDS.get(kind, kind.replace("_", " ").capitalize())
    return Happening(at, day, who, what, text, "" if amount is None else format_money(amount, currency), tone)


def _state(row: Mapping[str, Any], who: str) -> State:
    def money(name: str) -> str:
        return format_money(row.get(name) or 0, row.get("currency") or "INR")

    invoices = tuple(
        (bill["number"], bill["date"], format_money(bill["total_minor"], row.get("currency") or "INR"), bill["status"])
        for bill in row.get("invoices") or ()
    )
    period = f"{row['period_start']} to {row['period_end']}" if row.get("period_start") else "none"
    return State(
        who=who,
        plan=str(row.get("plan") or ""),
        status=str(row.get("status")),
        period=period,
        access_until=str(row.get("access_until") or "never"),
        next_charge=str(row.get("next_charge_date") or "none"),
        balance=money("balance_minor"),
        charged=money("charged_minor"),
        refunded=money("refunded_minor"),
        invoices=invoices,
    )
