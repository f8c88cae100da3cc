"""Bounces and complaints are written down once each and take effect."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from broadsheet.newsletters.actions import signups
from broadsheet.newsletters.models import Address, Issue, Report
from broadsheet.newsletters.queries import tokens
from broadsheet.newsletters.returns import read_returned
from broadsheet.newsletters.rules import normal_email

_KINDS = ("hard", "soft", "complaint")


def take_message(*, raw: bytes, now: datetime) -> str:
    """A bounce or complaint as a mail. Returns what it was: hard, soft, complaint, other, unknown or again."""
    found = read_returned(raw, tokens())
    address = Address.objects.filter(pk=found.named.address).first() if found.named else None
    issue = found.named.issue if found.named else 0
    kind = found.kind if address or found.kind == "other" else "unknown"
    return _take(
        hashlib.blake2b(raw, digest_size=16).hexdigest(), kind, address, now=now, words=found.words, issue=issue
    )


def take_event(*, event: dict[str, Any], now: datetime) -> str:
    """A provider's event: {"type": "hard|soft|complaint", "email": …, "id": …, "words": …}. ValueError when it is none.

    Its signature was checked: the address is believed.
    """
    kind, email = str(event["type"]), normal_email(str(event["email"]))
    if kind not in _KINDS:
        raise ValueError("type")
    # A provider's own id tells a repetition; without one the event is its own name.
    name = str(event["id"]) if "id" in event else json.dumps(event, sort_keys=True)
    digest = hashlib.blake2b(f"event {name}".encode(), digest_size=16).hexdigest()
    address = Address.objects.filter(email=email).first()
    return _take(digest, kind if address else "unknown", address, now=now, words=str(event.get("words", "")))


def _take(digest: str, kind: str, address: Address | None, *, now: datetime, words: str, issue: int = 0) -> str:
    known = issue if issue and Issue.objects.filter(pk=issue).exists() else None
    try:
        with transaction.atomic():
            Report.objects.create(digest=digest, at=now, kind=kind, address=address, issue_id=known, words=words[:300])
            if address is not None:
                _act(kind, address.pk, now)
    except IntegrityError:
        if Report.objects.filter(digest=digest).exists():
            return "again"
        raise
    return kind


def _act(kind: str, address_id: int, now: datetime) -> None:
    if kind == "hard":
        signups.suppress(address_id=address_id, why="bounce", now=now)
    elif kind == "complaint":
        signups.suppress(address_id=address_id, why="complaint", now=now)
    elif kind == "soft":
        signups.count_soft(address_id=address_id, now=now)
