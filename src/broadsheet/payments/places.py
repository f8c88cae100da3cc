"""India's States and Union Territories with their GST codes, and the shapes of PIN codes and GSTINs. Pure.

The codes are those that begin a GSTIN and stand on returns; `96` is every place abroad there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

STATES: dict[str, str] = {
    "Andaman and Nicobar Islands": "35",
    "Andhra Pradesh": "37",
    "Arunachal Pradesh": "12",
    "Assam": "18",
    "Bihar": "10",
    "Chandigarh": "04",
    "Chhattisgarh": "22",
    "Dadra and Nagar Haveli and Daman and Diu": "26",
    "Delhi": "07",
    "Goa": "30",
    "Gujarat": "24",
    "Haryana": "06",
    "Himachal Pradesh": "02",
    "Jammu and Kashmir": "01",
    "Jharkhand": "20",
    "Karnataka": "29",
    "Kerala": "32",
    "Ladakh": "38",
    "Lakshadweep": "31",
    "Madhya Pradesh": "23",
    "Maharashtra": "27",
    "Manipur": "14",
    "Meghalaya": "17",
    "Mizoram": "15",
    "Nagaland": "13",
    "Odisha": "21",
    "Puducherry": "34",
    "Punjab": "03",
    "Rajasthan": "08",
    "Sikkim": "11",
    "Tamil Nadu": "33",
    "Telangana": "36",
    "Tripura": "16",
    "Uttar Pradesh": "09",
    "Uttarakhand": "05",
    "West Bengal": "19",
}
ABROAD = "96"
_BY_FOLDED = {name.casefold(): name for name in STATES}
_PIN = re.compile(r"[1-9][0-9]{5}")


def state_named(name: str) -> str | None:
    """The State's name as we write it, whatever case it came in; None when there is no such State."""
    return _BY_FOLDED.get(" ".join(name.split()).casefold().replace("&", "and"))


def state_code(place: str) -> str:
    """`Karnataka` -> `29`; two letters of another country -> `96`; anything else -> empty."""
    state = state_named(place)
    if state:
        return STATES[state]
    return ABROAD if len(place) == len("DE") and place.isalpha() and place != "IN" else ""


def clean_pin(text: str) -> str:
    """`560 001` -> `560001`. ValueError with a hint for what is no PIN code."""
    pin = text.replace(" ", "")
    if not _PIN.fullmatch(pin):
        raise ValueError("A PIN code has six digits, the first of them not 0.")
    return pin


def clean_gstin(text: str, state: str = "") -> str:
    """A GSTIN in capitals. ValueError with a hint when it is none, or when it is another State's than `state`."""
    from stdnum.in_ import gstin  # noqa: PLC0415 - gates read the options too, and need none of this

    try:
        made = str(gstin.validate(text))
    except gstin.ValidationError:
        raise ValueError("This is no GSTIN: it has 15 characters, the last of which is a check digit.") from None
    code = state_code(state)
    if code and code != ABROAD and made[:2] != code:
        raise ValueError(f"This GSTIN begins with {made[:2]}; one of {state_named(state)} begins with {code}.")
    return made


def profile_errors(fields: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with whom an invoice is to name, by field; empty when nothing is. In India the State is needed for
    every invoice of an online service; PIN code and GSTIN are checked when they are given."""
    if fields.get("country", "IN") != "IN":
        return {"gstin": "A GSTIN belongs to a place in India."} if fields.get("gstin") else {}
    wrong: dict[str, str] = {}
    state = fields.get("state", "")
    if state_named(state) is None:
        wrong["state"] = "Choose your State: it decides which tax is due."
    try:
        if fields.get("pin"):
            clean_pin(fields["pin"])
    except ValueError as error:
        wrong["pin"] = str(error)
    try:
        if fields.get("gstin"):
            clean_gstin(fields["gstin"], state)
    except ValueError as error:
        wrong["gstin"] = str(error)
    return wrong
