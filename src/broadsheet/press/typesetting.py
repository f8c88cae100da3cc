"""The one template environment of the reader's pages. An undefined name is an error here, never a placeholder."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime, format_time
from django.conf import settings
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.filters import do_tojson

_PACKAGES = Path(__file__).parent.parent
_LOCALES = {"en": "en_IN", "hi": "hi_IN"}


def _locale(language: str) -> str:
    return _LOCALES.get(language, language)


def _local(instant: datetime) -> datetime:
    return instant.astimezone(settings.BROADSHEET.zone)


def longdate(instant: datetime, language: str = "en") -> str:
    """21 November 2026, 4:05 pm IST: absolute, because a printed page does not age."""
    local = _local(instant)
    day = format_date(local, "d MMMM y", locale=_locale(language))
    hour = format_time(local, "h:mm a", locale=_locale(language))
    zone = local.tzname()  # Babel names few zones shortly; IST is what readers here know
    return f"{day}, {hour} {zone}"


def shortdate(instant: datetime, language: str = "en") -> str:
    """21 Nov 2026"""
    return format_date(_local(instant), "d MMM y", locale=_locale(language))


def weekday(instant: datetime, language: str = "en") -> str:
    """Saturday, 21 November 2026"""
    return format_date(_local(instant), "EEEE, d MMMM y", locale=_locale(language))


def smarttime(instant: datetime, language: str = "en") -> str:
    """21 Nov, 4:05 pm"""
    return format_datetime(_local(instant), "d MMM, h:mm a", locale=_locale(language))


def isodate(instant: datetime) -> str:
    """RFC 3339 with the publisher's offset."""
    return _local(instant).isoformat(timespec="seconds")


_LABELS = {
    "hi": {
        "By": "लेखक:", "and": "और", "Published": "प्रकाशित", "Updated": "संशोधित",
        "Correction": "भूल-सुधार", "Source": "स्रोत", "Premium": "प्रीमियम",
        "Give this story": "यह ख़बर उपहार में दें", "Save this story": "यह ख़बर सहेजें",
        "Saved: your list": "सहेजी गई: आपकी सूची",
        "Advertisement": "विज्ञापन",
    },
}  # fmt: skip


def label(text: str, language: str = "en") -> str:
    """A short word of the page's own in the story's language; English where there is none."""
    return _LABELS.get(language, {}).get(text, text)


@lru_cache(maxsize=256)
def static(name: str) -> str:
    """The address of one of our own static files, with a digest of its content so that it may be cached for long."""
    package = name.split("/", 1)[0]
    path = _PACKAGES / package / "static" / name
    digest = hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()
    return f"{settings.STATIC_URL}{name}?v={digest}"


def asset_version() -> str:
    """A digest of every template and static file of the reader's pages: part of the edition."""
    digest = hashlib.blake2b(digest_size=8)
    for folder in ("templates", "static"):
        for path in sorted(_PACKAGES.glob(f"*/{folder}/**/*")):
            if path.is_file() and path.suffix in (".html", ".css", ".js", ".svg", ".xml"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def environment(**options: Any) -> Environment:
    """Jinja2 over the template folders of every package; Django's backend calls this with its own options."""
    options["loader"] = ChoiceLoader([FileSystemLoader(path) for path in sorted(_PACKAGES.glob("*/templates"))])
    options["undefined"] = StrictUndefined
    options["autoescape"] = True
    options["trim_blocks"] = options["lstrip_blocks"] = True
    options["auto_reload"] = False
    env = Environment(**options)  # noqa: S701 - autoescape is set above
    env.filters |= {
        "longdate": longdate,
        "shortdate": shortdate,
        "weekday": weekday,
        "smarttime": smarttime,
        "isodate": isodate,
        "tojson": do_tojson,
        "label": label,
    }
    env.globals |= {"static": static}
    return env


@lru_cache(maxsize=1)
def printing_environment() -> Environment:
    """The environment the press prints with; one for the life of the program."""
    return environment()


def render(template: str, **values: Any) -> str:
    return printing_environment().get_template(template).render(**values)
