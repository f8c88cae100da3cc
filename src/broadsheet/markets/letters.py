"""The letter about alerts. Pure. It holds what the reader asked to be told and the day's public closing price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from broadsheet.markets.figures import change, long_day, percent, price, sign_of
from broadsheet.markets.values import Quote

Told = tuple[str, int, Quote]


def _waited_for(kind: str, level: int, quote: Quote) -> str:
    if kind == "change":
        return f"moved by {percent(level, signed=False)} or more in a day"
    side = "at or above" if kind == "above" else "at or below"
    return f"closed {side} {sign_of(quote.currency, quote.kind)}{price(level, quote.decimals)}"


def _paragraph(told: Told, url: str) -> str:
    kind, level, quote = told
    moved = f" ({change(quote.change, quote.decimals)}, {percent(quote.change_bp)})" if quote.change is not None else ""
    return (
        f"{quote.name} {_waited_for(kind, level, quote)}.\n"
        f"Close: {sign_of(quote.currency, quote.kind)}{price(quote.close, quote.decimals)}{moved}\n"
        f"{url}/investor/{quote.code}/"
    )


def alert_letter(told: Sequence[Told], day: date, *, paper: str, url: str) -> tuple[str, str]:
    """Subject and text."""
    kind, level, quote = told[0]
    subject = f"{quote.name} {_waited_for(kind, level, quote)}"
    if len(told) > 1:
        subject = f"{len(told)} of your price alerts"
    parts = [f"Closing prices of {long_day(day)}:", *(_paragraph(each, url) for each in told)]
    if any(each[2].generated for each in told):
        parts.append("These prices were generated for a demonstration and are not real.")
    parts += [
        f"You asked {paper} for this letter. Your alerts: {url}/investor/watch/",
        "Closing prices as the exchange reported them; no advice to buy or sell.",
    ]
    return " ".join(subject.split())[:180], "\n\n".join(parts) + "\n"
