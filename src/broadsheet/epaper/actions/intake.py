"""The press's files are taken in: stored first, then looked at; what cannot be read is put aside with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.core.files import File
from django.db import transaction

from broadsheet.bus.actions import emit
from broadsheet.epaper import files
from broadsheet.epaper.adapters import pdf
from broadsheet.epaper.events import EditionReceived
from broadsheet.epaper.models import Edition, Intake

MOST_BYTES = 400_000_000
MOST_PAGES = 200
MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a file: `outcome` is received, duplicate or quarantined (then with a reason)."""

    name: str
    outcome: str
    pages: int = 0
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """The edition that the files are parts of, None when one of them was put aside, and what became of each."""

    edition_id: int | None
    files: tuple[Received, ...]
    fresh: bool = False


def receive(
    *, paths: Sequence[Path], day: date, city: str = "", title: str = "", language: str = "en", now: datetime
) -> Taken:
    """Take in an edition: one PDF, or a file a page in the order given. All or nothing; the same bytes again change
    nothing. Its pages are made by pages.make_pages(), which the event EditionReceived asks for."""
    looked = [_look(path) for path in paths[:MOST_FILES]]
    if not looked:
        raise ValueError("There is no file.")
    pages = sum(seen.pages for seen in looked)
    if pages > MOST_PAGES:
        looked = [_Seen(s.path, s.sha256, s.bytes, 0, "too_many_pages", f"{pages} pages") for s in looked]
    if any(seen.reason for seen in looked):
        return Taken(None, tuple(_put_aside(seen, now) for seen in looked))
    standing = Edition.objects.filter(date=day, city=city).first()
    if standing and _same(standing, looked):
        return Taken(standing.pk, tuple(Received(seen.path.name, "duplicate", seen.pages) for seen in looked))
    edition = _open_edition(day, city, title, language, now)
    stored = [_store(edition.pk, place, seen) for place, seen in enumerate(looked, 1)]
    _enter(edition, looked, stored, pages, now)
    return Taken(edition.pk, tuple(Received(seen.path.name, "received", seen.pages) for seen in looked), fresh=True)


@dataclass(frozen=True, slots=True)
class _Seen:
    path: Path
    sha256: str
    bytes: int
    pages: int
    reason: str = ""
    detail: str = ""


def _look(path: Path) -> _Seen:
    size = path.stat().st_size
    if size > MOST_BYTES:
        return _Seen(path, "", size, 0, "too_large", f"{size // 1_000_000} megabytes")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if not size:
        return _Seen(path, sha256, size, 0, "empty")
    probed = pdf.probe(path)
    return _Seen(path, sha256, size, probed.pages, probed.refused, probed.detail)


def _same(edition: Edition, looked: Sequence[_Seen]) -> bool:
    rows = edition.intakes.filter(outcome__in=["waiting", "imported"]).order_by("part")
    return edition.state != "withdrawn" and list(rows.values_list("sha256", flat=True)) == [s.sha256 for s in looked]


def _put_aside(seen: _Seen, now: datetime) -> Received:
    """Keep a file that cannot be used, with its reason, once; one that is only in bad company is merely named."""
    if not seen.reason:
        return Received(seen.path.name, "not_taken", seen.pages, "another_file_of_the_edition_was_refused")
    known = Intake.objects.filter(sha256=seen.sha256, outcome="quarantined", reason=seen.reason).exists()
    if not known:
        stored = f"{files.QUARANTINE}/{seen.sha256[:24] or 'large'}.pdf"
        if seen.bytes <= MOST_BYTES:
            files.replace(stored, seen.path)
        Intake.objects.create(
            name=seen.path.name[:200],
            stored=stored if seen.bytes <= MOST_BYTES else "",
            sha256=seen.sha256,
            bytes=seen.bytes,
            received_at=now,
            outcome="quarantined",
            reason=seen.reason,
            detail=seen.detail[:300],
        )
    return Received(seen.path.name, "quarantined", 0, seen.reason, seen.detail)


def _open_edition(day: date, city: str, title: str, language: str, now: datetime) -> Edition:
    edition, _ = Edition.objects.get_or_create(
        date=day,
        city=city,
        defaults={"kind": "imported", "title": title, "language": language, "created_at": now},
    )
    return edition


def _store(edition_id: int, place: int, seen: _Seen) -> str:
    name = f"{edition_id}/source-{place:03d}-{seen.sha256[:12]}.pdf"
    if not files.storage().exists(name):
        with seen.path.open("rb") as file:
            files.storage().save(name, File(file))
    return name


@transaction.atomic
def _enter(edition: Edition, looked: Sequence[_Seen], stored: Sequence[str], pages: int, now: datetime) -> None:
    edition = Edition.objects.select_for_update().get(pk=edition.pk)
    edition.intakes.filter(outcome__in=["waiting", "imported"]).update(outcome="replaced")
    Intake.objects.bulk_create(
        Intake(
            edition=edition, part=place, name=seen.path.name[:200], stored=name, sha256=seen.sha256, bytes=seen.bytes,
            pages=seen.pages, received_at=now,
        )
        for place, (seen, name) in enumerate(zip(looked, stored, strict=True), 1)
    )  # fmt: skip
    edition.kind, edition.state, edition.reason = "imported", "processing", ""
    edition.pages_total, edition.finished_at, edition.leased_until = pages, None, None
    edition.save()
    emit(EditionReceived(edition.pk))
