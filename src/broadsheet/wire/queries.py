"""What others see of the wire: frozen rows for the board, ids of what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from broadsheet.wire.models import RawMessage, WireVersion
from broadsheet.wire.rules import NOT_BY_HAND

PAGE = 50


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A version on the wire board."""

    id: int
    raw_id: int
    file_name: str
    source: str
    uri: str
    version: int
    headline: str
    status: str
    reasons: tuple[str, ...]
    received_at: datetime
    story_id: int | None
    publishable: bool


@dataclass(frozen=True, slots=True)
class RawRow:
    """A received file, without its bytes."""

    id: int
    file_name: str
    source: str
    size: int
    received_at: datetime
    deliveries: int
    state: str
    reason: str
    detail: str


def _board_row(version: WireVersion) -> BoardRow:
    return BoardRow(
        id=version.pk,
        raw_id=version.raw_id,
        file_name=version.raw.file_name,
        source=version.item.source,
        uri=version.item.uri,
        version=version.version,
        headline=version.headline,
        status=version.status,
        reasons=tuple(version.reasons),
        received_at=version.received_at,
        story_id=version.item.story_id,
        publishable=version.status == "held" and not NOT_BY_HAND & set(version.reasons) and bool(version.headline),
    )


def board(*, status: str | None = None, before: int | None = None, limit: int = PAGE) -> Sequence[BoardRow]:
    """Versions, newest first; `before` is the id of the last one seen."""
    rows = WireVersion.objects.select_related("item", "raw").defer("raw__content", "payload")
    if status:
        rows = rows.filter(status=status)
    if before:
        rows = rows.filter(pk__lt=before)
    return [_board_row(version) for version in rows.order_by("-pk")[:limit]]


def version_row(version_id: int) -> tuple[BoardRow, dict[str, Any]] | None:
    """One version with everything that was read of it; None when there is none."""
    version = WireVersion.objects.select_related("item", "raw").defer("raw__content").filter(pk=version_id).first()
    return (_board_row(version), version.payload) if version else None


def quarantine(*, before: int | None = None, limit: int = PAGE) -> Sequence[RawRow]:
    """Files nobody could read and nobody has rejected yet, newest first."""
    rows = RawMessage.objects.filter(state="failed").defer("content")
    if before:
        rows = rows.filter(pk__lt=before)
    return [_raw_row(raw) for raw in rows.order_by("-pk")[:limit]]


def _raw_row(raw: RawMessage) -> RawRow:
    return RawRow(
        raw.pk, raw.file_name, raw.source, raw.size, raw.received_at, raw.deliveries, raw.state, raw.reason, raw.detail
    )


def raw_file(raw_id: int) -> tuple[RawRow, bytes] | None:
    """A received file with its bytes; None when there is none."""
    raw = RawMessage.objects.filter(pk=raw_id).first()
    return (_raw_row(raw), bytes(raw.content)) if raw else None


def counts() -> dict[str, int]:
    """How much waits for a person: held versions and quarantined files."""
    return {
        "held": WireVersion.objects.filter(status="held").count(),
        "quarantined": RawMessage.objects.filter(state="failed").count(),
    }


def unread(*, received_before: datetime) -> Sequence[int]:
    """Ids of files that were stored and, after a crash, never read."""
    rows = RawMessage.objects.filter(state="new", received_at__lt=received_before)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:1000])


def embargoes_over(now: datetime) -> Sequence[int]:
    """Ids of held versions whose embargo has passed."""
    due = Q(status="held", embargoed_until__lte=now)
    return list(WireVersion.objects.filter(due).order_by("embargoed_until").values_list("pk", flat=True)[:1000])
