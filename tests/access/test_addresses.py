"""Networks as an editor writes them: exact ones are kept as they are, anything else is refused with what would be right."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.access.addresses import first_overlap, overlap, parse_networks


def test_networks_and_lone_addresses_one_a_line():
    text = " 203.0.113.0/24 \r\n\n198.51.100.7\n2001:db8:7::/48\n2001:DB8:8::1\n"
    assert [str(network) for network in parse_networks(text)] == [
        "203.0.113.0/24",
        "198.51.100.7/32",
        "2001:db8:7::/48",
        "2001:db8:8::1/128",
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "at least one network"),
        (" \n\n", "at least one network"),
        ("0.0.0.0/0", "/8 is the widest"),
        ("::/0", "/20 is the widest"),
        ("16.0.0.0/7", "/8 is the widest"),
        ("2000::/19", "/20 is the widest"),
        ("203.0.113.9/24", "write 203.0.113.0/24 for the network, 203.0.113.9 for the one address"),
        ("2001:db8:7::1/48", "write 2001:db8:7::/48 for the network, 2001:db8:7::1 for the one address"),
        ("::ffff:203.0.113.9", "write 203.0.113.9"),
        ("::ffff:203.0.113.0/120", "write 203.0.113.0"),
        ("224.0.0.0/8", "no reader's address"),
        ("0.0.0.0", "no reader's address"),
        ("203.0.113.0/33", "is no network"),
        ("203.0.113.0/24, 198.51.100.0/24", "is no network"),
        ("203.0.113.*", "is no network"),
        ("campus.example", "is no network"),
        ("203.0.113.0/24\n203.0.113.128/25", "overlap: write the wider one alone"),
        ("203.0.113.0/24\n203.0.113.0/24", "overlap"),
        ("\n".join(f"10.{i // 256}.{i % 256}.1" for i in range(501)), "too many"),
    ],
)
def test_anything_else_is_refused_with_a_hint(text, hint):
    with pytest.raises(ValueError, match=re.escape(hint)):
        parse_networks(text)


@given(st.integers(0, 2**32 - 1), st.integers(8, 32), st.integers(0, 2**32 - 1), st.integers(8, 32))
def test_two_overlap_exactly_when_an_address_lies_in_both(one, long_one, other, long_other):
    first = ip_network((IPv4Address(one), long_one), strict=False)
    second = ip_network((IPv4Address(other), long_other), strict=False)
    shared = first.network_address in second or second.network_address in first
    assert overlap(first, second) == overlap(second, first) == shared
    assert (first_overlap([first], [second]) is not None) == shared


@given(st.integers(0, 2**128 - 1), st.integers(20, 128))
def test_what_is_kept_is_read_again_as_the_same(address, length):
    network = ip_network((IPv6Address(address), length), strict=False)
    try:
        kept = parse_networks(str(network))
    except ValueError:
        return
    assert kept == (network,)
    assert parse_networks("\n".join(str(one) for one in kept)) == kept


def test_the_two_families_never_overlap():
    assert not overlap(ip_network("10.0.0.0/8"), ip_network("::/20"))
