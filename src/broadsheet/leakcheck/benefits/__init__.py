"""What plans include besides stories, in the scratch papers: a module for each package, which fills in hidden words and
names the addresses behind which they lie.

A module has one function, `fill(twin, now) -> Filled`, called in each twin's process with the paper's stories already
published and every reader of scratch.HOLDINGS in place. It writes by the package's own actions, under a clock that both
twins share, so that ids, times and addresses are the same in both and only hidden words differ (`hidden_words`). The
round (`trying`) then asks for each address as everybody: who may not have it must get the same bytes from both twins
and no hidden word; HOLDER, who has every product, must get the words named in `shows`, in an answer no cache keeps.

Each address is also planted: tests/leakcheck/test_plants.py sends every visitor what the holder gets, and each must be
found (run it with `-k visitors_get_it_too`); `broadsheet leakcheck` runs all rounds.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple

from broadsheet.leakcheck.stories import strange_words

MODULES: tuple[str, ...] = ("newsletters", "ads", "epaper", "partners", "archive", "markets")
"""Modules of this package, in the order in which they fill."""


class Address(NamedTuple):
    """`target`: path and query that `product` opens, the same in both twins. `shows`: the name of a hidden text that
    its holder must find there; "" for pictures and the like, whose bytes must differ between the twins instead.
    `owner`: the email of the one reader it belongs to, product or not; "" for every holder.
    """

    target: str
    product: str
    shows: str = ""
    owner: str = ""


class Filled(NamedTuple):
    """`hidden`: what nobody unentitled may see, by name."""

    hidden: Mapping[str, str]
    addresses: Sequence[Address]


def hidden_words(name: str, twin: str, count: int = 24) -> str:
    """`count` made-up words with canary tokens, of this name in this twin alone. Latin, lower case, in one line."""
    return strange_words(random.Random(f"benefit {name} {twin}"), f"benefit {name} {twin}", count)  # noqa: S311


def fill_all(twin: str, now: datetime) -> dict[str, Any]:
    """{"hidden": {name: text}, "addresses": [[target, product, shows, owner]]} of every module, as JSON values."""
    hidden: dict[str, str] = {}
    addresses: list[list[str]] = []
    for name in MODULES:
        filled: Filled = import_module(f"{__name__}.{name}").fill(twin, now)
        hidden |= {f"{name}: {key}": text for key, text in filled.hidden.items()}
        addresses += [
            [one.target, one.product, f"{name}: {one.shows}" if one.shows else "", one.owner]
            for one in filled.addresses
        ]
    return {"hidden": hidden, "addresses": addresses}
