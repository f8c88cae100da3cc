"""What a plan may include: one grant a product. And which of them work in this installation. Django-free.

`unlimited` and `premium` open stories and always work. Each of the others belongs to a package of its own, which says
whether it has anything to offer here; a plan card names a benefit exactly then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple


class Product(NamedTuple):
    """`benefit` is what a plan card says, `door` where readers find it, `seat` what an institution's screen says; ""
    where there is none."""

    code: str
    name: str
    benefit: str
    door: str = ""
    seat: str = ""


PRODUCTS = (
    Product(
        "unlimited",
        "Unlimited stories",
        "Every news story, without a monthly limit",
        seat="Metered and registered stories, without a limit",
    ),
    Product("premium", "Premium", "Premium analysis and investigations", seat="Premium stories"),
    Product("epaper", "E-paper", "The e-paper: read it, save it, share from it", "/epaper/"),
    Product("newsletters", "Newsletters", "Newsletters curated by our editors, in full", "/newsletters/"),
    Product("investor", "The Investor", "The Investor: charts, watch lists and your portfolio", "/investor/"),
    Product("archive", "Archive", "The archive, searchable back to the first year", "/archive/"),
    Product("partner", "Partner titles", "Complimentary access to our partner titles"),
    Product("ad_free", "Without advertising", "Reading without advertising"),
)
CODES = tuple(product.code for product in PRODUCTS)
_ALWAYS = frozenset({"unlimited", "premium"})
_works: dict[str, Callable[[], bool]] = {}


def connect_works(works: Mapping[str, Callable[[], bool]]) -> None:
    """Called once, by server/wiring.py: for each product whether it has anything to offer now. Asked whenever plans are
    shown, so the answer costs one step on an index at most."""
    unknown = set(works) - set(CODES)
    if unknown:
        raise ValueError(f"no such product: {', '.join(sorted(unknown))}")
    _works.clear()
    _works.update(works)


def opened(codes: Iterable[str]) -> tuple[Product, ...]:
    """Those of `codes` that work here, in their order."""
    held = frozenset(codes)
    return tuple(product for product in PRODUCTS if product.code in held.intersection(working()))


def doors() -> tuple[tuple[str, str], ...]:
    """(name, path) of what readers can walk to besides the sections."""
    here = working()
    return tuple((product.name, product.door) for product in PRODUCTS if product.door and product.code in here)


def working() -> tuple[str, ...]:
    """The products that work in this installation now, in order; one that nobody speaks for does not."""
    return tuple(code for code in CODES if code in _ALWAYS or (code in _works and _works[code]()))
