"""What other apps may know of a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower

from broadsheet.readers.models import Reader

_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class ReaderCard:
    id: int
    email: str
    name: str
    staff: bool
    verified: bool
    epoch: int


def _card(reader: Reader) -> ReaderCard:
    return ReaderCard(
        reader.pk, reader.email, reader.name, reader.is_staff, reader.verified_at is not None, reader.epoch
    )


def reader(reader_id: int) -> ReaderCard | None:
    row = Reader.objects.filter(pk=reader_id, is_active=True).first()
    return _card(row) if row else None


def reader_by_email(email: str) -> ReaderCard | None:
    row = Reader.objects.filter(email=email.strip().lower(), is_active=True).first()
    return _card(row) if row else None


def administrators() -> list[str]:
    """The addresses of those who run the paper: who hears of what concerns it as a whole."""
    return list(Reader.objects.filter(is_superuser=True, is_active=True).order_by("id").values_list("email", flat=True))


def readers_by_ids(ids: Sequence[int]) -> Mapping[int, ReaderCard]:
    """Cards of these readers, closed accounts too: whose a document is does not change."""
    return {row.pk: _card(row) for row in Reader.objects.filter(pk__in=ids)}


def readers_by_emails(emails: Sequence[str]) -> Mapping[str, tuple[int, bool]]:
    """(id, whether it is open) of the accounts of these addresses (lower case), by address."""
    rows = Reader.objects.filter(email__in=emails).values_list("email", "pk", "is_active")
    return {email: (pk, active) for email, pk, active in rows}


def readers_by_prefix(text: str, limit: int) -> Mapping[str, Sequence[ReaderCard]]:
    """Readers whose address (`email`) or name (`name`) begins with `text`, in whatever case; each at most `limit`."""
    plain = text.strip().lower()
    if not plain:
        return {}
    found = {"email": [_card(row) for row in _beginning(Reader.objects.all(), "email", plain)[:limit]]}
    if "@" not in plain:
        named = Reader.objects.exclude(name="").annotate(folded=Lower("name"))
        found["name"] = [_card(row) for row in _beginning(named, "folded", plain)[:limit]]
    return found


def _beginning(rows: QuerySet[Reader], field: str, text: str) -> QuerySet[Reader]:
    """By the field's index: PostgreSQL has one of patterns, SQLite takes a range of its plain one."""
    if connection.vendor == "postgresql":
        return rows.filter(**{f"{field}__startswith": text}).order_by(field)
    return rows.filter(**{f"{field}__gte": text, f"{field}__lt": text + _LAST}).order_by(field)
