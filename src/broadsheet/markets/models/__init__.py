"""Tables of markets. Prices are whole numbers of 1/10000 of the instrument's currency, also in columns of other names;
`minor` means paise; `bp` means hundredths of a percent. Days are the exchange's own calendar days."""

from broadsheet.markets.models.imports import HeldRow, PriceImport
from broadsheet.markets.models.instruments import CorporateAction, Holiday, Instrument, MarketDay, SymbolChange
from broadsheet.markets.models.personal import Alert, Trade, WatchItem, WatchList
from broadsheet.markets.models.prices import Price, Snapshot, StoryLink

__all__ = [
    "Alert",
    "CorporateAction",
    "HeldRow",
    "Holiday",
    "Instrument",
    "MarketDay",
    "Price",
    "PriceImport",
    "Snapshot",
    "StoryLink",
    "SymbolChange",
    "Trade",
    "WatchItem",
    "WatchList",
]
