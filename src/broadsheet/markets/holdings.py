"""What trades have come to: lots bought first are sold first, splits and bonuses change their units. Pure.

Amounts are paise; a product of units and price is rounded half up to paise once, where money changed hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from broadsheet.markets.rules import half_up, units_factor
from broadsheet.markets.values import SCALE, Action, Deal, Holding, Lot, Portfolio, Quote
from broadsheet.markets.xirr import xirr

Position = tuple[Quote, Sequence[Deal], Sequence[Action]]
_TO_MINOR = SCALE * SCALE // 100
_ORDER = {"buy": 0, "dividend": 1, "sell": 2}


def amount_minor(units: int, price: int) -> int:
    """What `units` at `price` come to, in paise."""
    return half_up(Fraction(units * price, _TO_MINOR))


class Follower:
    """Follows one instrument's deals in time."""

    def __init__(self) -> None:
        self.lots: list[Lot] = []
        self.realised = 0
        self.dividends = 0
        self.flows: list[tuple[date, int]] = []
        self.problems: list[str] = []

    @property
    def units(self) -> int:
        return sum(lot.units for lot in self.lots)

    def act(self, action: Action) -> None:
        """Units change, the cost of a lot does not. Fractions below 1/10000 of a unit are lost."""
        by = units_factor(action)
        if by != 1:
            self.lots = [Lot(lot.day, int(lot.units * by), lot.cost_minor) for lot in self.lots]

    def deal(self, deal: Deal, name: str) -> None:
        amount = amount_minor(deal.units, deal.price)
        if deal.kind == "buy":
            self.lots.append(Lot(deal.day, deal.units, amount + deal.fee_minor))
            self.flows.append((deal.day, -amount - deal.fee_minor))
        elif deal.kind == "dividend":
            self.dividends += amount - deal.fee_minor
            self.flows.append((deal.day, amount - deal.fee_minor))
        else:
            self._sell(deal, amount, name)

    def _sell(self, deal: Deal, amount: int, name: str) -> None:
        held = self.units
        if deal.units > held:
            self.problems.append(f"{name}: the sale of {deal.day} is of more than was held; it is left out.")
            return
        cost, left, kept = 0, deal.units, list[Lot]()
        for lot in self.lots:
            take = min(left, lot.units)
            left -= take
            share = lot.cost_minor if take == lot.units else half_up(Fraction(lot.cost_minor * take, lot.units))
            cost += share
            if take < lot.units:
                kept.append(Lot(lot.day, lot.units - take, lot.cost_minor - share))
        self.lots = kept
        self.realised += amount - deal.fee_minor - cost
        self.flows.append((deal.day, amount - deal.fee_minor))


def follow(position: Position, today: date) -> Follower:
    """All that happened to a holding up to today: on one day first the action, then what was bought, then sold."""
    quote, deals, actions = position
    follower = Follower()
    events: list[tuple[date, int, Action | Deal]] = [(a.ex_day, -1, a) for a in actions if a.ex_day <= today]
    events += [(deal.day, _ORDER[deal.kind], deal) for deal in deals]
    for _, _, event in sorted(events, key=lambda each: each[:2]):
        if isinstance(event, Action):
            follower.act(event)
        else:
            follower.deal(event, quote.name)
    return follower


def holding(position: Position, today: date) -> tuple[Holding, Follower]:
    """One instrument's holding on its latest price."""
    quote = position[0]
    follower = follow(position, today)
    units = follower.units
    invested = sum(lot.cost_minor for lot in follower.lots)
    value = change = None
    if quote.close is not None or not units:
        value = amount_minor(units, quote.close or 0)
        if quote.change is not None:
            change = half_up(Fraction(units * quote.change, _TO_MINOR))
    worth = [] if not units else [(today, value)] if value is not None else None
    rate = xirr([*follower.flows, *worth]) if worth is not None else None
    made = Holding(
        quote=quote,
        units=units,
        lots=tuple(follower.lots),
        invested_minor=invested,
        value_minor=value,
        day_change_minor=change,
        unrealised_minor=None if value is None else value - invested,
        realised_minor=follower.realised,
        dividends_minor=follower.dividends,
        xirr_bp=_bp(rate),
    )
    return made, follower


def portfolio(positions: Sequence[Position], *, today: date, currency: str) -> Portfolio:
    """All holdings together, the most valuable first. What has no price or another currency is named, not summed."""
    made = [holding(position, today) for position in positions]
    problems = [problem for _, follower in made for problem in follower.problems]
    counted: list[tuple[Holding, Follower]] = []
    for each, follower in made:
        if each.quote.currency != currency:
            problems.append(f"{each.quote.name} is in {each.quote.currency} and not part of the totals.")
        elif each.value_minor is None:
            problems.append(f"{each.quote.name} has no price yet and is not part of the totals.")
        else:
            counted.append((each, follower))
    flows = [flow for _, follower in counted for flow in follower.flows]
    value = sum(each.value_minor or 0 for each, _ in counted)
    days = [each.quote.day for each, _ in counted if each.units and each.quote.day]
    held = sorted((each for each, _ in made if each.units), key=lambda h: -(h.value_minor or 0))
    return Portfolio(
        currency=currency,
        holdings=tuple(held),
        closed=tuple(sorted((each for each, _ in made if not each.units), key=lambda h: h.quote.name)),
        invested_minor=sum(each.invested_minor for each, _ in counted),
        value_minor=value,
        day_change_minor=sum(each.day_change_minor or 0 for each, _ in counted),
        unrealised_minor=sum(each.unrealised_minor or 0 for each, _ in counted),
        realised_minor=sum(each.realised_minor for each, _ in counted),
        dividends_minor=sum(each.dividends_minor for each, _ in counted),
        xirr_bp=_bp(xirr([*flows, (today, value)] if value else flows)),
        day=max(days, default=None),
        problems=tuple(problems),
    )


def _bp(rate: float | None) -> int | None:
    return None if rate is None else round(rate * SCALE)
