"""Where the files of editions lie: the storage "epaper", private, never below the site's own media."""

from __future__ import annotations

from django.core.files.storage import Storage, storages

INCOMING = "incoming"
QUARANTINE = "quarantine"


def storage() -> Storage:
    """The one storage of page pictures and PDFs; settings.STORAGES says what is behind it."""
    return storages["epaper"]


def picture_name(edition_id: int, number: int, width: int, key: str) -> str:
    """The name of a page's picture of one size."""
    return f"{edition_id}/{number:03d}-{width}-{key}.jpg"


def front_name(edition_id: int) -> str:
    """The name of the small front that anyone may see."""
    return f"{edition_id}/front.jpg"
