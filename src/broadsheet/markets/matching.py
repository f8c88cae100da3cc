"""Which instrument a row of a file is about. Pure.

A share is known by its ISIN and its family of series, at BSE by its scrip code, a fund by its scheme code; the symbol
comes last, since exchanges give symbols away anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from broadsheet.markets.rows import Row

_NSE_SHARES = dict.fromkeys(("EQ", "BE", "BZ", "SM", "ST", "SZ"), "EQ")
_BSE_SHARES = dict.fromkeys(
    ("A", "B", "T", "TS", "X", "XT", "Z", "ZP", "P", "M", "MT", "MS", "R", "W", "E", "EQ"), "EQ"
)
FAMILIES = {"NSE": _NSE_SHARES, "BSE": _BSE_SHARES}
PREFERRED = ("EQ", "BE", "BZ", "SM", "ST", "SZ", "A", "B", "X", "T", "XT", "M", "MT", "Z")
_BY_NUMBER = ("BSE", "AMFI")
_ISSUER = 9  # the signs of an ISIN that name the issuer and the kind of paper: they outlive a split
_NO_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Known:
    """An instrument as the importer knows it; `id` 0: it is about to be made."""

    id: int
    code: str
    kind: str
    exchange: str
    symbol: str = ""
    series: str = ""
    isin: str = ""
    exchange_code: str = ""
    name: str = ""
    sector: str = ""
    currency: str = "INR"
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """`instrument` None and no `conflict`: nobody knows it. `changes`: (what, old, new) that the row tells of."""

    instrument: Known | None
    changes: tuple[tuple[str, str, str], ...] = ()
    conflict: str = ""


def family(exchange: str, series: str, kind: str = "equity") -> str:
    """The series that follow each other for one share; anything else stands for itself."""
    if kind in ("index", "currency", "commodity"):
        return kind
    if exchange == "AMFI":
        return "fund"
    return FAMILIES.get(exchange, {}).get(series, series) or "EQ"


def is_followed(row: Row, wanted: Iterable[str]) -> bool:
    """Whether rows of this series are taken at all. `wanted` empty: shares; "all": everything; else these series."""
    chosen = {each.upper() for each in wanted}
    if "ALL" in chosen or row.exchange not in FAMILIES or row.kind in ("index", "fund") or not row.series:
        return True
    return row.series in chosen if chosen else row.series in FAMILIES[row.exchange]


def kind_of(row: Row) -> str:
    """share, index, fund …: what the file says, else by the ISIN: INF is of a fund's unit, traded or not."""
    if row.kind:
        return row.kind
    return "fund" if row.isin.startswith("INF") else "equity"


class Directory:
    """Instruments by everything they may be called."""

    def __init__(self, known: Iterable[Known], old_names: Iterable[tuple[str, str, str]] = ()) -> None:
        """`old_names`: (what, old, code of the instrument)."""
        self.by_code: dict[str, Known] = {}
        self._by_isin: dict[tuple[str, str, str], Known] = {}
        self._by_number: dict[tuple[str, str], Known] = {}
        self._by_symbol: dict[tuple[str, str, str], Known] = {}
        self._old: dict[tuple[str, str, str], str] = {}
        self.taken: Callable[[str], bool] = self.by_code.__contains__
        for each in known:
            self.add(each)
        for what, old, code in old_names:
            if code in self.by_code:
                self._old[what, self.by_code[code].exchange, old.upper()] = code

    def add(self, each: Known) -> None:
        self.by_code[each.code] = each
        kin = family(each.exchange, each.series, each.kind)
        if each.isin:
            self._by_isin[each.exchange, kin, each.isin] = each
        if each.exchange_code:
            self._by_number[each.exchange, each.exchange_code] = each
        if each.symbol:
            self._by_symbol[each.exchange, kin, each.symbol.upper()] = each

    def match(self, row: Row) -> Match:
        """The instrument of a row."""
        if row.code:
            return Match(self.by_code.get(row.code))
        if not row.exchange:
            return self._anywhere(row)
        kind = kind_of(row)
        kin = family(row.exchange, row.series, kind)
        symbol = symbol_of(row).upper()
        if row.exchange in _BY_NUMBER and row.exchange_code:
            found = self._by_number.get((row.exchange, row.exchange_code))
            if found:
                return self._agreed(found, row)
        if row.isin:
            found = self._by_isin.get((row.exchange, kin, row.isin)) or self._former("isin", row, row.isin)
            if found:
                return self._agreed(found, row)
        found = self._by_symbol.get((row.exchange, kin, symbol)) or self._former("symbol", row, symbol)
        if found is None or (row.exchange in _BY_NUMBER and row.exchange_code and found.exchange_code):
            return Match(None)
        return self._agreed(found, row)

    def _anywhere(self, row: Row) -> Match:
        """The one instrument with this ISIN, else symbol, whatever its exchange: the row names none."""
        symbol = symbol_of(row).upper()
        found = [each for each in self.by_code.values() if row.isin and each.isin == row.isin]
        found = found or [each for each in self.by_code.values() if symbol and each.symbol.upper() == symbol]
        if len(found) > 1:
            codes = ", ".join(sorted(each.code for each in found)[:5])
            return Match(None, conflict=f"it may be any of {codes}: name the exchange or the code")
        return Match(found[0] if found else None)

    def _former(self, what: str, row: Row, name: str) -> Known | None:
        return self.by_code.get(self._old.get((what, row.exchange, name.upper()), ""))

    def _agreed(self, found: Known, row: Row) -> Match:
        """What the row says otherwise: a change where that is plausible, a conflict where it is another company."""
        changes = []
        former = self._old.get(("isin", row.exchange, row.isin)) == found.code
        if row.isin and found.isin and row.isin != found.isin and not former:
            if row.isin[:_ISSUER] != found.isin[:_ISSUER]:
                said = f"{symbol_of(row) or row.exchange_code} is {row.isin} here and was {found.isin}"
                return Match(None, conflict=f"{said}: another company's")
            changes.append(("isin", found.isin, row.isin))
        if row.isin and not found.isin:
            changes.append(("isin", "", row.isin))
        symbol = symbol_of(row)
        if symbol and found.symbol and symbol.upper() != found.symbol.upper() and row.exchange != "AMFI":
            changes.append(("symbol", found.symbol, symbol))
        if row.series and row.series != found.series:
            changes.append(("series", found.series, row.series))
        return Match(found, tuple(changes))

    def made_from(self, row: Row) -> Known:
        """A new instrument for a row that nobody knows, under a code that nobody has; it is known from now on."""
        symbol = symbol_of(row)
        base = row.code or slug(f"{row.exchange or kind_of(row)} {symbol or row.name}") or "instrument"
        code, number = base, 1
        while code in self.by_code or self.taken(code):
            number += 1
            code = f"{base[:55]}-{number}"
        made = Known(
            0, code, kind_of(row), row.exchange, symbol, row.series, row.isin, row.exchange_code,
            row.name or symbol, row.sector, row.currency or "INR", row.unit,
        )  # fmt: skip
        self.add(made)
        return made

    def numbered(self, code: str, number: int) -> None:
        """An instrument that was made has its id now."""
        self.add(replace(self.by_code[code], id=number))


def slug(text: str) -> str:
    """As it stands in addresses."""
    return _NO_SLUG.sub("-", text.lower()).strip("-")[:60].strip("-")


def symbol_of(row: Row) -> str:
    """What the row is called at its exchange: an index by its name, where there is no symbol by its number."""
    return row.symbol or (row.name if row.kind == "index" or not row.exchange_code else row.exchange_code)
