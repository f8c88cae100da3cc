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

from broadsheet import clock
from broadsheet.api.queries import SCOPES, entitlements

SIGNED = ("openid", "profile", "email", "entitlements")


class Provider(DefaultOIDCAdapter):
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
            claims["entitlements"] = [right.product for right in entitlements(user.pk, clock.now())]
        return claims

    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        """What allauth could do and no client here may is left out."""
        data |= {
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "claims_supported": ["sub", "email", "email_verified", "name", "entitlements"],
            "prompt_values_supported": ["none", "login", "consent"],
            "service_documentation": f"{settings.BROADSHEET.public_url}/api/",
        }  # fmt: skip
