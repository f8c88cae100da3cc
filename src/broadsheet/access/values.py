"""Checked values of a policy: one set of bounds and hints for the options and for the publisher's screen. Django-free.

Every function takes what a TOML file, an environment string or a form gave, and returns the value or raises ValueError
with a hint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from broadsheet.access.rules import Policy

MODES = ("soft", "strict", "login")
MOST_READS = 250  # what a meter's cookie can hold
_MOST_DAYS = 366


def whole_number(least: int, most: int) -> Callable[[Any], int]:
    """A parser of whole numbers in [least, most]."""

    def parse(value: Any) -> int:
        try:
            number = int(value) if not isinstance(value, bool | float) else None
        except (TypeError, ValueError):
            number = None
        if number is None or not least <= number <= most:
            raise ValueError(f"write a whole number from {least} to {most}")
        return number

    return parse


limit = whole_number(0, MOST_READS)


def choice(*names: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in names:
            raise ValueError(f"choose one of {', '.join(names)}")
        return str(value)

    return parse


mode = choice(*MODES)


def window(value: Any) -> str:
    kind, colon, count = str(value).partition(":")
    rolling = kind == "rolling" and colon and count.isascii() and count.isdigit()
    if value in ("month", "week") or (rolling and 1 <= int(count) <= _MOST_DAYS):
        return str(value)
    raise ValueError("write month, week or rolling:N (N days of 24 hours)")


def section_limits(value: Any) -> dict[str, int]:
    """A mapping, or `sport=2,world=3`."""
    if isinstance(value, str):
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        value = {section.strip(): count.strip() for section, equals, count in pairs if equals and section.strip()}
        if len(value) != len(pairs):
            raise ValueError("write section=limit pairs, each section once, such as markets=2,opinion=3")
    if not isinstance(value, Mapping):
        raise ValueError("write section = limit pairs")
    return {str(section): limit(count) for section, count in value.items()}


def zone(value: Any) -> str:
    try:
        ZoneInfo(str(value))
    except (ValueError, OSError, KeyError):
        raise ValueError("write a zone of the IANA database, such as Asia/Kolkata") from None
    return str(value)


def switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


class PolicyError(Exception):
    """A policy that cannot be: `hints` says for each value what would be right."""

    def __init__(self, hints: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {hint}" for name, hint in hints.items()))
        self.hints = hints


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "free_limit": limit,
    "registered_limit": limit,
    "window": window,
    "zone": lambda value: ZoneInfo(zone(value)),
    "mode": mode,
    "section_limits": section_limits,
    "emergency": switch,
}


def checked_policy(base: Policy, given: Mapping[str, Any]) -> Policy:
    """`base` with the values of `given`, by their names in rules.Policy. PolicyError names every one that is wrong.

    Its revision is that of `base`; one in `given` is not looked at.
    """
    checked: dict[str, Any] = {}
    hints: dict[str, str] = {}
    for name, value in given.items():
        if name == "revision":
            continue
        try:
            checked[name] = _PARSERS[name](value)
        except KeyError:
            hints[name] = "there is no such value"
        except ValueError as error:
            hints[name] = str(error)
    if hints:
        raise PolicyError(hints)
    return replace(base, **checked)
