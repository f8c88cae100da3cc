"""Charts as SVG text: values in, text out. Pure; under a millisecond and some five thousand bytes each.

They carry classes and no colours of their own, so that the page's style sheet paints them light or dark; what is sent
as a picture gets its colours in `pictures`. No style attribute and no script: the paper's policy forbids both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import pairwise
from typing import NamedTuple

from broadsheet.markets.scales import Tick, day_ticks, heaps, thinned, value_ticks

_XML = 'xmlns="http://www.w3.org/2000/svg"'
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Size(NamedTuple):
    """A chart of a width is drawn for that width: words of a wide one shrunk to a phone could not be read."""

    name: str
    width: int
    height: int
    value_ticks: int
    day_ticks: int
    points: int
    bars: int


WIDE = Size("wide", 760, 400, 6, 9, 380, 190)
NARROW = Size("narrow", 358, 320, 5, 4, 190, 90)
SMALL = Size("small", 358, 190, 3, 4, 130, 0)

_TOP, _FOOT, _VOLUME, _GAP, _LETTER, _ROW = 14, 24, 58, 12, 6.7, 19


@dataclass(frozen=True, slots=True)
class Mark:
    """A story on the chart: at the day of index `at`, with the letter that its list entry has too."""

    at: int
    letter: str
    title: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What a chart shows. `days` and `values` go together, oldest first, at least two. `volumes`: as many, or none.

    `before`: the close before the first day, drawn as the line to compare with. `versus`: a second line over the same
    days, its first values None where it was not traded yet. `suffix` stands behind the axis's values ("%" of a
    comparison, then `values` are changes in percent).
    """

    days: Sequence[date]
    values: Sequence[float]
    title: str
    words: str
    volumes: Sequence[float] = ()
    before: float | None = None
    before_label: str = "Previous close"
    versus: Sequence[float | None] = ()
    marks: Sequence[Mark] = ()
    suffix: str = ""
    last_label: str = ""

    @property
    def rose(self) -> bool:
        return self.values[-1] >= (self.values[0] if self.before is None else self.before)


class Frame(NamedTuple):
    """Where values lie on the picture; the page's script reads the same numbers from data-frame."""

    left: float
    top: float
    right: float
    bottom: float
    low: float
    high: float
    count: int

    def x(self, index: float) -> float:
        return self.left + (self.right - self.left) * index / max(self.count - 1, 1)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)

    def written(self) -> str:
        return " ".join(f"{number:.6g}" for number in self)


def _frame(plot: Plot, size: Size) -> tuple[Frame, list[Tick]]:
    shown = [*plot.values, *(value for value in plot.versus if value is not None)]
    if plot.before is not None:
        shown.append(plot.before)
    low, high = min(shown), max(shown)
    room = (high - low) * 0.07 or abs(high) * 0.02 or 1.0
    low, high = low - room, high + room
    if plot.marks:
        low -= (high - low) * 0.09  # a lane for the letters
    ticks = value_ticks(low, high, size.value_ticks, plot.suffix)
    if min(shown) >= 0:
        ticks = [tick for tick in ticks if tick.at >= 0]
    gutter = max([len(tick.label) for tick in ticks] + [len(plot.last_label)], default=0) * _LETTER + 12
    bottom = size.height - _FOOT - (_VOLUME + _GAP if plot.volumes and size.bars else 0)
    return Frame(1, _TOP, round(size.width - gutter), bottom, low, high, len(plot.values)), ticks


def line_chart(plot: Plot, size: Size = WIDE, *, key: str = "chart") -> str:
    """The chart as an <svg>. `key` makes its ids unlike those of other charts on the page."""
    if len(plot.values) < 2:  # noqa: PLR2004 - a line has two ends
        raise ValueError("a line needs two days")
    frame, ticks = _frame(plot, size)
    ids = f"{key}-{size.name}"
    opened = (
        f'<svg class="chart chart-{size.name} {"is-up" if plot.rose else "is-down"}" {_XML} '
        f'viewBox="0 0 {size.width} {size.height}" role="img" aria-labelledby="{ids}-title" '
        f'aria-describedby="{ids}-words" data-frame="{frame.written()}">'
    )
    parts = [
        opened,
        f'<title id="{ids}-title">{escape(plot.title)}</title><desc id="{ids}-words">{escape(plot.words)}</desc>',
        _grid(plot, frame, ticks, size),
        _calendar(plot.days, frame, size),
        _volumes(plot, frame, size),
        _lines(plot, frame, size),
        _marks(plot.marks, plot, frame),
        _last(plot, frame),
        "</svg>",
    ]
    return "".join(parts)


def _grid(plot: Plot, frame: Frame, ticks: Sequence[Tick], size: Size) -> str:
    here = frame.y(plot.values[-1]) if plot.last_label else -1e9
    lines = "".join(f"M{frame.left:g} {frame.y(tick.at):.1f}H{frame.right:g}" for tick in ticks)
    words = "".join(
        f'<text x="{frame.right + 8:g}" y="{frame.y(tick.at) + 4:.1f}">{tick.label}</text>'
        for tick in ticks
        if abs(frame.y(tick.at) - here) > 15  # noqa: PLR2004 - two lines of words
    )
    base = f'<path class="chart-base" d="M{frame.left:g} {size.height - _FOOT}.5H{frame.right:g}"/>'
    return f'<path class="chart-grid" d="{lines}"/><g class="chart-values">{words}</g>{base}'


def _calendar(days: Sequence[date], frame: Frame, size: Size) -> str:
    parts, edge, y = [], -1e9, size.height - 7
    for tick in day_ticks(days, size.day_ticks):
        x, half = frame.x(tick.at), len(tick.label) * _LETTER / 2
        if x - half < max(edge, frame.left) or x + half > size.width:
            continue
        label = (
            tick.label
            if parts or any(sign.isdigit() for sign in tick.label)
            else f"{tick.label} {days[int(tick.at)].year}"
        )
        edge = x + half + 10
        parts.append(f'<text x="{x:.1f}" y="{y}">{label}</text>')
    return f'<g class="chart-days">{"".join(parts)}</g>'


def _volumes(plot: Plot, frame: Frame, size: Size) -> str:
    if not plot.volumes or not size.bars:
        return ""
    name, bars = heaps(plot.days, plot.values, plot.volumes, size.bars)
    most = max((bar.volume for bar in bars), default=0)
    if not most:
        return ""
    floor = size.height - _FOOT
    slot = (frame.right - frame.left) / len(bars)
    width = max(1.0, min(slot * 0.72, 12))
    drawn: dict[bool, list[str]] = {True: [], False: []}
    for place, bar in enumerate(bars):
        height = bar.volume / most * (_VOLUME - 4)
        if height >= 0.1:  # noqa: PLR2004 - less than that is not seen
            drawn[bar.rose].append(f"M{frame.left + slot * (place + 0.5):.1f} {floor}v{-height:.1f}")
    label = f'<text class="chart-note" x="{frame.left + 3:g}" y="{floor - _VOLUME - 1}">Volume, {name}</text>'
    return (
        "".join(
            f'<path class="chart-bar-{trend}" stroke-width="{width:.1f}" d="{"".join(drawn[rose])}"/>'
            for rose, trend in ((True, "up"), (False, "down"))
            if drawn[rose]
        )
        + label
    )


def _path(frame: Frame, points: Sequence[tuple[int, float]]) -> str:
    """Steps from point to point in tenths of a pixel: a third shorter than places, and as exact."""
    places = [(round(frame.x(index) * 10), round(frame.y(value) * 10)) for index, value in points]
    steps = [
        f"{(x - before_x) / 10:g}{'' if y < before_y else ' '}{(y - before_y) / 10:g}"
        for (before_x, before_y), (x, y) in pairwise(places)
    ]
    return f"M{places[0][0] / 10:g} {places[0][1] / 10:g}l{' '.join(steps)}"


def _lines(plot: Plot, frame: Frame, size: Size) -> str:
    kept = [(index, plot.values[index]) for index in thinned(plot.values, size.points)]
    line = _path(frame, kept)
    parts = []
    if not plot.versus:
        parts.append(f'<path class="chart-area" d="{line}V{frame.bottom:g}H{frame.left:g}z"/>')
    if plot.before is not None:
        y = frame.y(plot.before)
        parts.append(f'<path class="chart-before" d="M{frame.left:g} {y:.1f}H{frame.right:g}"/>')
    if plot.versus:
        first = next((n for n, value in enumerate(plot.versus) if value is not None), len(plot.versus))
        known = [value if value is not None else 0.0 for value in plot.versus[first:]]
        other = [(first + n, known[n]) for n in thinned(known, size.points)] if known else []
        if other:
            parts.append(f'<path class="chart-versus" d="{_path(frame, other)}"/>')
    parts.append(f'<path class="chart-line" d="{line}"/>')
    if plot.before is not None and plot.before_label:
        y = frame.y(plot.before) + (-5 if plot.values[0] <= plot.before else 13)
        parts.append(f'<text class="chart-note" x="{frame.left + 3:g}" y="{y:.1f}">{plot.before_label}</text>')
    return "".join(parts)


def _marks(marks: Sequence[Mark], plot: Plot, frame: Frame) -> str:
    """Letters in a lane at the foot of the plot, each with a hair line up to the price of its day. Those of the same
    days stand above each other, three at most, then beside."""
    parts, taken = [], list[tuple[float, int]]()
    for mark in sorted(marks, key=lambda one: one.at):
        there = frame.x(mark.at)
        x, row = _free(min(max(there, frame.left + 9), frame.right - 9), taken, frame)
        taken.append((x, row))
        y = frame.bottom - 11 - row * _ROW
        parts.append(
            f'<g class="chart-mark" data-mark="{mark.letter}"><title>{escape(mark.title)}</title>'
            f'<path d="M{x:.1f} {y - 9:.1f}L{there:.1f} {frame.y(plot.values[mark.at]):.1f}"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8.5"/><text x="{x:.1f}" y="{y + 4:.1f}">{mark.letter}</text></g>'
        )
    return "".join(parts)


def _free(x: float, taken: Sequence[tuple[float, int]], frame: Frame) -> tuple[float, int]:
    """The nearest place to the left of `x`, and the lowest row there, in which no letter stands yet."""
    while x > frame.left + 9:
        rows = {row for other, row in taken if abs(other - x) < _ROW}
        row = next((n for n in range(3) if n not in rows), None)
        if row is not None:
            return x, row
        x -= _ROW
    return frame.left + 9, len(taken) % 3


def _last(plot: Plot, frame: Frame) -> str:
    """The end of the line, and its value on the axis."""
    x, y = frame.x(frame.count - 1), frame.y(plot.values[-1])
    label = ""
    if plot.last_label:
        width = len(plot.last_label) * _LETTER + 9
        label = (
            f'<g class="chart-last"><rect x="{frame.right + 3:g}" y="{y - 9:.1f}" width="{width:.1f}" height="18"/>'
            f'<text x="{frame.right + 8:g}" y="{y + 4:.1f}">{plot.last_label}</text></g>'
        )
    return f'<circle class="chart-end" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>{label}'


def sparkline(values: Sequence[float], title: str = "") -> str:
    """A line the size of a word. Without a title it is decoration: the figures beside it say the same."""
    if len(values) < 2:  # noqa: PLR2004
        return ""
    low, high = min(values), max(values)
    frame = Frame(1, 2, 95, 26, low, high if high > low else low + 1, len(values))
    line = _path(frame, [(n, values[n]) for n in thinned(values, 60)])
    trend = "is-up" if values[-1] >= values[0] else "is-down"
    said = f'role="img" aria-label="{escape(title)}"' if title else 'aria-hidden="true"'
    return (
        f'<svg class="spark {trend}" {_XML} viewBox="0 0 96 28" width="96" height="28" {said}>'
        f'<path class="chart-area" d="{line}V27H1z"/><path class="chart-line" d="{line}"/></svg>'
    )


def range_bar(low: float, high: float, last: float, title: str) -> str:
    """Where the last close stands between the lowest and the highest of the year."""
    share = min(max((last - low) / (high - low), 0), 1) if high > low else 0.5
    x = 6 + 288 * share
    return (
        f'<svg class="range-bar" {_XML} viewBox="0 0 300 20" role="img" '
        f'aria-label="{escape(title)}"><rect class="range-all" x="6" y="8" width="288" height="4" rx="2"/>'
        f'<rect class="range-part" x="6" y="8" width="{x - 6:.1f}" height="4" rx="2"/>'
        f'<path class="range-here" d="M{x:.1f} 3v14"/></svg>'
    )


def shares_bar(shares: Sequence[float], title: str) -> str:
    """Parts of a whole side by side, the largest first; the classes part-0 ... part-5 paint them in turn."""
    whole = sum(shares)
    if whole <= 0:
        return ""
    parts, x = [], 0.0
    for number, share in enumerate(shares):
        width = share / whole * 600
        gap = 1.5 if number < len(shares) - 1 and width > 3 else 0  # noqa: PLR2004
        parts.append(
            f'<rect class="part-{number % 6}" x="{x:.1f}" y="0" width="{max(width - gap, 0.5):.1f}" height="22"/>'
        )
        x += width
    return (
        f'<svg class="shares-bar" {_XML} viewBox="0 0 600 22" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def breadth_bar(rose: int, level: int, fell: int) -> str:
    """How many rose, stood still and fell, side by side. Decoration: the figures stand beside it."""
    whole = max(rose + level + fell, 1)
    parts, x = [], 0.0
    for number, trend in ((rose, "up"), (level, "level"), (fell, "down")):
        width = number / whole * 600
        parts.append(f'<rect class="breadth-{trend}" x="{x:.1f}" y="0" width="{max(width - 1.5, 0):.1f}" height="8"/>')
        x += width
    return (
        f'<svg class="breadth-bar" {_XML} viewBox="0 0 600 8" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )
