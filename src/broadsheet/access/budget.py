"""How many new meters a network may begin in a day: arithmetic alone, no clock, no store. Django-free.

A meter costs a visitor nothing, so meters themselves are the scarce thing. Networks with many honest readers behind few
addresses (carriers) earn more: each meter that was first read on an EARLIER day and counts a read here today earns a
part of a new one. That read is one of the meter's own, so a patient farmer pays for what he earns: a meter of `limit`
reads has at most `limit - 1` left for later days and earns at most 2/3 of a new one with them. All meters that follow
from b new ones are then b * (1 + 2/3 + 4/9 + ...) <= 3 b: patience wins three times the budget at most, for ever.
"""

from __future__ import annotations

from typing import NamedTuple

EARNED_BY_A_METER = (2, 3)  # new meters that one meter can earn in its whole life, as a fraction
MOST_GROWTH = 20  # a network's day is never larger than this many budgets, whoever comes back
SITE = 4  # budgets of a /48: a whole site of 256 /56s, or the /48 that any tunnel broker hands out for nothing
_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, an IPv4 client on an IPv6 socket


class Prefix(NamedTuple):
    """A network that has a budget. `budgets`: how many ordinary ones it has."""

    name: bytes
    budgets: int


def prefixes(address: bytes) -> tuple[Prefix, ...]:
    """The networks of a client (4 or 16 bytes of address) that must all have room: /24, or /56 and its /48."""
    if len(address) == 16 and address.startswith(_MAPPED):  # noqa: PLR2004
        address = address[12:]
    if len(address) == 4:  # noqa: PLR2004
        return (Prefix(b"4" + address[:3], 1),)
    return (Prefix(b"56" + address[:7], 1), Prefix(b"48" + address[:6], SITE))


def allowance(budget: int, budgets: int, returned: int, limit: int) -> int:
    """New meters a network may begin today. `returned`: meters of earlier days that counted a read here today,
    `limit`: the reads of a meter."""
    part, whole = EARNED_BY_A_METER
    earned = returned * part // (whole * max(1, limit - 1))
    return min(budget * budgets + earned, MOST_GROWTH * budget * budgets)
