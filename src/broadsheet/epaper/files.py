"""Where the files of editions lie: the storage "epaper", private, never below the site's own media."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.files import File
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


def clip_name(clip_id: int, part: int) -> str:
    """The name of what was cut out of a page for a clipping."""
    return f"clips/{clip_id}-{part}.jpg"


def replace(name: str, path: Path) -> None:
    """Put a local file into the storage under exactly this name."""
    delete(name)
    with path.open("rb") as file:
        storage().save(name, File(file))


def delete(name: str) -> None:
    """Take a file out of the storage; one that is not there is no error."""
    if name and storage().exists(name):
        storage().delete(name)


@contextmanager
def local(name: str) -> Iterator[Path]:
    """A file of the storage as a file of this machine, for a program that reads files."""
    try:
        path = storage().path(name)
    except NotImplementedError:
        with NamedTemporaryFile(suffix=Path(name).suffix) as copy, storage().open(name) as source:
            shutil.copyfileobj(source, copy)
            copy.flush()
            yield Path(copy.name)
    else:
        yield Path(path)
