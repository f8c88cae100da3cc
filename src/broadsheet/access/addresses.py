"""The networks of an institution, as somebody writes them down and as they are compared. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
# Wider than this is no campus: it is a provider's whole range, and its neighbours would read along.
_WIDEST = {4: 8, 6: 20}
MOST_NETWORKS = 500


def parse_networks(text: str) -> tuple[Network, ...]:
    """Exact IPv4 and IPv6 networks, one a line; a lone address is a network of one.

    ValueError names the line that cannot be used and says what would be right. Empty lines are left out.
    """
    found: list[Network] = []
    for line in text.split("\n"):
        if line.strip():
            network = _network(line.strip())
            inside = next((other for other in found if overlap(network, other)), None)
            if inside is not None:
                raise ValueError(f"{network} and {inside} overlap: write the wider one alone.")
            found.append(network)
    if not found:
        raise ValueError("Write at least one network, such as 203.0.113.0/24 or 2001:db8:7::/48.")
    if len(found) > MOST_NETWORKS:
        raise ValueError(f"{len(found)} networks are too many: {MOST_NETWORKS} at most.")
    return tuple(found)


def _network(line: str) -> Network:
    try:
        network = ip_network(line, strict=False)
    except ValueError:
        raise ValueError(f"{line} is no network: write it as 203.0.113.0/24, 2001:db8:7::/48 or 203.0.113.9.") from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None:
        raise ValueError(f"{line} is an IPv4 address in IPv6 clothes: write {mapped}.")
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError(f"{line} is too wide: /{_WIDEST[network.version]} is the widest network that can be lent to.")
    address = line.partition("/")[0]
    if ip_address(address) != network.network_address:
        raise ValueError(f"{line} has host bits set: write {network} for the network, {address} for the one address.")
    if network.is_multicast or network.network_address.is_unspecified:
        raise ValueError(f"{line} holds no reader's address.")
    return network


def overlap(one: Network, other: Network) -> bool:
    """Whether an address can lie in both."""
    return one.version == other.version and one.overlaps(other)  # type: ignore[arg-type] - of the same version


def first_overlap(here: Sequence[Network], there: Sequence[Network]) -> tuple[Network, Network] | None:
    """A pair of networks, one of each, that share an address."""
    return next(((one, other) for one in here for other in there if overlap(one, other)), None)
