"""The yearly rate that explains dated payments (XIRR). Pure.

None is an answer: payments of one sign, of one day, or with several rates that all explain them have no one rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from math import expm1, isfinite, log1p

YEAR = 365.0  # the convention of every spreadsheet
_LOWEST, _HIGHEST = -0.9999, 1e6
_STEPS = 200


def xirr(flows: Sequence[tuple[date, int]]) -> float | None:
    """The rate r a year with sum(amount / (1 + r) ** (days / 365)) = 0; paid out negative, received positive.

    Between -99.99 % and 1,000,000 a year. Several sign changes of the running sum may mean several rates: then None,
    unless there is only one in that range.
    """
    merged: dict[date, int] = {}
    for day, amount in flows:
        merged[day] = merged.get(day, 0) + amount
    dated = sorted((day, amount) for day, amount in merged.items() if amount)
    if len(dated) < 2 or not (min(a for _, a in dated) < 0 < max(a for _, a in dated)):  # noqa: PLR2004
        return None
    first = dated[0][0]
    size = float(max(abs(amount) for _, amount in dated))
    terms = [((day - first).days / YEAR, amount / size) for day, amount in dated]
    brackets = _brackets(terms)
    if len(brackets) != 1:
        return None
    rate = expm1(_root(terms, *brackets[0]))
    return rate if isfinite(rate) else None


def _worth(terms: Sequence[tuple[float, float]], force: float) -> float:
    """The worth on the first day under a force of interest (log of 1 + rate), kept in range by scaling from the end
    that dominates: only its sign and its roots matter."""
    last = terms[-1][0]
    shift = last * force if force < 0 else 0.0
    total = 0.0
    for years, amount in terms:
        exponent = -years * force + shift
        if exponent > -700:  # noqa: PLR2004 - below, exp() is nothing
            total += amount * _exp(exponent)
    return total


def _exp(value: float) -> float:
    return expm1(value) + 1.0


def _grid() -> list[float]:
    """Forces of interest from the lowest rate to the highest, dense where real portfolios are."""
    low, high = log1p(_LOWEST), log1p(_HIGHEST)
    steps = 160
    near = [-1.5 + 3.0 * n / 120 for n in range(121)]
    wide = [low + (high - low) * n / steps for n in range(steps + 1)]
    return sorted({*near, *wide})


_GRID = _grid()


def _brackets(terms: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    signs = [amount > 0 for _, amount in terms]
    once = sum(one != two for one, two in pairwise(signs)) == 1
    # All paid in before anything came out: there is one rate at most (Descartes), and no need to look for others.
    grid = (_GRID[0], _GRID[-1]) if once else _GRID
    before = grid[0]
    worth_before = _worth(terms, before)
    for force in grid[1:]:
        worth = _worth(terms, force)
        if worth_before == 0.0:
            found.append((before, before))
        elif worth_before * worth < 0.0:
            found.append((before, force))
        before, worth_before = force, worth
    return found


def _root(terms: Sequence[tuple[float, float]], low: float, high: float) -> float:
    """Bisection: as many halvings as a float has bits, no derivative that could send it astray."""
    worth_low = _worth(terms, low)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        worth = _worth(terms, middle)
        if worth == 0.0:
            return middle
        if (worth > 0) == (worth_low > 0):
            low, worth_low = middle, worth
        else:
            high = middle
    return (low + high) / 2
