"""Charts that stand alone as pictures: the card in a story, the summary on the paper's front, a chart by its address.

They are the same for everyone and change when prices do, so that no story is printed anew for a price. What a page's
style sheet would give them, their colours and letters, they bring along.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from broadsheet.markets import figures
from broadsheet.markets.charts import SMALL, WIDE, Frame, Plot, Size, line_chart
from broadsheet.markets.scales import thinned
from broadsheet.markets.values import Quote

_COLOURS = (
    "svg{color-scheme:light dark;--paper:#fbf9f4;--sheet:#fffdf9;--ink:#171410;--soft:#5b5348;--line:#d9d2c4;"
    "--rise:#14683a;--fall:#a3211b;--rise-tint:#14683a22;--fall-tint:#a3211b20;--other:#1d4f91;--mark:#fffdf9}"
    "@media(prefers-color-scheme:dark){svg{--paper:#15140f;--sheet:#1c1a15;--ink:#ece7db;--soft:#b0a898;"
    "--line:#3a362d;--rise:#74cf98;--fall:#f0938a;--rise-tint:#74cf9824;--fall-tint:#f0938a24;--other:#8fbaf0;"
    "--mark:#15140f}}"
)
_RULES = (
    "text{font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Noto Sans','Helvetica Neue',"
    "'Liberation Sans',Arial,sans-serif;"
    "font-variant-numeric:tabular-nums;fill:var(--ink)}.sheet{fill:var(--sheet);stroke:var(--line)}"
    ".name{font:700 17px 'Iowan Old Style','Palatino Linotype',Palatino,P052,Georgia,'Noto Serif',serif}"
    ".small{font-size:12px;fill:var(--soft)}.price{font-size:25px;font-weight:700}.change{font-size:14px;"
    "font-weight:600}.word{font-size:13px;font-weight:600}.figure{font-size:15px;font-weight:700}"
    ".up{fill:var(--rise)}.down{fill:var(--fall)}.l{stroke:var(--soft)}"
    ".a{fill:var(--soft);opacity:.13}.l{fill:none;stroke-width:1.8;"
    "stroke-linejoin:round}.rule{stroke:var(--line)}"
)
_CHART_RULES = (
    ".chart text{font:12px -apple-system,'Segoe UI',Roboto,'Noto Sans',Arial,sans-serif;fill:var(--soft)}"
    ".paper{fill:var(--paper)}.chart-grid,.chart-base{fill:none;stroke:var(--line)}.chart-base{stroke:var(--soft)}"
    ".chart-days text{text-anchor:middle}.chart-line,.chart-versus{fill:none;stroke-width:1.8;"
    "stroke-linejoin:round}.is-up .chart-line{stroke:var(--rise)}.is-down .chart-line{stroke:var(--fall)}"
    ".is-up .chart-area{fill:var(--rise-tint)}.is-down .chart-area{fill:var(--fall-tint)}"
    ".is-up .chart-end,.is-up .chart-last rect{fill:var(--rise)}"
    ".is-down .chart-end,.is-down .chart-last rect{fill:var(--fall)}.chart .chart-last text{fill:var(--mark);"
    "font-weight:700}.chart-before{stroke:var(--soft);stroke-dasharray:3 3}.chart-versus{stroke:var(--other);"
    "stroke-dasharray:7 3}.chart .chart-note{font-size:11px;paint-order:stroke;stroke:var(--paper);stroke-width:3px}"
    ".chart-bar-up{stroke:var(--rise);opacity:.55}"
    ".chart-bar-down{stroke:var(--fall);opacity:.55}"
)
CARD_STYLE, CHART_STYLE = _COLOURS + _RULES, _COLOURS + _CHART_RULES
"""Two texts for ever the same: the policy below names them by their digests."""
POLICY = "default-src 'none'; style-src " + " ".join(
    f"'sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" for style in (CARD_STYLE, CHART_STYLE)
)
"""The Content-Security-Policy of such a picture: it may paint itself, and nothing else."""

CARD_WIDTH, CARD_HEIGHT = 480, 132
_LONGEST = 30
_PER_ITEM = 176


class Strip(NamedTuple):
    """The summary in a row of so many, or in rows of two."""

    name: str
    columns: int
    rows: int

    @property
    def width(self) -> int:
        return self.columns * _PER_ITEM + 8

    @property
    def height(self) -> int:
        return self.rows * 50 + 12


STRIPS = {strip.name: strip for strip in (Strip("wide", 7, 1), Strip("middle", 4, 1), Strip("narrow", 2, 2))}


# Where a policy lets a picture that is opened alone have no style, the attributes keep it legible.
def _opened(width: int, height: int, title: str, style: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" role="img" aria-label="{escape(title)}"><style>{style}</style>'
    )


def _cut(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def said(quote: Quote) -> str:
    """An instrument's day in words, for who does not see its picture."""
    if quote.close is None:
        return f"{quote.name}: no price yet"
    price = figures.sign_of(quote.currency, quote.kind) + figures.price(quote.close, quote.decimals)
    return f"{quote.name}: {price}, {figures.spoken(quote.change_bp)} on {figures.day(quote.day)}"


def _moved(quote: Quote) -> str:
    if quote.change_bp is None:
        return ""
    moved = figures.change(quote.change, quote.decimals)
    return f"{figures.arrow(quote.change_bp)} {moved} ({figures.percent(quote.change_bp)})"


def card(quote: Quote) -> str:
    """What stands in a story that names an instrument: its last close, the day's change and its last sixty days."""
    sign = figures.sign_of(quote.currency, quote.kind)
    where = " ".join(filter(None, (quote.exchange, quote.symbol)))
    shown = (
        f'<text class="price" x="16" y="88">{escape(sign)}{figures.price(quote.close, quote.decimals)}</text>'
        f'<text class="change {figures.trend(quote.change_bp)}" x="16" y="113">{_moved(quote)}</text>'
        if quote.close is not None
        else '<text class="change" x="16" y="88">No price yet</text>'
    )
    note = f"{'Close of' if quote.close is not None else ''} {figures.day(quote.day)}" if quote.day else ""
    note += ", generated" if quote.generated and note else ""
    return (
        _opened(CARD_WIDTH, CARD_HEIGHT, said(quote), CARD_STYLE)
        + '<rect class="sheet" fill="#fffdf9" stroke="#d9d2c4" x=".5" y=".5" '
        + f'width="{CARD_WIDTH - 1}" height="{CARD_HEIGHT - 1}" rx="4"/>'
        + f'<text class="name" x="16" y="30">{escape(_cut(quote.name))}</text>'
        + f'<text class="small" x="16" y="50">{escape(where)}</text>{shown}'
        + _line(quote, Frame(240, 42, 464, 96, 0, 1, 2))
        + f'<text class="small" x="464" y="115" text-anchor="end">{escape(note.strip())}</text></svg>'
    )


def _line(quote: Quote, box: Frame) -> str:
    values = quote.spark
    if len(values) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    low, high = min(values), max(values)
    frame = box._replace(low=low, high=high if high > low else low + 1, count=len(values))
    points = "L".join(f"{frame.x(n):.1f} {frame.y(values[n]):.1f}" for n in thinned(values, 60))
    area = f'<path class="a" fill="none" d="M{points}V{box.bottom + 4:g}H{box.left:g}z"/>'
    return f'{area}<path class="l" fill="none" stroke="#5b5348" d="M{points}"/>'


def strip(quotes: Sequence[Quote], form: Strip) -> str:
    """The market summary on the paper's front."""
    shown = [quote for quote in quotes if quote.close is not None][: form.columns * form.rows]
    parts = []
    for place, quote in enumerate(shown):
        row, column = divmod(place, form.columns)
        x, y = column * _PER_ITEM + 1, 6 + row * 50
        if column:
            parts.append(f'<path class="rule" stroke="#d9d2c4" d="M{x - 12}.5 {y + 3}v40"/>')
        parts.append(
            f'<text class="word" x="{x}" y="{y + 18}">{escape(_cut(quote.name, 22))}</text>'
            f'<text class="figure" x="{x}" y="{y + 39}">{figures.price(quote.close, quote.decimals)}</text>'
            f'<text class="word {figures.trend(quote.change_bp)}" x="{x + 92}" y="{y + 39}">'
            f"{figures.arrow(quote.change_bp)} {figures.percent(quote.change_bp)}</text>"
        )
    title = "; ".join(said(quote) for quote in shown) or "No prices yet"
    return _opened(form.width, form.height, title, CARD_STYLE) + "".join(parts) + "</svg>"


def chart(plot: Plot, size: Size = WIDE) -> str:
    """A chart by its address, to be saved or opened alone."""
    drawn = line_chart(plot, size)
    head, _, rest = drawn.partition(">")
    sheet = f'<rect class="paper" width="{size.width}" height="{size.height}"/>'
    return f'{head} width="{size.width}" height="{size.height}"><style>{CHART_STYLE}</style>{sheet}{rest}'


__all__ = ["CARD_HEIGHT", "CARD_WIDTH", "POLICY", "SMALL", "STRIPS", "card", "chart", "said", "strip"]
