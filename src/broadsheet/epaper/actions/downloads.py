"""The PDF that readers may download: one file, with a place on each page for the reader's name."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from broadsheet.epaper import files
from broadsheet.epaper.adapters.pdf import environment
from broadsheet.epaper.models import Edition

SECONDS = 180.0
MOST_BYTES = 200_000_000


def prepare_imported(*, edition_id: int) -> bool:
    """As prepare(), of the files that the edition was imported from. A page from which something was withdrawn is only
    its picture there: words cannot be taken out of the press's page for certain."""
    edition = Edition.objects.get(pk=edition_id)
    parts = (
        edition.intakes.filter(outcome__in=["waiting", "imported"]).order_by("part").values_list("stored", flat=True)
    )
    touched = edition.pages.filter(areas__kind="withdrawn").distinct()
    pictures = {
        page.number: files.picture_name(edition_id, page.number, page.images[-1][0], page.picture_key)
        for page in touched
        if page.images
    }
    return prepare(edition_id=edition_id, parts=list(parts), pictures=pictures)


def prepare(*, edition_id: int, parts: Sequence[str], pictures: Mapping[int, str] | None = None) -> bool:
    """Join the stored parts into the edition's PDF and note where a name goes; `pictures` stand in for whole pages.
    False when that cannot be done: then there is nothing to download, and the edition's notes say why."""
    with TemporaryDirectory(prefix="edition-") as folder, ExitStack() as stack:
        paths = [stack.enter_context(files.local(name)) for name in parts]
        instead = {number: stack.enter_context(files.local(name)) for number, name in (pictures or {}).items()}
        target = Path(folder) / "edition.pdf"
        places, reason = _run(target, paths, instead)
        if reason:
            _note(edition_id, f"There is no PDF to download: {reason}")
            return False
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        size = target.stat().st_size
        name = f"{edition_id}/edition-{digest[:12]}.pdf"
        files.replace(name, target)
    with transaction.atomic():
        edition = Edition.objects.select_for_update().get(pk=edition_id)
        old = edition.pdf_name
        edition.pdf_name, edition.pdf_sha256, edition.pdf_bytes, edition.mark_places = name, digest, size, places
        edition.save(update_fields=["pdf_name", "pdf_sha256", "pdf_bytes", "mark_places"])
    if old and old != name:
        files.delete(old)
    return True


def _run(target: Path, paths: Sequence[Path], instead: Mapping[int, Path]) -> tuple[list[list[int]], str]:
    if sum(path.stat().st_size for path in paths) > MOST_BYTES:
        return [], f"the files are larger than {MOST_BYTES // 1_000_000} megabytes together."
    command = [sys.executable, "-m", "broadsheet.epaper.adapters.mark_child", str(target), *map(str, paths)]
    command += [f"{number}={path}" for number, path in instead.items()]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, env=environment(), check=False)  # noqa: S603 - this program itself
        said = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return [], f"it took more than {SECONDS:.0f} seconds."
    except ValueError:
        return [], "the program that prepares it ended early."
    return said.get("places", []), said.get("failed", "")


@transaction.atomic
def take_away(*, edition_id: int) -> None:
    """No more downloads of what stands there: something in it was withdrawn."""
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    name = edition.pdf_name
    edition.pdf_name, edition.pdf_sha256, edition.pdf_bytes, edition.mark_places = "", "", 0, []
    edition.save(update_fields=["pdf_name", "pdf_sha256", "pdf_bytes", "mark_places"])
    transaction.on_commit(lambda: files.delete(name))


@transaction.atomic
def _note(edition_id: int, note: str) -> None:
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    edition.notes = [*edition.notes, note][:40]
    edition.save(update_fields=["notes"])
