"""What a scenario expects: read from the file, and compared with what was found. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from broadsheet.timemachine.reading import Fields, is_null, items, nearest, scalar
from broadsheet.timemachine.scenario import Expect, Scenario

STATUSES = (
    "incomplete", "incomplete_expired", "trialing", "active", "past_due", "suspended", "paused", "canceled", "expired",
)  # fmt: skip
_DATES = ("access_until", "period_start", "period_end", "next_charge_date")
_AMOUNTS = ("balance_minor", "charged_minor", "refunded_minor")
# Lists of rows: the whole list in its order. A row is compared by the fields the file names.
_ROWS: Mapping[str, tuple[str, ...]] = {
    "invoices": (
        "date", "total_minor", "period_start", "period_end", "status", "number", "taxable_minor", "tax_minor",
        "cgst_minor", "sgst_minor", "igst_minor", "vat_minor",
    ),
    "credit_notes": ("date", "amount_minor", "number"),
    "charges": ("date", "amount_minor", "result"),
    "notices": ("date", "kind"),
}  # fmt: skip


def read_expect(number: int, node: yaml.Node, scenario: Scenario) -> Expect:
    fields = Fields.of(node, f"expectation {number}")
    at = fields.instant("at", scenario.zone)
    reader_node = fields.take("reader")
    reader = scalar(reader_node, "reader") if reader_node is not None else None
    if reader is not None and reader not in scenario.readers:
        raise fields.wrong(reader_node, f"no step names a reader {reader!r}.", nearest(reader, scenario.readers))
    subscription = fields.whole("subscription", least=1, most=1000)
    wants = _wants(fields)
    fields.finish()
    if not wants:
        raise fields.wrong(None, "nothing is expected here.", "Write, for example, status: active.")
    if reader is None and len(scenario.readers) == 1:
        reader = scenario.readers[0]
    if reader is None and set(wants) != {"refused"}:
        raise fields.wrong(None, "'reader' is missing.", f"There are: {', '.join(scenario.readers) or 'none'}.")
    return Expect(fields.line, at, reader, subscription, wants)


def _wants(fields: Fields) -> dict[str, Any]:
    """Every field the entry names; one that is written as null is expected to be nothing."""
    nothing = {name for name, (_, value) in fields.left.items() if is_null(value)}
    found: dict[str, Any] = {"status": _status(fields), "access": fields.flag("access")}
    for name in _DATES:
        day = fields.day(name)
        found[name] = day.isoformat() if day else None
    for name in _AMOUNTS:
        found[name] = fields.whole(name, least=-(10**12))
    for name, known in _ROWS.items():
        found[name] = _rows(fields, name, known)
    found["refused"] = fields.whole("refused")
    return {name: value for name, value in found.items() if value is not None or name in nothing}


def _status(fields: Fields) -> str | None:
    node = fields.take("status")
    if node is None:
        return None
    word = scalar(node, "status").lower()
    word = {"cancelled": "canceled"}.get(word, word)
    if word not in STATUSES:
        raise fields.wrong(node, f"there is no status {word!r}.", nearest(word, STATUSES))
    return word


def _rows(fields: Fields, name: str, known: tuple[str, ...]) -> list[dict[str, Any]] | None:
    node = fields.take(name)
    if node is None:
        return None
    rows = []
    for entry in items(node, f"{fields.what}: {name}"):
        part = Fields.of(entry, f"{fields.what}: {name}")
        row: dict[str, Any] = {}
        for column in known:
            value: Any
            if column == "date" or column.startswith("period_"):
                day = part.day(column)
                value = day.isoformat() if day else None
            elif column.endswith("_minor"):
                value = part.whole(column, least=-(10**12))
            else:
                value = part.text(column) or None
            if value is not None:
                row[column] = value
        part.finish()
        rows.append(row)
    return rows


def differences(wants: Mapping[str, Any], found: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(field, expected, found) of every field that is not as it should be."""
    wrong = []
    for name, expected in wants.items():
        actual = found.get(name)
        if name == "notices":
            missing = [row for row in expected if not any(_same(row, other) for other in actual or ())]
            if missing:
                wrong.append((name, missing, actual))
        elif name in _ROWS:
            rows: Sequence[Mapping[str, Any]] = actual or ()
            if len(rows) != len(expected) or not all(_same(*pair) for pair in zip(expected, rows, strict=True)):
                columns = dict.fromkeys(column for row in expected for column in row) or ("date", "total_minor")
                wrong.append((name, expected, [{column: row.get(column) for column in columns} for row in rows]))
        elif actual != expected:
            wrong.append((name, expected, actual))
    return wrong


def _same(expected: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(found.get(column) == value for column, value in expected.items())
