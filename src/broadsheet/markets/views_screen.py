"""The screener: one row an instrument, any demand, page after page at the same cost."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict

from broadsheet.markets import inputs, queries
from broadsheet.markets.doors import page, room
from broadsheet.markets.values import KINDS, SCREEN_ORDERS, Screen

PAGE = 50
_TEXTS = ("kind", "exchange", "sector", "words")
_PRICES = {"close_from": "close_from", "close_to": "close_to"}
_PERCENTS = {
    "change_from": "change_from_bp", "change_to": "change_to_bp", "year_from": "return_1y_from_bp",
    "year_to": "return_1y_to_bp", "near_high": "near_high_bp", "near_low": "near_low_bp",
}  # fmt: skip
_CRORE_MINOR = 10_000_000 * 100
UNKNOWN_OF_SOME = ("-value", "-volume")
"""Figures that indices and funds do not have: those are shown in another order, not left out."""
ORDERS = {
    "-value": "Turnover, highest first", "-change": "Day’s rise", "change": "Day’s fall", "-1m": "Return of a month",
    "-6m": "Return of six months", "-1y": "Return of a year", "-3y": "Return of three years", "1y": "Loss of a year",
    "-from_high": "Nearest to the year’s high", "from_high": "Furthest below the year’s high", "-volume": "Volume",
    "-close": "Price, highest first", "close": "Price, lowest first", "name": "Name",
}  # fmt: skip


@room("screener", "GET", "HEAD")
def screener(request: HttpRequest) -> HttpResponse:
    wanted, typed, wrong = read(request.GET)
    found = queries.screen(wanted, after=request.GET.get("after", "")[:120], limit=PAGE)
    if not found.quotes and "after" not in request.GET and typed["order"] in UNKNOWN_OF_SOME:
        typed["order"] = "name"
        found = queries.screen(replace(wanted, order="name"), limit=PAGE)
    asked = {name: value for name, value in typed.items() if value}
    values = {
        "found": found,
        "typed": typed,
        "wrong": wrong,
        "first_page": "after" not in request.GET,
        "again": "?" + urlencode(asked),
        "next": "?" + urlencode({**asked, "after": found.after}) if found.after else "",
        "kinds": KINDS,
        "orders": ORDERS,
        "sectors": queries.sectors(),
        "exchanges": queries.exchanges(),
    }
    return page(request, "markets/screener.html", values)


def read(form: QueryDict) -> tuple[Screen, dict[str, str], dict[str, str]]:
    """(what is asked for, what was typed, {field: what is wrong with it}). A field that cannot be read asks nothing."""
    names = [*_TEXTS, *_PRICES, *_PERCENTS, "value_from", "order"]
    typed = {name: " ".join(form.get(name, "").replace("\0", " ").split())[:60] for name in names}
    asked: dict[str, object] = {name: typed[name] for name in _TEXTS if typed[name]}
    wrong = {}
    for name in (*_PRICES, *_PERCENTS, "value_from"):
        try:
            if not typed[name]:
                continue
            if name in _PRICES:
                asked[_PRICES[name]] = inputs.scaled(typed[name])
            elif name in _PERCENTS:
                asked[_PERCENTS[name]] = inputs.basis_points(typed[name], "it")
            else:
                asked["value_from_minor"] = inputs.scaled(typed[name], "it") * _CRORE_MINOR // 10_000
        except ValueError as error:
            wrong[name] = str(error)
    if typed["order"].lstrip("-") in SCREEN_ORDERS:
        asked["order"] = typed["order"]
    else:
        typed["order"] = "-value"
    typed["kind"] = typed["kind"] or "equity"
    return Screen(**asked), typed, wrong  # type: ignore[arg-type]
