"""What the round of stories by the API needs: a client, and tokens of every class of reader and of every kind that is
worth nothing any more."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.apps import apps
from django.utils import timezone

from broadsheet.api.actions import Draft, add_client
from broadsheet.leakcheck.tokens import ACCOUNTS, CLOSED, EXPIRED, UNABLE, WORTHLESS
from broadsheet.readers.queries import reader_by_email


def fill(now: datetime) -> dict[str, str]:
    """A client, and a token for each class of readers and each kind of worthlessness: {whose: token}."""
    draft = Draft("leakcheck", redirect_uris=("https://app.example/back",), scopes=("openid", "stories", "saved"))
    client, _ = add_client(draft=draft, now=now)
    holds = dict(ACCOUNTS) | dict.fromkeys(WORTHLESS, "subscriber")
    closed = apps.get_model("readers", "Reader").objects.create(
        email="closed@readers.example", is_active=False, created_at=now
    )
    tokens = {}
    for whose, name in holds.items():
        found = reader_by_email(f"{name}@readers.example")
        value = hashlib.blake2b(f"leakcheck {whose}".encode(), digest_size=32).hexdigest()
        apps.get_model("allauth_idp_oidc", "Token").objects.create(
            type="at",
            hash=hashlib.sha256(value.encode()).hexdigest(),
            client_id=client.id,
            user_id=found.id if found and whose != CLOSED else closed.pk,
            expires_at=timezone.now() + timedelta(days=-1 if whose == EXPIRED else 1),
            scopes="openid" if whose == UNABLE else "openid\nstories\nsaved",
        )
        tokens[whose] = value
    return tokens
