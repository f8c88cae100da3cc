"""The portfolio: trades noted or sent as a file, what they have come to, and both to take away."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from broadsheet import clock
from broadsheet.dates import local_date
from broadsheet.markets import actions, inputs, personal_queries, queries, sessions
from broadsheet.markets.actions import RefusedError
from broadsheet.markets.doors import page, room
from broadsheet.markets.values import SCALE, TRADE_KINDS, Portfolio
from broadsheet.markets.views import SAID
from broadsheet.markets.views_lists import meant, number

SLICES = 6
SHOWN = 50


@room("portfolio", "GET", "HEAD", "POST")
def portfolio(request: HttpRequest) -> HttpResponse:
    """POST: note a trade, or delete one."""
    wrong = ""
    if request.method == "POST":
        try:
            request.session[SAID] = _changed(request)
            return redirect("portfolio")
        except (RefusedError, ValueError) as refusal:
            wrong = str(refusal)
    return _page(request, wrong)


def _changed(request: HttpRequest) -> str:
    form = request.POST
    if "delete" in form:
        actions.delete_trade(reader_id=request.user.pk, trade_id=number(form, "delete"))
        return "The trade is deleted."
    now = clock.now()
    actions.add_trade(
        reader_id=request.user.pk,
        code=meant(form.get("instrument", "")),
        kind=form.get("kind", ""),
        day=inputs.day(form.get("day", "")),
        units=inputs.scaled(form.get("units", ""), "the number of units"),
        price=inputs.scaled(form.get("price", "")),
        fee_minor=inputs.minor(form.get("fee", ""), "the fee"),
        note=form.get("note", "").replace("\0", ""),
        key=_key(form),
        now=now,
        today=local_date(now, sessions.EXCHANGE_ZONE),
    )
    return "The trade is noted."


def _key(form: QueryDict) -> str:
    """A form that is sent twice carries the same token, and each form that is opened another one."""
    return hashlib.blake2b(form.get("csrfmiddlewaretoken", "").encode(), digest_size=16).hexdigest()


def _page(request: HttpRequest, wrong: str = "", report: dict[str, Any] | None = None) -> HttpResponse:
    now, form = clock.now(), request.POST
    held = personal_queries.portfolio(request.user.pk, now)
    trades = personal_queries.trades(request.user.pk)
    everything = "all" in request.GET
    values = {
        "held": held,
        "parts": allocation(held),
        "trades": trades if everything else trades[:SHOWN],
        "more": 0 if everything else max(len(trades) - SHOWN, 0),
        "kinds": TRADE_KINDS,
        "typed": {name: form.get(name, "") for name in ("instrument", "kind", "day", "units", "price", "fee", "note")},
        "today": local_date(now, sessions.EXCHANGE_ZONE),
        "did": request.session.pop(SAID, ""),
        "why": wrong,
        "report": report,
        "prefill": queries.quote(request.GET.get("of", "")[:60]),
    }
    return page(request, "markets/portfolio.html", values)


def allocation(held: Portfolio) -> Sequence[tuple[str, int, int]]:
    """(name, worth in paise, share in bp) of the largest holdings, the rest together; for the bar and its legend."""
    priced = sorted((one for one in held.holdings if one.value_minor), key=lambda one: -(one.value_minor or 0))
    parts = [(one.quote.name, one.value_minor or 0) for one in priced]
    if len(parts) > SLICES:
        parts = [*parts[: SLICES - 1], ("Others", sum(value for _, value in parts[SLICES - 1 :]))]
    whole = sum(value for _, value in parts)
    return [(name, value, (value * 10_000 * 2 + whole) // (2 * whole)) for name, value in parts]


@room("portfolio", "POST")
def upload(request: HttpRequest) -> HttpResponse:
    """A file of trades: what can be read is taken, each other line is shown with its reason. Twice is once."""
    sent = request.FILES.get("trades")
    try:
        rows, problems = inputs.trade_rows(sent.read(inputs.MOST_BYTES + 1) if sent else b"")
    except ValueError as error:
        return _page(request, report={"wrong": str(error)})
    now = clock.now()
    named, unknown = _named(rows)
    taken = actions.add_trades(
        reader_id=request.user.pk, rows=named, now=now, today=local_date(now, sessions.EXCHANGE_ZONE)
    )
    shown = sorted([*problems, *unknown, *taken.problems], key=lambda one: one.line)
    return _page(request, report={"wrong": "", "new": taken.new, "known": taken.known, "problems": shown})


def _named(rows: Sequence[inputs.TradeRow]) -> tuple[list[tuple[inputs.TradeRow, str]], list[inputs.Problem]]:
    """The rows with their instruments' codes, and those whose instrument nobody knows. Each name is asked once."""
    codes: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in dict.fromkeys(row.instrument for row in rows):
        try:
            codes[name] = meant(name.replace(":", "-", 1))
        except RefusedError as refusal:
            wrong[name] = str(refusal)
    named = [(row, codes[row.instrument]) for row in rows if row.instrument in codes]
    problems = [
        inputs.Problem(row.line, f"{row.kind} {row.instrument}", wrong[row.instrument])
        for row in rows
        if row.instrument in wrong
    ]
    return named, problems


@room("portfolio", "GET", "HEAD")
def export(request: HttpRequest, what: str) -> HttpResponse:
    """Trades in the form an upload takes, or the holdings as they stand."""
    lines = _trade_lines(request.user.pk) if what == "trades" else _holding_lines(request.user.pk)
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{what}.csv"'
    return response


def _plain(scaled: int) -> str:
    """A figure for machines: `1234.5`, no groups."""
    whole, part = divmod(abs(scaled), SCALE)
    text = f"{whole}.{part:04d}".rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def _paise(minor: int | None) -> str:
    return "" if minor is None else _plain(minor * (SCALE // 100))


def _trade_lines(reader_id: int) -> Iterable[Sequence[str]]:
    yield inputs.COLUMNS
    for one in reversed(personal_queries.trades(reader_id)):
        yield (
            one.day.isoformat(), one.kind, one.quote.code, _plain(one.units), _plain(one.price),
            _paise(one.fee_minor), _safe(one.note),
        )  # fmt: skip


def _holding_lines(reader_id: int) -> Iterable[Sequence[str]]:
    held = personal_queries.portfolio(reader_id, clock.now())
    worth = f"value {held.currency}"
    yield ("instrument", "name", "units", "close", "day", worth, "invested", "unrealised", "realised",
           "dividends", "xirr percent")  # fmt: skip
    for one in (*held.holdings, *held.closed):
        close, xirr = one.quote.close, one.xirr_bp
        yield (
            one.quote.code, _safe(one.quote.name), _plain(one.units), "" if close is None else _plain(close),
            one.quote.day.isoformat() if one.quote.day else "", _paise(one.value_minor), _paise(one.invested_minor),
            _paise(one.unrealised_minor), _paise(one.realised_minor), _paise(one.dividends_minor), _paise(xirr),
        )  # fmt: skip


def _safe(text: str) -> str:
    """Spreadsheets run what begins like a formula: there it is to be read."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
