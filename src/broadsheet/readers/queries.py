"""What other apps may know of a reader."""

from __future__ import annotations

from dataclasses import dataclass

from broadsheet.readers.models import Reader


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
