"""Builds the gate from the options alone, before Django is imported: printed pages are served from the first moment.

Django-free.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from broadsheet import clock
from broadsheet.access.adapters.valkey import ValkeyBook
from broadsheet.access.book import Book
from broadsheet.access.local_book import LocalBook
from broadsheet.access.meter import meter_seal
from broadsheet.access.records import RecordBook
from broadsheet.access.rules import policy_of
from broadsheet.gate.ads import ad_policy
from broadsheet.gate.app import Gate
from broadsheet.gate.asked import CookieNames
from broadsheet.gate.options import GateOptions, Seals
from broadsheet.gate.passes import GrantSeal
from broadsheet.gate.recorder import Recorder
from broadsheet.gate.shelf import MEGABYTE, Shelf
from broadsheet.ids import derive_key
from broadsheet.press.store import open_stores
from broadsheet.readers.passport import PassportOffice


def own_hosts(options: Any) -> frozenset[bytes]:
    """Every Host header that is this paper's: its public host, and the loopback names while that is one of them."""
    host = options.public_host
    names = {host}
    if host.split(":")[0] in ("localhost", "127.0.0.1", "[::1]") or host.startswith("[::1]"):
        names |= {f"{name}:{options.port}" for name in ("localhost", "127.0.0.1", "[::1]")}
    default = ":443" if options.https else ":80"
    names |= {name.removesuffix(default) for name in names} | {name + default for name in names if ":" not in name}
    return frozenset(name.lower().encode() for name in names)


def passport_office(options: Any, secret: bytes, *older: bytes) -> PassportOffice:
    return PassportOffice([derive_key(one, "passport") for one in (secret, *older)], options.public_host)


def open_book(options: Any, *, sole: bool = False) -> Book:
    """Who counts visitors' reads in this installation. `sole`: here, and nowhere else on this machine."""
    if options.valkey_url:
        return ValkeyBook(options.valkey_url, zone=options.zone, budget=options.meter_budget)
    return LocalBook(
        options.data / "meter",
        limit=options.free_limit,
        zone=options.zone,
        budget=options.meter_budget,
        sole=sole,
    )


def build_gate(options: Any, secret: bytes, *older: bytes) -> Gate:
    """The gate of this installation, with the last known edition of its printed pages. `secret` seals and so do none of
    the `older` ones, which still open."""
    stores = open_stores(options.data / "press")
    gate_options = GateOptions(
        policy=policy_of(options),
        cookies=CookieNames.for_site(https=options.https),
        hosts=own_hosts(options),
        secure=options.https,
        proxies=tuple(ip_network(name, strict=False) for name in options.trusted_proxies),
        ads=options.ads,
        ad_policy=ad_policy(options.ads_tag_manager, options.ads_tag_hosts),
    )
    seals = Seals(
        meter_seal(secret, options.public_host, *older),
        passport_office(options, secret, *older),
        GrantSeal([derive_key(one, "grants") for one in (secret, *older)], options.public_host),
    )
    records = RecordBook(options.data / "decisions") if options.decision_days else None
    return Gate(
        gate_options,
        Shelf(stores, options.gate_memory * MEGABYTE),
        seals,
        book=open_book(options, sole=options.gate_workers == 1),
        recorder=Recorder((secret, *older)[-1], records),
        now=clock.now,
    )
