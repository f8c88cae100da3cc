"""What markets tells its pages and other apps: frozen values. Pure.

Prices, levels and units of holdings: whole numbers of 1/10000 (SCALE). `_bp`: hundredths of a percent. `_minor`: paise
(hundredths of the currency). None: not known, or not long enough in trade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

SCALE = 10_000

KINDS = [
    ("equity", "share"),
    ("index", "index"),
    ("currency", "currency"),
    ("commodity", "commodity"),
    ("fund", "mutual fund"),
]
ACTION_KINDS = [
    ("split", "split"),
    ("bonus", "bonus"),
    ("rights", "rights"),
    ("dividend", "dividend"),
    ("unknown", "not known yet"),
]
ACTION_STATES = [("proposed", "proposed"), ("confirmed", "confirmed"), ("rejected", "rejected")]
IMPORT_STATES = [
    ("done", "done"),
    ("superseded", "replaced by a correction"),
    ("refused", "refused"),
]
HELD_STATES = [("waiting", "waiting"), ("accepted", "accepted"), ("rejected", "rejected"), ("replaced", "replaced")]
ALERT_KINDS = [("above", "closes at or above"), ("below", "closes at or below"), ("change", "moves in a day by")]
ALERT_STATES = [("armed", "armed"), ("fired", "fired")]
TRADE_KINDS = [("buy", "bought"), ("sell", "sold"), ("dividend", "dividend")]

SPANS = ("1d", "1w", "1m", "3m", "6m", "ytd", "1y", "3y", "5y")


@dataclass(frozen=True, slots=True)
class Bar:
    """A day. open, high, low are None where only a close is reported (funds, some indices)."""

    day: date
    close: int
    open: int | None = None
    high: int | None = None
    low: int | None = None
    volume: int | None = None
    prev_close: int | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A confirmed corporate action; see models.CorporateAction for what new, old and amount mean."""

    ex_day: date
    kind: str
    new: int = 0
    old: int = 0
    amount: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """An instrument and its latest day: what a table row, a ticker, a box in a story and the head of its page show.

    `day` None: it has no price yet, and then every figure is None. `returns_bp` by SPANS, adjusted for splits, bonus
    and rights (not for dividends); those of 3y and 5y are of the whole span: `cagr_bp` has them a year. `spark`: the
    last closes, adjusted, oldest first, at most 60. `pending_since`: the ex-day of what looks like a split or dividend
    and waits for an editor; until then no return reaches across it.
    """

    code: str
    name: str
    kind: str
    exchange: str
    symbol: str
    currency: str
    decimals: int
    series: str = ""
    isin: str = ""
    sector: str = ""
    unit: str = ""
    generated: bool = False
    featured: int | None = None
    listed_on: date | None = None
    delisted_on: date | None = None
    day: date | None = None
    open: int | None = None
    high: int | None = None
    low: int | None = None
    close: int | None = None
    prev_close: int | None = None
    change: int | None = None
    change_bp: int | None = None
    volume: int | None = None
    value_minor: int | None = None
    trades: int | None = None
    high_52w: int | None = None
    high_52w_day: date | None = None
    low_52w: int | None = None
    low_52w_day: date | None = None
    from_high_bp: int | None = None
    pending_since: date | None = None
    returns_bp: Mapping[str, int | None] = field(default_factory=dict)
    cagr_bp: Mapping[str, int | None] = field(default_factory=dict)
    spark: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """The days of [start, end] of an instrument, oldest first, adjusted as asked; `actions` that fall into them, and
    `pending` ones that wait for an editor and are not in the figures: a chart must say so."""

    code: str
    bars: tuple[Bar, ...]
    actions: tuple[Action, ...] = ()
    pending: tuple[Action, ...] = ()
    total_return: bool = False


@dataclass(frozen=True, slots=True)
class Breadth:
    exchange: str
    day: date
    advances: int
    declines: int
    unchanged: int
    value_minor: int


@dataclass(frozen=True, slots=True)
class Session:
    """What the calendar says of a moment at an exchange. `state`: open, closed (before, after hours, weekend), holiday.
    `name`: of the holiday or special session. `next_day`: the next day on which it trades, today if it still will."""

    exchange: str
    day: date
    state: str
    name: str = ""
    next_day: date | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The market summary of a front: featured instruments in their order, breadth by exchange, the latest day."""

    day: date | None
    featured: tuple[Quote, ...]
    breadth: tuple[Breadth, ...]
    generated: bool


@dataclass(frozen=True, slots=True)
class Movers:
    """Shares of the latest day only, by change and by turnover."""

    day: date | None
    gainers: tuple[Quote, ...]
    losers: tuple[Quote, ...]
    active: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """What a screener asks for; empty and None ask for nothing. `order`: one of SCREEN_ORDERS, "-" first: falling."""

    kind: str = "equity"
    exchange: str = ""
    sector: str = ""
    words: str = ""
    close_from: int | None = None
    close_to: int | None = None
    change_from_bp: int | None = None
    change_to_bp: int | None = None
    return_1y_from_bp: int | None = None
    return_1y_to_bp: int | None = None
    value_from_minor: int | None = None
    near_high_bp: int | None = None
    near_low_bp: int | None = None
    order: str = "-value"


SCREEN_ORDERS = (
    "name",
    "close",
    "change",
    "value",
    "volume",
    "from_high",
    "1w",
    "1m",
    "3m",
    "6m",
    "ytd",
    "1y",
    "3y",
    "5y",
)


@dataclass(frozen=True, slots=True)
class ScreenPage:
    """`after`: hand it to screen() for the next page; "" at the end."""

    quotes: tuple[Quote, ...]
    after: str


@dataclass(frozen=True, slots=True)
class StoryMark:
    """A published story that names the instrument: to be marked on its chart at `day`. Public words only."""

    story_id: int
    day: date
    published_at: datetime
    path: str
    headline: str
    standfirst: str
    tier: str
    section: str


@dataclass(frozen=True, slots=True)
class WatchListView:
    id: int
    name: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class AlertView:
    id: int
    quote: Quote
    kind: str
    level: int
    status: str
    last_fired_day: date | None


@dataclass(frozen=True, slots=True)
class TradeView:
    """`amount_minor`: what changed hands without the fee, rounded half up to paise."""

    id: int
    quote: Quote
    kind: str
    day: date
    units: int
    price: int
    fee_minor: int
    note: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Deal:
    """A trade as arithmetic takes it."""

    kind: str
    day: date
    units: int
    price: int
    fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class Lot:
    """Units of one purchase that are still held, after splits and bonuses. `cost_minor` with its share of the fee."""

    day: date
    units: int
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Holding:
    """One instrument of a portfolio. FIFO. `value_minor` None: no price is known, and the totals leave it out.

    `xirr_bp`: a year, from this instrument's own cash flows; None where no single rate explains them."""

    quote: Quote
    units: int
    lots: tuple[Lot, ...]
    invested_minor: int
    value_minor: int | None
    day_change_minor: int | None
    unrealised_minor: int | None
    realised_minor: int
    dividends_minor: int
    xirr_bp: int | None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """All holdings in one currency (the paper's). `problems`: trades that cannot be followed, in words: a sale of more
    than is held. `closed`: instruments of which nothing is held any more."""

    currency: str
    holdings: tuple[Holding, ...]
    closed: tuple[Holding, ...]
    invested_minor: int
    value_minor: int
    day_change_minor: int
    unrealised_minor: int
    realised_minor: int
    dividends_minor: int
    xirr_bp: int | None
    day: date | None
    problems: tuple[str, ...] = ()
