"""Pure rules of who may ask how: redirects, challenges, scopes, rates, cursors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

_LOOPBACK = ("127.0.0.1", "::1")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+\Z")
_UNSEEN = re.compile(r"[\x00-\x20\x7f*]")


def is_redirect(asked: str, registered: Sequence[str]) -> bool:
    """Whether an answer may go to `asked`: letter by letter one that staff registered. The port of a program on the
    reader's own machine is free, as it cannot be known before (RFC 8252)."""
    return asked in registered or any(_same_but_port(asked, one) for one in registered)


def _same_but_port(asked: str, registered: str) -> bool:
    try:
        one, other = urlsplit(asked), urlsplit(registered)
        port = one.port
    except ValueError:
        return False
    if other.scheme != "http" or other.hostname not in _LOOPBACK:
        return False
    host = f"[{other.hostname}]" if ":" in str(other.hostname) else other.hostname
    return one.netloc == (host if port is None else f"{host}:{port}") and one[2:] == other[2:] and one.scheme == "http"


def refuses_redirect(uri: str, *, public: bool) -> str:
    """Why `uri` cannot be registered; "" when it can. `public`: the client keeps no secret."""
    if not uri or len(uri) > 500 or _UNSEEN.search(uri):  # noqa: PLR2004 - a column's length
        return "write one address a line, without spaces or *"
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "this is not an address"
    if parts.fragment or "#" in uri:
        return "an address to come back to has no #"
    if parts.username or parts.password:
        return "an address to come back to names nobody"
    if parts.scheme == "https":
        return "" if parts.hostname else "this address names no host"
    if parts.scheme == "http":
        return "" if parts.hostname in _LOOPBACK else "over http only 127.0.0.1 and [::1] may be named"
    if not public:
        return "a client with a secret comes back over https"
    if _PRIVATE_SCHEME.match(parts.scheme):
        return ""
    return "a scheme of the app's own is its domain turned round, such as in.example.app:/callback"


def refuses_challenge(asked: Mapping[str, str], *, public: bool) -> str:
    """Why the proof of a client's possession (PKCE) will not do; "" when it will."""
    challenge = asked.get("code_challenge", "")
    if not challenge:
        return "code_challenge is missing" if public else ""
    if asked.get("code_challenge_method") != "S256":
        return "code_challenge_method must be S256"
    return "" if _CHALLENGE.match(challenge) else "code_challenge must be 43 letters of base64url"


def with_query(uri: str, more: Mapping[str, str]) -> str:
    """`uri` with these parameters behind its own."""
    parts = urlsplit(uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *more.items()])
    return parts._replace(query=query).geturl()


def form_target(uri: str) -> str:
    """What a page's policy must allow so that a form of it may lead to `uri`: an origin, or an app's own scheme."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def place_words(uri: str) -> str:
    """Where an answer goes, as a reader can check it."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return "the app on this device"
    return "a program on this device" if parts.hostname in _LOOPBACK else str(parts.hostname)
