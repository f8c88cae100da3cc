"""How a walk is told: one JSON object a line, or text for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from broadsheet.money import format_money

_HEAD = ("at", "event", "reader", "subscription")
# What a person does not need to see in a line.
_DULL = ("currency", "tax", "line", "name")


def as_json(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def label(name: str) -> str:
    """A field's name for people."""
    return name.removesuffix("_minor").replace("_", " ")


class Text:
    """Lines for people: when, who, what, and the rest of it with formatted money."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def line(self, row: Mapping[str, Any]) -> str:
        at = datetime.fromisoformat(row["at"])
        who = row.get("reader") or ""
        if row.get("subscription"):
            who += f" #{row['subscription']}"
        told = self.words(row)
        return f"{at:%Y-%m-%d %H:%M:%S}  {who:<14}  {row['event']:<22}  {told}".rstrip()

    def words(self, row: Mapping[str, Any]) -> str:
        """Everything but the head, as `name value` pairs."""
        if row["event"] == "expectation_failed":
            expected, found = self.value(row["field"], row["expected"]), self.value(row["field"], row["found"])
            return f"line {row['line']}: {label(row['field'])} should be {expected}, is {found}"
        if row["event"] == "status_changed":
            return f"{row.get('from')} -> {row.get('to')} ({row.get('reason')})"
        currency = str(row.get("currency") or self._currency)
        pairs = []
        for name, value in row.items():
            if name in _HEAD or name in _DULL or value is None or value == "":
                continue
            pairs.append(f"{label(name)} {self.value(name, value, currency)}")
        return ", ".join(pairs)

    def value(self, name: str, value: Any, currency: str = "") -> str:
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if name.endswith("_minor") and isinstance(value, int):
            return format_money(value, currency or self._currency)
        if isinstance(value, list):
            return "; ".join(self.value("", item, currency) for item in value) or "none"
        if isinstance(value, Mapping):
            parts = [
                self.value(key, part, currency) for key, part in value.items() if key != "currency" and part is not None
            ]
            return " ".join(parts)
        return str(value)
