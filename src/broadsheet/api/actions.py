"""The only writers of clients, and of what their tokens hang on: which device was let in, what was exchanged."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from broadsheet.api.adapters.hashers import SecretDigest
from broadsheet.api.models import Spent, Ticket
from broadsheet.api.queries import KINDS, SCOPES, ClientRow, client_row
from broadsheet.api.rules import refuses_redirect
from broadsheet.readers.actions import end_device_of, note_app, seen_device

SPENT_KEPT = timedelta(days=190)  # longer than a refresh token is good
REPEAT = timedelta(seconds=30)
_GRANTS = (Client.GrantType.AUTHORIZATION_CODE, Client.GrantType.REFRESH_TOKEN)
_MOST_RATE = 1_000_000


class ReusedError(Exception):
    """A code or token came a second time: somebody holds a copy."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What staff say of a client. `tv`: it may also sign in by a code on another screen; only without a secret."""

    name: str
    kind: str = "app"
    partner: str = ""
    public: bool = True
    tv: bool = False
    redirect_uris: Sequence[str] = ()
    logout_uris: Sequence[str] = ()
    scopes: Sequence[str] = ("openid",)
    rate: int = 0


def _checked(draft: Draft) -> None:
    """ValidationError, by field, of everything that is wrong."""
    wrong: dict[str, str] = {}
    if not draft.name.strip() or len(draft.name) > 100 or "<" in draft.name:  # noqa: PLR2004 - the column's length
        wrong["name"] = "Write a name of at most 100 letters, as readers know it."
    if draft.kind not in KINDS:
        wrong["kind"] = "Choose app or partner."
    if (draft.kind == "partner") != bool(draft.partner):
        wrong["partner"] = "A client of the kind partner names its partner, and only that."
    unknown = set(draft.scopes) - set(SCOPES)
    if unknown or not draft.scopes:
        wrong["scopes"] = f"Choose among {', '.join(SCOPES)}."
    if draft.tv and not draft.public:
        wrong["tv"] = "A television keeps no secret."
    if not draft.redirect_uris and not draft.tv:
        wrong["redirect_uris"] = "Write at least one address."
    for name in ("redirect_uris", "logout_uris"):
        for uri in getattr(draft, name):
            said = refuses_redirect(uri, public=draft.public)
            if said:
                wrong[name] = f"{uri}: {said}."
    if not 0 <= draft.rate <= _MOST_RATE:
        wrong["rate"] = "Write a number of requests a minute; 0 is what the options say."
    if wrong:
        raise ValidationError(wrong)


def _write(row: Client, draft: Draft) -> None:
    row.name = draft.name.strip()
    row.type = Client.Type.PUBLIC if draft.public else Client.Type.CONFIDENTIAL
    row.set_grant_types([*_GRANTS, *([Client.GrantType.DEVICE_CODE] if draft.tv else [])])
    row.set_response_types(["code"])
    row.set_scopes([scope for scope in SCOPES if scope in {"openid", *draft.scopes}])
    row.set_default_scopes(["openid"])
    row.set_redirect_uris(list(draft.redirect_uris))
    known = row.data if isinstance(row.data, dict) else {}
    row.data = {
        "kind": draft.kind,
        "partner": draft.partner,
        "rate": draft.rate,
        # Under it a partner knows our readers; a rotated secret of the installation must not make them strangers.
        "subject_key": known.get("subject_key") or secrets.token_hex(32),
    }
    row.set_post_logout_redirect_uris(list(draft.logout_uris))


@transaction.atomic
def add_client(*, draft: Draft, now: datetime) -> tuple[ClientRow, str]:
    """Register a client. Returns it and its secret, which is shown this once and stored as a digest; "" for a client
    that keeps none. ValidationError leaves everything as it was."""
    _checked(draft)
    row = Client(created_at=now)
    _write(row, draft)
    secret = secrets.token_urlsafe(32)
    row.secret = make_password(secret, hasher=SecretDigest.algorithm)
    row.save(force_insert=True)
    return client_row(row), "" if draft.public else secret


@transaction.atomic
def change_client(*, client_id: str, draft: Draft) -> ClientRow:
    """What it was handed stays good, but for scopes it may no longer have: those tokens end."""
    _checked(draft)
    row = Client.objects.select_for_update().get(pk=client_id)
    lost = set(row.get_scopes()) - {"openid", *draft.scopes}
    _write(row, draft)
    row.save()
    if lost:
        Token.objects.filter(client=row).delete()
    return client_row(row)


@transaction.atomic
def renew_secret(*, client_id: str) -> str:
    """A new secret in place of the old one, which is worth nothing from now on."""
    row = Client.objects.select_for_update().get(pk=client_id, type=Client.Type.CONFIDENTIAL)
    secret = secrets.token_urlsafe(32)
    row.secret = make_password(secret, hasher=SecretDigest.algorithm)
    row.save(update_fields=["secret"])
    return secret


@transaction.atomic
def remove_client(*, client_id: str) -> None:
    """End a client with everything it was handed."""
    Client.objects.filter(pk=client_id).delete()


def tie_tokens(*, values: Sequence[tuple[str, str]], device: str, now: datetime) -> str:
    """Let tokens just handed out, (kind, value), hang on a device: the one they were refreshed from, or a new one.
    Returns its key."""
    rows = [row for kind, value in values if (row := Token.objects.lookup(kind, value))]
    if not rows:
        return device
    first = rows[0]
    key = device or secrets.token_hex(16)
    for row in rows:
        row.data = {**(row.data or {}), "device": key}
    Token.objects.bulk_update(rows, ["data"])
    if not device and first.user_id is not None:
        note_app(reader_id=first.user_id, key=key, client=first.client_id or "", name=first.client.name, now=now)
    elif device:
        seen_device(key=device, now=now)
    return key


def spend(*, digest: str, device: str, asked: str, answer: str, now: datetime) -> None:
    """A code or refresh token was exchanged, for ever. ReusedError when another request was first: the caller's
    transaction must not commit."""
    try:
        with transaction.atomic():
            Spent.objects.create(digest=digest, device=device, asked=asked, answer=answer, at=now)
    except IntegrityError:
        raise ReusedError from None


def end_reused(*, digest: str) -> None:
    """What came of a copied code or token ends: whoever is honest signs in again, the other one cannot."""
    for row in Spent.objects.filter(digest=digest):
        end_device_of(key=row.device)


def purge(*, now: datetime) -> None:
    """Forget codes nobody came for, answers nobody may ask for again, and what could not be presented any more."""
    Ticket.objects.filter(expires_at__lt=timezone.now()).delete()
    Spent.objects.filter(at__lt=now - REPEAT).exclude(answer="").update(answer="")
    Spent.objects.filter(at__lt=now - SPENT_KEPT).delete()
    Token.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()
