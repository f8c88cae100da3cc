"""YAML with line numbers: a mapping is read field by field, and every mistake names its line and a way out of it.

Scalars are read from the text that was written, not from what YAML made of it: `NO` is a State as well as a refusal,
`2027-01-10` a date however it was quoted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import yaml

MOST_NODES = 200_000
EARLIEST, LATEST = 1970, 2200  # years
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_INSTANT = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2})(?:(?:[Tt]|\s+)(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*([Zz]|[+-]\d{1,2}(?::?\d{2})?)?)?"
)
INSTANT_HINT = "write a local time such as 2027-01-10 09:00, or one with its offset: 2027-01-10T09:00:00+05:30"


class ScenarioError(Exception):
    """The file makes no sense: which line, what is wrong there, and what would be right."""

    def __init__(self, line: int, text: str, hint: str = "") -> None:
        super().__init__(f"{text} {hint}".strip())
        self.line, self.text, self.hint = line, text, hint


def line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def listed(words: Iterable[object]) -> str:
    return ", ".join(str(word) for word in words)


def nearest(word: str, known: Iterable[str]) -> str:
    """`Did you mean …?`, else everything there is."""
    names = list(known)
    close = difflib.get_close_matches(word.lower(), [name.lower() for name in names], n=1)
    if close:
        found = next(name for name in names if name.lower() == close[0])
        return f"Did you mean {found!r}?"
    return f"There are: {listed(names)}." if names else "There are none."


def compose(text: str) -> yaml.MappingNode:
    """The file's one mapping. ScenarioError for anything else."""
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        hint = "Inside {…}, write `repeating: 3` as {repeating: 3}, and put quotes around text with a colon."
        raise ScenarioError(mark.line + 1 if mark else 1, f"This is not YAML: {error.problem}.", hint) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        place = getattr(error, "position", 0) or 0
        raise ScenarioError(text.count("\n", 0, place) + 1, f"This is not YAML: {str(error)[:80]}.") from None
    if len(nodes) != 1 or nodes[0] is None:
        line = line_of(nodes[1]) if len(nodes) > 1 and nodes[1] is not None else 1
        raise ScenarioError(line, "A scenario is one YAML document.", "It begins with `name:` and has `steps:`.")
    node = nodes[0]
    _bounded(node)
    if not isinstance(node, yaml.MappingNode):
        raise ScenarioError(line_of(node), "A scenario is a mapping.", "It begins with `name:` and has `steps:`.")
    return node


def _bounded(root: yaml.Node) -> None:
    """Aliases are fine; a file that contains itself, or grows without end by them, is not."""
    seen, stack = 0, [(root, frozenset[int]())]
    while stack:
        node, above = stack.pop()
        seen += 1
        if id(node) in above or seen > MOST_NODES:
            raise ScenarioError(line_of(node), "This refers to itself, or is too large to be a scenario.")
        if isinstance(node, yaml.SequenceNode):
            stack += [(child, above | {id(node)}) for child in node.value]
        elif isinstance(node, yaml.MappingNode):
            stack += [(child, above | {id(node)}) for pair in node.value for child in pair]


def items(node: yaml.Node, what: str) -> list[yaml.Node]:
    """The entries of a list; one entry may stand alone."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if isinstance(node, yaml.ScalarNode) and is_null(node):
        return []
    if isinstance(node, yaml.MappingNode):
        return [node]
    raise ScenarioError(line_of(node), f"{what} is a list.", "Begin each entry with a dash: `- {…}`.")


def named(node: yaml.Node, what: str) -> Iterator[tuple[str | None, yaml.Node]]:
    """Entries that have an id: a list of mappings with `id`, or a mapping from ids."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield scalar(key, what), value
    else:
        for entry in items(node, what):
            yield None, entry


def is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and str(node.tag).endswith(":null")


def scalar(node: yaml.Node, what: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ScenarioError(line_of(node), f"{what} is one value, not a list or a mapping.")
    return str(node.value).strip()


def read_instant(written: str, zone: ZoneInfo) -> datetime:
    """The instant, in UTC. A local time that daylight saving skips counts from before the jump; one that comes twice is
    the first. ValueError for anything else."""
    found = _INSTANT.fullmatch(written.strip())
    if not found:
        raise ValueError(written)
    day, time, offset = found.groups()
    year, month, number = (int(part) for part in day.split("-"))
    if not EARLIEST <= year <= LATEST:
        raise ValueError(written)
    clock = [part.zfill(2) for part in (time or "00:00").split(":")]
    text = f"{year:04}-{month:02}-{number:02}T{':'.join(clock)}"
    if not offset:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    if offset in "Zz":
        return datetime.fromisoformat(f"{text}+00:00")
    sign, digits = offset[0], offset[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "00")  # noqa: PLR2004 - hhmm
    return datetime.fromisoformat(f"{text}{sign}{int(hours):02}:{minutes}").astimezone(UTC)


@dataclass
class Fields:
    """One mapping being read. `what` names it in messages. Whatever nobody asked for is a mistake: see `finish`."""

    node: yaml.MappingNode
    what: str
    left: dict[str, tuple[yaml.Node, yaml.Node]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, node: yaml.Node, what: str) -> Fields:
        if not isinstance(node, yaml.MappingNode):
            raise ScenarioError(line_of(node), f"{what} is a mapping.", "Write {name: value, …}.")
        fields = cls(node, what)
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            name = scalar(key, f"A name in {what}")
            if str(key.tag).endswith(":merge"):
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    merged += cls.of(source, what).left.values()
            elif name in fields.left:
                raise ScenarioError(line_of(key), f"{what}: {name!r} stands here twice.", "Keep one of them.")
            else:
                fields.left[name] = (key, value)
        for key, value in merged:
            fields.left.setdefault(str(key.value), (key, value))
        return fields

    @property
    def line(self) -> int:
        return line_of(self.node)

    def wrong(self, node: yaml.Node | None, text: str, hint: str = "") -> ScenarioError:
        return ScenarioError(line_of(node) if node is not None else self.line, f"{self.what}: {text}", hint)

    def take(self, name: str, *, needed: bool = False) -> yaml.Node | None:
        """The value's node; None when it is absent or null."""
        self.asked.append(name)
        pair = self.left.pop(name, None)
        if pair is None or is_null(pair[1]):
            if needed:
                near = difflib.get_close_matches(name, self.left, n=1)
                hint = f"Did you mean {name!r} where {near[0]!r} is written?" if near else ""
                raise self.wrong(pair[1] if pair else None, f"{name!r} is missing.", hint)
            return None
        return pair[1]

    def finish(self) -> None:
        """Every name has been asked for, or is a mistake."""
        for name, (key, _) in self.left.items():
            raise self.wrong(key, f"there is no {name!r} here.", nearest(name, dict.fromkeys(self.asked)))

    def text(self, name: str, *, needed: bool = False, default: str = "") -> str:
        node = self.take(name, needed=needed)
        if node is None:
            return default
        value = scalar(node, f"{self.what}: {name}")
        if needed and not value:
            raise self.wrong(node, f"{name!r} is empty.")
        return value

    def _one(self, name: str, needed: bool, read: Callable[[str], Any], hint: str) -> Any:
        node = self.take(name, needed=needed)
        if node is None:
            return None
        written = scalar(node, f"{self.what}: {name}")
        try:
            return read(written)
        except (ValueError, InvalidOperation, OverflowError):
            raise self.wrong(node, f"{name} = {written!r} cannot be used.", f"{hint[:1].upper()}{hint[1:]}.") from None

    def whole(self, name: str, *, needed: bool = False, least: int = 0, most: int = 10**12) -> int | None:
        def read(written: str) -> int:
            value = int(Decimal(written.replace("_", "").replace(",", "")).to_integral_exact())
            if Decimal(written.replace("_", "").replace(",", "")) != value or not least <= value <= most:
                raise ValueError(written)
            return value

        value: int | None = self._one(name, needed, read, f"write a whole number from {least} to {most}")
        return value

    def hundredths(self, name: str, *, needed: bool = False, most: int = 10_000) -> int | None:
        """A share in percent, such as 18 or "5.5", as hundredths of a percent."""

        def read(written: str) -> int:
            value = Decimal(written.removesuffix("%").strip()) * 100
            if value != int(value) or not 0 <= value <= most:
                raise ValueError(written)
            return int(value)

        hint = f"write percent from 0 to {most // 100}, with at most two decimals"
        value: int | None = self._one(name, needed, read, hint)
        return value

    def flag(self, name: str) -> bool | None:
        def read(written: str) -> bool:
            if written.lower() not in (*_TRUE, *_FALSE):
                raise ValueError(written)
            return written.lower() in _TRUE

        value: bool | None = self._one(name, False, read, "write true or false")
        return value

    def choice(self, name: str, known: Sequence[str], *, needed: bool = False) -> str | None:
        node = self.take(name, needed=needed)
        if node is None:
            return None
        written = scalar(node, f"{self.what}: {name}").lower()
        if written not in known:
            raise self.wrong(node, f"{name} = {written!r} is not one of them.", nearest(written, known))
        return written

    def day(self, name: str, *, needed: bool = False) -> date | None:
        def read(written: str) -> date:
            # A time of day is left away: a date is a day in the publisher's zone.
            day = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ].*)?", written)
            if not day:
                raise ValueError(written)
            return date(*(int(part) for part in day.groups()))

        value: date | None = self._one(name, needed, read, "write a date such as 2027-01-10")
        return value

    def instant(self, name: str, zone: ZoneInfo, *, needed: bool = False) -> datetime | None:
        value: datetime | None = self._one(name, needed, lambda written: read_instant(written, zone), INSTANT_HINT)
        return value

    def words(self, name: str) -> list[tuple[str, yaml.Node]] | None:
        """A list of words; one word may stand alone."""
        node = self.take(name)
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode):
            return [(word, node) for word in re.split(r"[,\s]+", str(node.value).strip()) if word]
        return [(scalar(entry, f"{self.what}: {name}"), entry) for entry in items(node, f"{self.what}: {name}")]
