"""What the gate starts with, as frozen values; server/gatehouse.py makes them from the installation's options."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from broadsheet.access.meter import MeterSeal
from broadsheet.access.rules import Policy
from broadsheet.gate.asked import CookieNames
from broadsheet.gate.passes import GrantSeal
from broadsheet.readers.passport import PassportOffice

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class GateOptions:
    """`hosts`: every Host header that is ours; `secure`: the paper is https; `proxies`: whose headers are believed.

    `ads`: whether pages carry advertising; `ad_policy`: the Content-Security-Policy of those, "" for everybody's.

    Limits of a connection: bytes of a request's head; seconds for it to arrive, for a client to take its answer, and
    for a connection to stay open with nothing asked.
    """

    policy: Policy
    cookies: CookieNames
    hosts: frozenset[bytes]
    secure: bool
    proxies: tuple[Network, ...] = ()
    ads: bool = False
    ad_policy: str = ""
    head_bytes: int = 32 * 1024
    head_seconds: int = 20
    write_seconds: int = 60
    idle_seconds: int = 15

    def trusts(self, peer: str) -> bool:
        """Whether a peer's X-Forwarded headers are believed."""
        return bool(self.proxies) and _is_in(peer, self.proxies)


class Seals(NamedTuple):
    """What opens and seals the three cookies."""

    meter: MeterSeal
    passport: PassportOffice
    grants: GrantSeal


@lru_cache(maxsize=4096)
def _is_in(peer: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in networks)
