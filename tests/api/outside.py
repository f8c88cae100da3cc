"""An outside app: Authlib, an OpenID client that is not ours, talking to the paper over `requests`."""

from __future__ import annotations

import re
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from django.test import Client as Browser

from broadsheet import clock
from broadsheet.api.actions import Draft, add_client

HOST = "http://localhost:8000"
BACK = "https://app.example/callback"
ALL = ("openid", "email", "profile", "entitlements", "stories", "epaper", "saved")


class InProcess(requests.adapters.BaseAdapter):
    """Carries `requests`' requests to Django's handler instead of a socket."""

    def send(self, request, **kwargs):
        parts = urlsplit(request.url)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("content-type", "content-length")}
        answer = Browser(enforce_csrf_checks=True).generic(
            request.method,
            parts.path + (f"?{parts.query}" if parts.query else ""),
            request.body or b"",
            request.headers.get("Content-Type", "application/octet-stream"),
            headers=headers,
        )
        response = requests.Response()
        response.status_code, response.request, response.url = answer.status_code, request, request.url
        response.headers.update(answer.headers)
        response.raw = BytesIO(b"".join(answer) if answer.streaming else answer.content)
        return response

    def close(self):
        pass


def app(**fields) -> tuple[str, str]:
    """A registered client: (id, secret)."""
    draft = Draft(**{"name": "Broadsheet for Android", "redirect_uris": [BACK], "scopes": ALL, **fields})
    row, secret = add_client(draft=draft, now=clock.now())
    return row.id, secret


def session(client_id: str, secret: str = "", *, live: str = "", **fields) -> OAuth2Session:
    made = OAuth2Session(
        client_id,
        secret or None,
        scope=fields.pop("scope", " ".join(ALL)),
        redirect_uri=fields.pop("redirect_uri", BACK),
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        token_endpoint=f"{live or HOST}/oauth/token",
        **fields,
    )
    if not live:
        made.mount("http://", InProcess())
    return made


def browser(reader) -> Browser:
    made = Browser(headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
    made.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    return made


def authorize_url(oauth: OAuth2Session, verifier: str, **more) -> str:
    url, _ = oauth.create_authorization_url("/oauth/authorize", code_verifier=verifier, **more)
    return url


def consent(who: Browser, url: str, *, scopes=None, action: str = "grant") -> str:
    """Where the app is sent back to, after the reader has seen the page and pressed a button."""
    page = who.get(url)
    assert page.status_code == 200, (page.status_code, page.headers.get("Location"), page.content[-600:])
    text = page.content.decode()
    signed = re.search(r'name="request" value="([^"]+)"', text).group(1).replace("&quot;", '"')
    offered = re.findall(r'name="scopes" value="(\w+)"', text)
    answer = who.post(url, {"request": signed, "scopes": offered if scopes is None else scopes, "action": action})
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    return answer.headers["Location"]


def signed_in(oauth: OAuth2Session, who: Browser, **more) -> dict:
    """The tokens of a whole signing in."""
    verifier = generate_token(48)
    back = consent(who, authorize_url(oauth, verifier, **more))
    return oauth.fetch_token(authorization_response=back, code_verifier=verifier)


def code_of(back: str) -> str:
    return parse_qs(urlsplit(back).query)["code"][0]
