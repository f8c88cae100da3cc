"""What other apps may know of a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from broadsheet.ids import keyed_digest
from broadsheet.readers.models import Device, Reader, SavedStory

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


def session_digest(session_key: str) -> str:
    """How a passport names its session without being able to open it."""
    return keyed_digest(settings.BROADSHEET_SECRET, "session", session_key.encode(), 8).hex()


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """`client`: the app's id, "" for a browser; `here`: it is the one that asks."""

    id: int
    name: str
    client: str
    first_day: date
    last_day: date
    here: bool = False


def devices_of(reader_id: int, *, here: str = "") -> Sequence[DeviceRow]:
    """Where the reader is signed in now, the most recently seen first. `here`: the key of the session that asks."""
    rows = Device.objects.filter(reader_id=reader_id).order_by("-last_day", "-id")
    live = live_keys(reader_id, rows)
    return [
        DeviceRow(row.pk, row.name, row.client, row.first_day, row.last_day, row.key == here)
        for row in rows
        if row.key in live
    ]


def live_keys(reader_id: int, rows: QuerySet[Device]) -> frozenset[str]:
    """The keys of those devices whose session runs, or that hold a token."""
    browsers = [row.key for row in rows if row.kind == Device.Kind.BROWSER]
    # Sessions and tokens end by the machine's clock, which Django and allauth read.
    sessions = apps.get_model("sessions", "Session").objects.filter(
        session_key__in=browsers, expire_date__gt=timezone.now()
    )
    tokens = apps.get_model("allauth_idp_oidc", "Token").objects.valid().filter(user_id=reader_id)
    named = (data.get("device", "") for data in tokens.values_list("data", flat=True) if data)
    return frozenset([*sessions.values_list("session_key", flat=True), *named])


@dataclass(frozen=True, slots=True)
class SavedRow:
    """`id` orders the list and pages through it."""

    id: int
    story: int
    saved_at: datetime


def saved_stories(reader_id: int, limit: int, *, before: int | None = None) -> Sequence[SavedRow]:
    """What the reader put aside, the newest first; `before` is the id of the last one seen."""
    rows = SavedStory.objects.filter(reader_id=reader_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [SavedRow(row.pk, row.story_id, row.saved_at) for row in rows.order_by("-id")[:limit]]


def has_saved(reader_id: int, story_id: int) -> bool:
    return SavedStory.objects.filter(reader_id=reader_id, story_id=story_id).exists()
