"""Net asset values of mutual funds, in the text that the association of funds gives out: semicolons, and between the
schemes lines that name their category and their house. Every scheme has a day of its own."""

from __future__ import annotations

from broadsheet.markets.layouts import Layout

NAV = Layout(
    name="amfi",
    exchange="AMFI",
    signs=frozenset({"SCHEME CODE", "SCHEME NAME", "NET ASSET VALUE", "DATE"}),
    columns={
        "exchange_code": "SCHEME CODE", "isin": "ISIN DIV PAYOUT/ ISIN GROWTH", "name": "SCHEME NAME",
        "close": "NET ASSET VALUE", "day": "DATE",
    },
    also={
        "ISIN DIV PAYOUT/ISIN GROWTH": "ISIN DIV PAYOUT/ ISIN GROWTH",
        "ISIN DIV PAYOUT / ISIN GROWTH": "ISIN DIV PAYOUT/ ISIN GROWTH",
    },
    kind="fund",
    one_day=False,
)  # fmt: skip

LAYOUTS = (NAV,)


def category(text: str) -> str:
    """The category in a line between schemes: `Open Ended Schemes(Debt Scheme - Liquid Fund)`; "" in other lines."""
    head, bracket, rest = text.strip().rstrip(";").partition("(")
    if not bracket or "scheme" not in head.lower():
        return ""
    return rest.rstrip(") ").strip()[:60]
