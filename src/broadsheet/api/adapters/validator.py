"""Where allauth's own questions of OAuth are answered more strictly, or as the installed oauthlib asks them.

allauth makes its validator by name and has no setting for it: `install()` puts ours in that place, once.
"""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.internal.oauthlib import authorization_codes, server
from allauth.idp.oidc.internal.oauthlib.request_validator import OAuthLibRequestValidator
from allauth.idp.oidc.models import Client, Token
from oauthlib.common import Request
from oauthlib.oauth2.rfc8628.grant_types import DeviceCodeGrant

from broadsheet.api.rules import is_redirect


class Validator(OAuthLibRequestValidator):
    def validate_redirect_uri(self, _client: str, redirect_uri: str, request: Request, *_: Any, **__: Any) -> bool:
        """Letter by letter; allauth lets parameters be added."""
        return is_redirect(redirect_uri, request.client.get_redirect_uris())

    def validate_device_code(self, _client: str, _code: str, request: Request, *_: Any, **__: Any) -> str | None:
        """allauth has looked the code up before (it was written for oauthlib 3, which did not ask this)."""
        if getattr(request, "user", None) is None:
            return None
        if request.scope is None:
            request.scopes = request.client.get_default_scopes()
        return str(DeviceCodeGrant.DEVICE_CODE_AUTHORIZED)

    def revoke_token(self, token: str, _hint: str, request: Request, *_: Any, **__: Any) -> None:
        """A client's own tokens alone (RFC 7009, 2.1); a hint is only a hint."""
        types = [Token.Type.ACCESS_TOKEN, Token.Type.REFRESH_TOKEN]
        Token.objects.by_value(token).filter(type__in=types, client_id=request.client.pk).delete()


def install() -> None:
    server.OAuthLibRequestValidator = Validator


def burn(client_id: str, code: str) -> None:
    """A code that came with a wrong proof is worth nothing any more."""
    authorization_codes.invalidate(client_id, code)


DEVICE_GRANT = Client.GrantType.DEVICE_CODE.value
