"""What a reader types on the order's page, checked; and what may be chosen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from babel.core import Locale
from django.http import HttpRequest, QueryDict

from broadsheet.payments.places import STATES, clean_gstin, clean_pin, state_named
from broadsheet.payments.queries import ProfileRow

INDIA = "IN"
_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})


@cache
def countries() -> tuple[tuple[str, str], ...]:
    """(code, name) of every country by its name, India first: most readers live there."""
    names = Locale("en").territories
    codes = [code for code in names if len(code) == len(INDIA) and code.isalpha() and code not in _NO_COUNTRY]
    rest = sorted(((code, names[code]) for code in codes if code != INDIA), key=lambda row: row[1])
    return ((INDIA, names[INDIA]), *rest)


def states() -> tuple[str, ...]:
    return tuple(sorted(STATES))


@dataclass(frozen=True, slots=True)
class Order:
    """The form as it was sent: cleaned where it could be, with a sentence for each field that is wrong."""

    country: str = INDIA
    state: str = ""
    pin: str = ""
    organisation: str = ""
    address: str = ""
    gstin: str = ""
    coupon: str = ""
    quantity: int = 1
    rail: str = ""
    seen: str = ""
    waive: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def firm(self) -> bool:
        return bool(self.organisation or self.gstin or self.address)

    @property
    def billed(self) -> dict[str, str]:
        """What goes into the reader's billing profile. What stood there before for another country is taken out."""
        names = ("country", "state", "pin", "organisation", "address", "gstin")
        return {name: getattr(self, name) for name in names}


def known(profile: ProfileRow, *, quantity: int, coupon: str) -> Order:
    """The form as it is opened: with what the reader told us before, and nothing chosen for them."""
    return Order(
        country=profile.country or INDIA,
        state=profile.state,
        pin=profile.pin,
        organisation=profile.organisation,
        address=profile.address,
        gstin=profile.gstin,
        coupon=coupon.strip()[:40],
        quantity=quantity,
    )


def sent(form: QueryDict) -> Order:
    """The form as it was sent. `errors` is empty when it can be billed."""
    text = {name: " ".join(form.get(name, "").split()) for name in ("state", "pin", "organisation", "address", "gstin")}
    errors: dict[str, str] = {}
    country = form.get("country", "").upper()
    if country not in dict(countries()):
        errors["country"] = "Choose your country."
    if country == INDIA:
        state = state_named(text["state"]) or ""
        if not state:
            errors["state"] = "Choose your State: the tax on your invoice depends on it."
        text["state"] = state
        text["pin"] = _cleaned("pin", text["pin"], errors)
        text["gstin"] = _cleaned("gstin", text["gstin"], errors, state) if text["gstin"] else ""
        if text["gstin"] and not text["organisation"]:
            errors["organisation"] = "Write the name the GSTIN is registered for."
    else:
        text |= {"state": "", "pin": "", "gstin": ""}
    try:
        quantity = int(form.get("quantity") or 1)
    except ValueError:
        quantity = 0
    return Order(
        country=country,
        state=text["state"],
        pin=text["pin"][:12],
        organisation=text["organisation"][:160],
        address=text["address"][:300],
        gstin=text["gstin"][:15],
        coupon=form.get("coupon", "").strip()[:40],
        quantity=quantity,
        rail=form.get("rail", ""),
        seen=form.get("seen", ""),
        waive=form.get("waive") == "1",
        errors=errors,
    )


def _cleaned(name: str, text: str, errors: dict[str, str], state: str = "") -> str:
    try:
        return clean_pin(text) if name == "pin" else clean_gstin(text, state)
    except ValueError as error:
        errors[name] = str(error)
        return text


def network(request: HttpRequest) -> str:
    """The address a consent came from, for its record."""
    return request.META.get("REMOTE_ADDR", "")
