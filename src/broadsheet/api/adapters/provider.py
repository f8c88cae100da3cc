"""What the paper says of a reader to an app, and with which keys it signs. Nothing is cached: rights end by
themselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.internal.private_keys import filter_keys
from allauth.idp.oidc.models import PrivateKey
from django.conf import settings
from django.contrib.auth import get_user_model

from broadsheet import clock
from broadsheet.api.queries import SCOPES, client_row, entitled_to
from broadsheet.api.subjects import reader_of, subject_of


class Provider(DefaultOIDCAdapter):
    def get_user_sub(self, client: Any, user: Any) -> str:
        """The account's number for the paper's own apps; for each partner a name that is only its own."""
        key = _subject_key(client)
        return subject_of(user.pk, key) if key else str(user.pk)

    def get_user_by_sub(self, client: Any, sub: str) -> Any:
        key = _subject_key(client)
        number = reader_of(sub, key) if key else int(sub) if sub.isascii() and sub.isdecimal() else None
        return get_user_model().objects.filter(pk=number, is_active=True).first() if number else None

    def get_issuer(self) -> str:
        return str(settings.BROADSHEET.public_url)

    def list_private_keys(
        self, *, did_activate: Literal[True] | None = None, is_active: Literal[True] | None = None
    ) -> list[PrivateKey]:
        keys = [
            PrivateKey(pem=pem, issued_at=datetime.fromisoformat(made))
            for made, pem in settings.BROADSHEET_SIGNING_KEYS()
        ]
        return filter_keys(keys, did_activate=did_activate, is_active=is_active)

    def get_claims(
        self,
        purpose: Literal["id_token", "userinfo"],  # noqa: ARG002 - allauth's
        user: Any,
        client: Any,
        scopes: Iterable[str],
        email: str | None = None,  # noqa: ARG002 - a reader has one address
        **kwargs: Any,  # noqa: ARG002 - allauth's
    ) -> dict[str, Any]:
        claims: dict[str, Any] = {"sub": self.get_user_sub(client, user)}
        if "email" in scopes:
            claims |= {"email": user.email, "email_verified": user.verified_at is not None}
        if "profile" in scopes and user.name:
            claims["name"] = user.name
        if "entitlements" in scopes:
            claims["entitlements"] = entitled_to(client_row(client), user.pk, clock.now())
        return claims

    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        """What allauth could do and no client here may is left out."""
        data |= {
            "scopes_supported": list(SCOPES),
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "claims_supported": ["sub", "email", "email_verified", "name", "entitlements"],
            "prompt_values_supported": ["none", "login", "consent"],
            "service_documentation": f"{settings.BROADSHEET.public_url}/api/",
        }  # fmt: skip


def _subject_key(client: Any) -> bytes:
    """The key under which a partner knows our readers; none for the paper's own apps."""
    data = client.data if isinstance(client.data, dict) else {}
    return bytes.fromhex(data.get("subject_key", "")) if data.get("kind") == "partner" else b""
