"""The demo's prices: invented companies on an invented exchange, walked at random backwards from the closes that its
stories speak of. Generated, not real, and marked so wherever they are shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from broadsheet.markets.actions import history
from broadsheet.markets.actions.history import NewInstrument
from broadsheet.markets.sessions import EXCHANGE_ZONE
from broadsheet.markets.values import SCALE, Action, Breadth
from broadsheet.newsroom.actions import tag_instruments
from broadsheet.newsroom.queries import latest_cards

EXCHANGE = "ALX"
YEARS = 5.4
CLOSE = time(15, 30)
_SATURDAY = 5
_FIXED_HOLIDAYS = ((1, 26), (5, 1), (8, 15), (10, 2), (12, 25))
_WALK = 2935  # seed of the market as a whole: with it, as the lead story says, the index ends at its record
_STORIES = 60


@dataclass(frozen=True, slots=True)
class Share:
    """`close` and `change` (percent) of the last day, `beta` and `sigma` (percent a day), `drift` (percent a year)."""

    symbol: str
    name: str
    sector: str
    close: float
    change: float
    beta: float = 1.0
    sigma: float = 1.3
    drift: float = 2.0
    volume: int = 400_000
    dividend: float = 0.0


SHARES = (
    Share("MERIDIA", "Meridia Union Bank", "Banks", 742.60, 3.4, 1.2, 1.2, 4, 6_200_000, 9.5),
    Share("KOSHA", "Kosha Bank", "Banks", 518.25, 0.6, 1.1, 1.4, -6, 4_800_000, 6.0),
    Share("POORVIKA", "Poorvika Trust Bank", "Banks", 61.85, -2.1, 1.3, 2.2, -28, 9_100_000),
    Share("RANGSAV", "Rangvati Savings Bank", "Banks", 233.40, 2.2, 1.0, 1.3, 6, 1_500_000, 3.0),
    Share("SWARNALEND", "Swarna Loans", "Finance", 1_846.10, 1.8, 1.2, 1.7, 19, 900_000, 12.0),
    Share("HARBOURFIN", "Harbour Housing Finance", "Finance", 411.95, 4.6, 1.3, 1.6, 2, 1_300_000, 5.0),
    Share("PROVLIFE", "Provident Life", "Insurance", 905.00, 0.9, 0.8, 1.0, 5, 700_000, 7.5),
    Share("ALDEXCH", "Alderport Exchange", "Finance", 3_275.50, 2.7, 1.1, 1.5, 17, 210_000, 30.0),
    Share("SAGARIKA", "Sagarika Shipping", "Shipping", 1_388.00, -2.6, 1.0, 1.9, 24, 2_400_000, 18.0),
    Share("TIDEWATER", "Tidewater Meridian", "Ports and dredging", 286.20, 10.0, 0.9, 2.3, 21, 5_700_000),
    Share("GULLPORT", "Gull Shoal Port", "Ports and dredging", 164.75, 6.2, 0.9, 2.0, 12, 3_900_000),
    Share("ALDERFERRY", "Alder Ferries", "Shipping", 92.35, 1.1, 0.7, 1.6, -3, 640_000, 1.5),
    Share("BHARANI", "Bharani Steel", "Metals", 678.90, 1.4, 1.3, 1.8, 8, 2_900_000, 10.0),
    Share("TAMRACU", "Tamrakhand Copper", "Metals", 249.15, -0.7, 1.2, 2.0, 5, 2_200_000, 6.0),
    Share("ALDERCEM", "Alder Coast Cement", "Cement", 1_122.30, 4.8, 1.1, 1.4, 9, 510_000, 14.0),
    Share("LOHACEM", "Lohargaon Cement", "Cement", 388.45, 2.3, 1.1, 1.6, 3, 870_000, 4.0),
    Share("KEYSTONE", "Keystone Homes", "Builders", 556.70, 4.1, 1.5, 2.0, 11, 1_700_000),
    Share("TERRACE", "Terrace Estates", "Builders", 318.05, 3.9, 1.5, 2.1, 4, 1_100_000),
    Share("OLDQUAY", "Old Quay Properties", "Builders", 207.60, -3.2, 1.0, 1.7, -8, 780_000, 4.5),
    Share("PATANGA", "Patanga Motors", "Motor vehicles", 448.35, -4.4, 1.2, 2.0, 10, 3_300_000),
    Share("RATHCYCLE", "Rath Cycles", "Motor vehicles", 131.90, 0.5, 0.9, 1.5, 6, 560_000, 2.0),
    Share("AYODHTYRE", "Velamode Tyres", "Motor vehicles", 1_974.85, 0.8, 0.9, 1.4, 7, 130_000, 25.0),
    Share("DHANVI", "Dhanvi Foods", "Food", 2_643.70, 1.6, 0.6, 1.1, 9, 240_000, 32.0),
    Share("SONPALI", "Sonpali Grain", "Food", 187.25, -1.2, 0.7, 1.6, 1, 690_000, 3.0),
    Share("NILGAON", "Nilgaon Tea", "Food", 342.10, -0.3, 0.6, 1.4, -2, 180_000, 6.0),
    Share("SHVETA", "Shveta Dairy", "Food", 476.55, 0.7, 0.6, 1.2, 12, 420_000, 5.5),
    Share("RANGVATI", "Rangvati Mills", "Textiles", 824.40, 2.9, 0.9, 1.7, 26, 350_000, 8.0),
    Share("KAPASSPIN", "Kapas Spinners", "Textiles", 74.30, 0.4, 0.9, 2.0, -11, 510_000),
    Share("LEKHA", "Lekha Systems", "Software", 1_507.25, -3.8, 0.9, 1.5, 5, 2_600_000, 22.0),
    Share("ANKASOFT", "Anka Software", "Software", 3_918.00, -2.4, 0.9, 1.4, 8, 480_000, 45.0),
    Share("VEDALUMEN", "Veda Lumen", "Electronics", 58.15, 1.9, 1.4, 2.7, -15, 7_400_000),
    Share("DEEPLAMP", "Deepika Lamps", "Electronics", 696.80, -0.6, 1.0, 1.6, 13, 310_000, 5.0),
    Share("TARANG", "Tarang Telecom", "Telecoms", 1_263.45, 0.2, 0.8, 1.3, 15, 1_900_000, 10.0),
    Share("MEKHALA", "Mekhala Power", "Power", 214.90, 1.3, 0.9, 1.7, 18, 4_100_000, 4.0),
    Share("SURYAGRID", "Surya Grid", "Power", 329.65, -1.5, 1.0, 1.9, 22, 2_700_000),
    Share("SUVARNAW", "Suvarna Water", "Power", 148.20, 3.0, 0.7, 1.6, 7, 830_000, 3.5),
    Share("NIRMALRX", "Nirmal Pharma", "Pharmaceuticals", 1_066.75, -5.1, 0.7, 1.8, -9, 1_200_000, 8.0),
    Share("AUSHADHI", "Aushadhi Labs", "Pharmaceuticals", 2_198.40, 0.6, 0.6, 1.3, 11, 260_000, 16.0),
    Share("PADMATEL", "Padmatir Hospitals", "Pharmaceuticals", 587.30, 1.0, 0.7, 1.4, 14, 340_000, 2.5),
    Share("ALDERPRESS", "Alder Press", "Media", 41.05, -0.5, 0.8, 2.1, -14, 290_000, 1.0),
)
SPLITS = {"TIDEWATER": (390, Action(date.min, "split", 5, 1)), "RANGVATI": (760, Action(date.min, "bonus", 1, 1))}
INDICES = (
    ("ALDEX 40", "Aldex 40", 24_816.0, 294 / 24_522 * 100, 1.0, 0.0, 0.0),
    ("ALDEX MID", "Aldex Midcap 100", 41_207.35, 0.4, 1.15, 0.35, 1.0),
    ("ALDEX SMALL", "Aldex Small Firms", 11_642.80, -0.9, 1.25, 0.55, -9.0),
    ("ALDEX BANK", "Aldex Banks", 53_918.60, 2.1, 1.2, 0.5, 1.0),
    ("ALDEX SOFT", "Aldex Software", 33_475.15, -2.2, 0.9, 0.8, -4.0),
    ("ALDEX METAL", "Aldex Metals", 8_904.25, 0.9, 1.2, 0.9, 2.0),
)
# symbol, name, kind, unit, currency, close, previous close, sigma, decimals
OTHERS = (
    ("CRNINR", "Kestrian crown", "currency", "1 crown", "INR", 71.32, 71.59, 0.32, 4),
    ("VMKINR", "Varos mark", "currency", "1 mark", "INR", 18.4425, 18.4075, 0.45, 4),
    ("TMDINR", "Tamoan dollar", "currency", "100 dollars", "INR", 46.915, 46.98, 0.38, 4),
    ("GOLD", "Gold", "commodity", "10 grams", "INR", 68_450.0, 68_790.0, 0.8, 0),
    ("SILVER", "Silver", "commodity", "1 kilogram", "INR", 81_260.0, 81_015.0, 1.4, 0),
    ("CRUDE", "Crude oil", "commodity", "1 barrel", "CRN", 78.05, 77.9, 1.7, 2),
    ("WHEAT", "Wheat, Sonpali", "commodity", "100 kilograms", "INR", 2_612.0, 2_640.0, 0.7, 0),
    ("COPPER", "Copper", "commodity", "1 kilogram", "INR", 792.4, 798.35, 1.2, 2),
)
FUNDS = (
    ("100101", "Quayside Forty Index Fund – Growth", "Index funds", 187.4412, 1.0, 0.05),
    ("100102", "Quayside Large Companies Fund – Growth", "Large companies", 94.0835, 0.95, 0.2),
    ("100103", "Quayside Small Companies Fund – Growth", "Small companies", 152.6671, 1.2, 0.5),
    ("100201", "Lantern Balanced Fund – Growth", "Balanced", 61.9083, 0.6, 0.15),
    ("100202", "Lantern Tax Saver – Growth", "Tax saving", 223.1176, 1.0, 0.3),
    ("100203", "Lantern Liquid Fund – Growth", "Money market", 2_784.5520, 0.0, 0.004),
    ("100301", "Seabird Gold Fund – Growth", "Gold", 24.3308, 0.1, 0.75),
    ("100302", "Seabird Dynamic Bond Fund – Growth", "Bonds", 38.2945, 0.05, 0.12),
)  # fmt: skip
# How the headline of a story begins, and what the story is about.
TAGS = {
    "Aldex closes at a record": ("alx-aldex-40", "alx-tidewater", "alx-lekha"),
    "Sagarika Shipping doubles": ("alx-sagarika",),
    "Rupee firms": ("crninr", "gold", "crude"),
    "Patanga recalls": ("alx-patanga",),
    "Why Kosha Bank": ("alx-kosha", "alx-poorvika"),
    "Dhanvi puts": ("alx-dhanvi",),
    "Bharani lights": ("alx-bharani",),
    "Small shares slip": ("alx-aldex-small", "alx-aldex-40"),
    "Inside the cleanest room": ("alx-vedalumen",),
    "Gold loans pass": ("gold", "alx-swarnalend"),
    "The mill that learned": ("alx-rangvati",),
    "Central bank cuts": ("alx-aldex-bank", "crninr"),
}


def market_days(now: datetime) -> list[date]:
    """The exchange's days of the last years, newest first: the last one's session is over."""
    local = now.astimezone(EXCHANGE_ZONE)
    day = local.date() - timedelta(days=local.time() < CLOSE)
    first = day - timedelta(days=int(YEARS * 365.25))
    days = []
    while day > first:
        if day.weekday() < _SATURDAY and (day.month, day.day) not in _FIXED_HOLIDAYS:
            days.append(day)
        day -= timedelta(days=1)
    return days


def _tick(value: float, step: int) -> int:
    return max(step, round(value * SCALE / step) * step)


def _market(count: int) -> list[float]:
    """The market's daily moves in percent, newest first; the first is the story's."""
    walk = Random(_WALK)  # noqa: S311 - a picture of a market
    moves = [INDICES[0][3]]
    calm = 0.75
    while len(moves) < count:
        # Storms come in clusters, as everywhere.
        calm = max(0.45, min(2.2, calm * math.exp(walk.gauss(0, 0.09)) * 0.985 + 0.011))
        moves.append(walk.gauss(0.05, calm))
    return moves


def _closes(last: float, moves: Sequence[float], step: int) -> list[int]:
    """Closes newest first, from the last one backwards."""
    level, closes = last, [_tick(last, step)]
    for move in moves[:-1]:
        level /= 1 + move / 100
        closes.append(_tick(level, step))
    return closes


def _moves(market: Sequence[float], first: float, *, beta: float, sigma: float, drift: float, seed: str) -> list[float]:
    walk = Random(seed)  # noqa: S311 - as above
    daily = drift / 250
    own = [beta * move + walk.gauss(daily, sigma) for move in market]
    own[0] = first
    return [max(-14.0, min(14.0, move)) for move in own]


Day = tuple[date, int | None, int | None, int | None, int, int | None, int | None, int | None]


def _candles(
    days: Sequence[date], closes: Sequence[int], *, spread: float, volume: int, step: int, seed: str
) -> list[Day]:
    """Newest first. High and low hold open and close; a lively day is also a busy one."""
    walk = Random(seed + " candles")  # noqa: S311 - as above
    rows: list[Day] = []
    for place, day in enumerate(days):
        close = closes[place]
        before = closes[place + 1] if place + 1 < len(closes) else None
        start = before or close
        open_ = _tick(start / SCALE * (1 + walk.gauss(0, spread / 300)), step)
        reach = abs(walk.gauss(0, spread / 250)) + 0.0008
        high = max(open_, close) + _tick(close / SCALE * reach, step)
        low = max(step, min(open_, close) - _tick(close / SCALE * reach * walk.random(), step))
        traded = worth = None
        if volume:
            lively = 1 + 12 * abs(close - start) / start
            traded = int(volume * lively * math.exp(walk.gauss(0, 0.35)) * (1 - 0.5 * place / len(days)))
            worth = traded * close // 100
        rows.append((day, open_, high, low, close, before, traded, worth))
    return rows


def _share(share: Share, days: Sequence[date], market: Sequence[float]) -> NewInstrument:
    moves = _moves(market, share.change, beta=share.beta, sigma=share.sigma, drift=share.drift, seed=share.symbol)
    closes = _closes(share.close, moves, 500)
    rows = _candles(days, closes, spread=share.sigma, volume=share.volume, step=500, seed=share.symbol)
    actions: list[Action] = []
    if share.symbol in SPLITS:
        place, kind = SPLITS[share.symbol]
        actions.append(Action(days[place], kind.kind, kind.new, kind.old, 0, "Announced by the company"))
        by = kind.new // kind.old if kind.kind == "split" else 1 + kind.new // kind.old
        rows = [*rows[: place + 1], *(_before(row, by) for row in rows[place + 1 :])]
    if share.dividend:
        years = range(60 + len(share.symbol) * 11, len(days) - 1, 248)
        paid = [(days[place], share.dividend * 0.9**number) for number, place in enumerate(years)]
        actions += [Action(day, "dividend", amount=_tick(amount, 500), note="Final dividend") for day, amount in paid]
    return NewInstrument(
        code=f"alx-{share.symbol.lower()}", kind="equity", name=share.name, exchange=EXCHANGE, symbol=share.symbol,
        series="EQ", sector=share.sector, days=rows, actions=actions, generated=True,
    )  # fmt: skip


def _before(row: Day, by: int) -> Day:
    """A day as it was before a split: dearer and in fewer shares."""
    day, open_, high, low, close, prev, volume, worth = row
    return (
        day, open_ and open_ * by, high and high * by, low and low * by, close * by, prev and prev * by,
        volume and volume // by, worth,
    )  # fmt: skip


def _indices(days: Sequence[date], market: Sequence[float]) -> Iterator[NewInstrument]:
    for place, (symbol, name, close, change, beta, sigma, drift) in enumerate(INDICES):
        moves = _moves(market, change, beta=beta, sigma=sigma, drift=drift, seed=symbol)
        closes = _closes(close, moves, 500)
        yield NewInstrument(
            code=f"alx-{symbol.lower().replace(' ', '-')}", kind="index", name=name, exchange=EXCHANGE, symbol=symbol,
            featured=place + 1 if place in (0, 1, 3) else None, generated=True,
            days=_candles(days, closes, spread=0.7, volume=0, step=500, seed=symbol),
        )  # fmt: skip


def _others(days: Sequence[date]) -> Iterator[NewInstrument]:
    featured = {"CRNINR": 5, "GOLD": 6, "CRUDE": 7}
    steps = {0: 10_000, 2: 100, 4: 25}
    for symbol, name, kind, unit, currency, close, before, sigma, decimals in OTHERS:
        change, drift = (close / before - 1) * 100, 4.0 if kind == "commodity" else 1.5
        moves = _moves([0.0] * len(days), change, beta=0, sigma=sigma, drift=drift, seed=symbol)
        closes = _closes(close, moves, steps[decimals])
        yield NewInstrument(
            code=symbol.lower(), kind=kind, name=name, exchange="", symbol=symbol, unit=unit, currency=currency,
            decimals=decimals, featured=featured.get(symbol), generated=True,
            days=_candles(days, closes, spread=sigma, volume=0, step=steps[decimals], seed=symbol),
        )  # fmt: skip


def _funds(days: Sequence[date], market: Sequence[float]) -> Iterator[NewInstrument]:
    for number, name, sector, value, beta, sigma in FUNDS:
        moves = _moves(market, market[0] * beta, beta=beta, sigma=sigma, drift=6.0, seed=number)
        closes = _closes(value, moves, 1)
        rows: list[Day] = [
            (day, None, None, None, close, before, None, None)
            for day, close, before in zip(days, closes, [*closes[1:], None], strict=True)
        ]
        yield NewInstrument(
            code=f"fund-{number}", kind="fund", name=name, exchange="FUNDS", symbol=number, exchange_code=number,
            sector=sector, decimals=4, days=rows, generated=True,
        )  # fmt: skip


def _breadths(shares: Sequence[NewInstrument]) -> Iterator[Breadth]:
    for rows in zip(*(share.days for share in shares), strict=True):
        moves = [(row[4] > row[5]) - (row[4] < row[5]) for row in rows if row[5]]
        yield Breadth(
            EXCHANGE, rows[0][0], moves.count(1), moves.count(-1), moves.count(0), sum(row[7] or 0 for row in rows)
        )


def furnish(now: datetime) -> None:
    """Put in the instruments with their prices, and tag the stories that are about them."""
    days = market_days(now)
    market = _market(len(days))
    shares = [_share(share, days, market) for share in SHARES]
    rest = [*_indices(days, market), *_others(days), *_funds(days, market)]
    history.load_history(instruments=[*shares, *rest], breadths=_breadths(shares))
    for card in latest_cards(_STORIES):
        for words, codes in TAGS.items():
            if card.headline.startswith(words):
                tag_instruments(story_id=card.id, codes=codes, now=now)
