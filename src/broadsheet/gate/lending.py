"""What opens a story besides the reader's own rights: a gift somebody gave, or a seat of an institution."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from broadsheet.access.rules import COVERS, Story, Tier
from broadsheet.gate.answers import Answer, Needs, plain
from broadsheet.gate.asked import Asked
from broadsheet.gate.passes import GIFT, LEASE, PENDING, SEAT, Grants, GrantSeal, Pass, new_grants
from broadsheet.gate.shelf import Held, Recent
from broadsheet.gate.told import Told

COOKIE_AGE = 60 * 60 * 24 * 30
_REFUSED_FOR = 30  # seconds a browser that found no free seat waits before it asks again


class Institution(NamedTuple):
    """Who lends seats to whom: exact networks, products, and the half-open time in Unix seconds."""

    id: int
    networks: tuple[IPv4Network | IPv6Network, ...]
    products: frozenset[str]
    start: int
    end: int | None


class Lent(NamedTuple):
    """Facts for the decision, and the grant cookie to be set when it changed. `go_round`: where the browser is sent
    first, to see whether it keeps that cookie."""

    seat: frozenset[str] = frozenset()
    gift: bool = False
    grants: Grants | None = None
    go_round: str = ""


def read_institutions(rows: Sequence[dict[str, Any]]) -> tuple[Institution, ...]:
    """The standing value `institutions`; ValueError, KeyError or TypeError when it is not one."""
    return tuple(
        Institution(
            row["id"],
            tuple(ip_network(prefix) for prefix in row["prefixes"]),
            frozenset(row["products"]),
            row["start"],
            row["end"],
        )
        for row in rows
    )


class Lending:
    def __init__(self, seal: GrantSeal) -> None:
        self._seal = seal
        self._institutions: tuple[Institution, ...] = ()
        self._products: frozenset[str] = frozenset()
        self.lends_something = False
        self._by_address: Recent[str, tuple[Institution, ...]] = Recent(20_000)
        self._revoked: Recent[int, bool] = Recent(100_000)
        self._refused: Recent[bytes, int] = Recent(20_000)

    def institutions_changed(self, rows: Sequence[dict[str, Any]]) -> None:
        self._institutions = read_institutions(rows)
        self._products = frozenset[str]().union(*(one.products for one in self._institutions))
        self.lends_something = bool(self._products)
        self._by_address = Recent(20_000)
        self._refused = Recent(20_000)

    def gift_revoked(self, gift: int) -> None:
        self._revoked.put(gift, True)

    def lends(self, tier: Tier) -> bool:
        """Whether some institution opens this tier: then a wall is not the same for every visitor."""
        return bool(self._products) and not self._products.isdisjoint(COVERS[tier])

    def cookie(self, grants: Grants) -> str:
        return self._seal.seal(grants)

    # --- a gift link --------------------------------------------------------------------------------------------
    def offered(self, asked: Asked, held: Held, told: Told) -> tuple[Answer, Grants | None] | Needs:
        """A story's address with a gift in it leads to the clean one; the browser takes the offer along in a cookie.

        Nothing is used up yet, so that a messenger's preview of the link costs no device.
        """
        answer = see_other(held.path.decode())
        if asked.method != "GET" or asked.prefetch:
            return answer, None
        if told.offered is None:
            return Needs("open_gift", (asked.gift,))
        if not told.offered or told.offered["story"] != held.story.id:
            return answer, None
        grants = self._seal.open(asked.grants) or new_grants()
        known = grants.gift_of(held.story.id)
        if known and known.kind == GIFT and known.id == told.offered["gift"]:
            return answer, None
        offer = Pass(PENDING, told.offered["gift"], held.story.id, told.offered["until"])
        return answer, grants.holding(offer)

    # --- a story that is walled so far --------------------------------------------------------------------------
    def facts(self, asked: Asked, story: Story, told: Told, now: datetime, *, real: bool) -> Lent | Needs:
        """What this browser holds or may be given for this story."""
        at = int(now.timestamp())
        grants = self._seal.open(asked.grants) if asked.grants else None
        lent = self._gift(grants, story, told, at, real=real) if grants else Lent()
        if isinstance(lent, Needs) or lent.gift:
            return lent
        institution = self._institution(asked.address, story.tier, at)
        if institution is None:
            return lent
        return self._seat(asked, lent.grants or grants, institution, told, at, real=real)

    def _gift(self, grants: Grants, story: Story, told: Told, at: int, *, real: bool) -> Lent | Needs:
        given = grants.gift_of(story.id)
        if given is None:
            return Lent()
        if self._revoked.get(given.id) or (given.kind == PENDING and given.until <= at):
            return Lent(grants=grants.without(given))
        if given.kind == GIFT and at < given.until:
            return Lent(gift=True)
        if not real:
            return Lent()
        if told.gift is None:
            return Needs("use_gift", (given.id, story.id, grants.device.hex()))
        if told.gift <= at:
            return Lent(grants=grants.without(given))
        used = Pass(GIFT, given.id, story.id, min(told.gift, at + LEASE))
        return Lent(gift=True, grants=grants.holding(used))

    def _seat(
        self, asked: Asked, grants: Grants | None, institution: Institution, told: Told, at: int, *, real: bool
    ) -> Lent | Needs:
        changed = grants if grants and self._seal.open(asked.grants) != grants else None
        seat = grants.seat_of(institution.id) if grants else None
        if seat and at < seat.until:
            return Lent(institution.products, grants=changed)
        if not real:
            return Lent(grants=changed)
        if grants is None:
            # A seat is a browser, so it has to be one: what keeps no cookie is sent round once and then walled.
            return Lent() if asked.probe else Lent(grants=new_grants(), go_round=f"{asked.path.decode('ascii')}?seat=1")
        if (self._refused.get(grants.device) or 0) > at:
            return Lent(grants=changed)
        if told.seat is None:
            return Needs("seat", (institution.id, grants.device.hex()))
        if told.seat <= at:
            self._refused.put(grants.device, at + _REFUSED_FOR)
            return Lent(grants=changed)
        taken = Pass(SEAT, institution.id, 0, told.seat)
        return Lent(institution.products, grants=grants.holding(taken))

    def _institution(self, address: str, tier: Tier, at: int) -> Institution | None:
        if not self._products:
            return None
        known = self._by_address.get(address)
        if known is None:
            known = self._of(address)
            self._by_address.put(address, known)
        for one in known:
            if one.start <= at and (one.end is None or at < one.end) and not one.products.isdisjoint(COVERS[tier]):
                return one
        return None

    def _of(self, address: str) -> tuple[Institution, ...]:
        try:
            where = ip_address(address)
        except ValueError:
            return ()
        mapped = getattr(where, "ipv4_mapped", None) or where
        return tuple(one for one in self._institutions if any(mapped in network for network in one.networks))


def see_other(location: str) -> Answer:
    """A redirect that a client follows with GET and keeps nowhere."""
    return plain(303, extra=[("Location", location)])
