"""From an instrument's days to a chart with its words, its table and its figures for the page's script. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from broadsheet.markets import figures, rules
from broadsheet.markets.charts import LETTERS, NARROW, WIDE, Mark, Plot, Size, line_chart
from broadsheet.markets.scales import thinned
from broadsheet.markets.values import SCALE, Bar, Quote, StoryMark

RANGES = {
    "1m": "1 month", "3m": "3 months", "6m": "6 months", "ytd": "this year", "1y": "1 year", "3y": "3 years",
    "5y": "5 years", "max": "all years",
}  # fmt: skip
SHORT = {"1m": "1M", "3m": "3M", "6m": "6M", "ytd": "YTD", "1y": "1Y", "3y": "3Y", "5y": "5Y", "max": "Max"}
PUBLIC_RANGE = "1y"
_SLACK = timedelta(days=10)  # a range begins at the last close before it, which holidays may put off
_ROWS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table that says what the chart shows."""

    day: date
    close: int
    change_bp: int | None
    volume: int | None


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart as its page shows it. `marked`: (letter, story) of the stories on it, newest first. `figures`: for the
    page's script, of the points that are drawn. `pending`: the ex-day of an action that nobody has confirmed yet: what
    lies before it cannot be compared with what lies after it, and no change is claimed over it."""

    span: str
    span_name: str
    drawn: tuple[str, ...]
    words: str
    first: Bar
    last: Bar
    change_bp: int | None
    high: Bar
    low: Bar
    rows: tuple[Row, ...]
    marked: tuple[tuple[str, StoryMark], ...]
    figures: Mapping[str, Any]
    versus: Quote | None = None
    versus_bp: int | None = None
    pending: date | None = None


def first_day(span: str, last: date) -> date | None:
    """From which day the bars of a range are needed; None: from the first there is."""
    return None if span == "max" else rules.span_start(span, last) - _SLACK


def in_range(bars: Sequence[Bar], span: str) -> Sequence[Bar]:
    """The bars of a range, from the close its return is measured against."""
    if span == "max" or not bars:
        return bars
    start = rules.span_start(span, bars[-1].day)
    base = bisect_right([bar.day for bar in bars], start) - 1
    return bars[max(base, 0) :]


def chart_view(
    quote: Quote,
    bars: Sequence[Bar],
    span: str,
    *,
    stories: Sequence[StoryMark] = (),
    versus: tuple[Quote, Sequence[Bar]] | None = None,
    sizes: Sequence[Size] = (WIDE, NARROW),
    public: bool = False,
) -> ChartView | None:
    """The chart of `bars` (adjusted, of in_range()); None when there is no line to draw. `public`: closes alone."""
    if len(bars) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    marked = _marked(bars, stories)
    high, low = max(bars, key=lambda bar: bar.close), min(bars, key=lambda bar: bar.close)
    pending = _pending(quote, bars)
    changed = None if pending else rules.change_bp(bars[-1].close, bars[0].close)
    words = _words(quote, bars, high, low, changed)
    plot = _plot(quote, bars, words, marked, public=public)
    other: tuple[float | None, ...] = ()
    versus_bp = None
    if versus and (pending or _pending(versus[0], bars)):
        versus = None
    if versus:
        other, versus_bp = _beside(bars, versus[1])
        words = f"{words} Beside it {versus[0].name}: {figures.spoken(versus_bp)}."
        plot = _compared(quote, bars, other, words, versus[0])
    return ChartView(
        span=span,
        span_name=RANGES[span],
        drawn=tuple(line_chart(plot, size) for size in sizes),
        words=words,
        first=bars[0],
        last=bars[-1],
        change_bp=changed,
        high=high,
        low=low,
        rows=_rows(bars),
        marked=marked if not versus else (),
        figures=_figures(quote, bars, plot, other),
        versus=versus[0] if versus else None,
        versus_bp=versus_bp,
        pending=pending,
    )


def _pending(quote: Quote, bars: Sequence[Bar]) -> date | None:
    since = quote.pending_since
    return since if since and bars[0].day < since <= bars[-1].day else None


def chart_plot(quote: Quote, bars: Sequence[Bar], *, public: bool = False) -> Plot:
    """A chart without stories, for a picture of its own. At least two bars."""
    high, low = max(bars, key=lambda bar: bar.close), min(bars, key=lambda bar: bar.close)
    changed = None if _pending(quote, bars) else rules.change_bp(bars[-1].close, bars[0].close)
    words = _words(quote, bars, high, low, changed)
    return _plot(quote, bars, words, (), public=public)


def _words(quote: Quote, bars: Sequence[Bar], high: Bar, low: Bar, changed: int | None) -> str:
    def at(bar: Bar) -> str:
        return f"{figures.price(bar.close, quote.decimals)} on {figures.day(bar.day)}"

    return (
        f"From {at(bars[0])} to {at(bars[-1])}: {figures.spoken(changed)}. Highest close {at(high)}, lowest {at(low)}."
    )


def _marked(bars: Sequence[Bar], stories: Sequence[StoryMark]) -> tuple[tuple[str, StoryMark], ...]:
    """The newest stories of the range, as many as there are letters."""
    inside = [story for story in stories if story.day >= bars[0].day][: len(LETTERS)]
    return tuple(zip(LETTERS, inside, strict=False))


def _plot(
    quote: Quote, bars: Sequence[Bar], words: str, marked: Sequence[tuple[str, StoryMark]], *, public: bool
) -> Plot:
    days = [bar.day for bar in bars]
    volumes = [] if public else [float(bar.volume or 0) for bar in bars]
    return Plot(
        days=days,
        values=[bar.close / SCALE for bar in bars],
        title=f"{quote.name}, closing prices",
        words=words,
        volumes=volumes if any(volumes) else (),
        before=None if _pending(quote, bars) else bars[0].close / SCALE,
        before_label=f"Close of {figures.day(bars[0].day)}",
        marks=[
            Mark(max(bisect_right(days, story.day) - 1, 0), letter, f"{figures.day(story.day)}: {story.headline}")
            for letter, story in marked
        ],
        last_label=figures.price(bars[-1].close, quote.decimals),
    )


def _compared(quote: Quote, bars: Sequence[Bar], other: Sequence[float | None], words: str, versus: Quote) -> Plot:
    first = bars[0].close
    return Plot(
        days=[bar.day for bar in bars],
        values=[(bar.close / first - 1) * 100 for bar in bars],
        title=f"{quote.name} and {versus.name}, change in percent",
        words=words,
        before=0,
        before_label="",
        versus=other,
        suffix=f"{figures.SPACE}%",
        last_label=figures.percent(rules.change_bp(bars[-1].close, first)),
    )


def _beside(bars: Sequence[Bar], others: Sequence[Bar]) -> tuple[tuple[float | None, ...], int | None]:
    """The other's change in percent on the days of the first, None before it has a close; and its last, in bp."""
    days = [bar.day for bar in others]
    closes = [others[place].close if (place := bisect_right(days, bar.day) - 1) >= 0 else None for bar in bars]
    base = next((close for close in closes if close), None)
    if base is None:
        return (), None
    shares = tuple(None if close is None else (close / base - 1) * 100 for close in closes)
    return shares, rules.change_bp(closes[-1] or base, base)


def _rows(bars: Sequence[Bar]) -> tuple[Row, ...]:
    """Newest first: every day of a short range, the last of each stretch of a long one."""
    step = max(1, -(-len(bars) // _ROWS))
    places = sorted({*range(len(bars) - 1, -1, -step), 0})
    rows = []
    for before, place in zip([None, *places], places, strict=False):
        volumes = [
            bar.volume for bar in bars[0 if before is None else before + 1 : place + 1] if bar.volume is not None
        ]
        changed = None if before is None else rules.change_bp(bars[place].close, bars[before].close)
        rows.append(Row(bars[place].day, bars[place].close, changed, sum(volumes) if volumes else None))
    return tuple(reversed(rows))


def _figures(quote: Quote, bars: Sequence[Bar], plot: Plot, other: Sequence[float | None]) -> dict[str, Any]:
    """What the script follows the pointer with: of each point its place, day, close, volume and the other's change."""
    places = thinned(plot.values, WIDE.points)
    made: dict[str, Any] = {
        "decimals": quote.decimals,
        "compared": bool(other),
        "at": places,
        "day": [bars[n].day.isoformat() for n in places],
        "close": [bars[n].close / SCALE for n in places],
        "first": None if _pending(quote, bars) else bars[0].close / SCALE,
    }
    if plot.volumes:
        made["volume"] = [bars[n].volume for n in places]
    if other:
        made["other"] = [None if other[n] is None else round(other[n] or 0, 2) for n in places]
    return made
