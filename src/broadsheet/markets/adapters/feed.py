"""Fetches a feed of prices: one address the publisher has chosen, with limits on everything.

A redirect is followed to public addresses alone, and the token goes to the first address only: a feed that was taken
over must not make this machine ask its neighbours.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

LARGEST = 20 * 1024 * 1024
CONNECT_TIMEOUT = 10.0
WHOLE_TIMEOUT = 60.0
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)


class FeedError(Exception):
    """The feed could not be had; the message says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class _Target:
    parts: SplitResult
    host: str
    port: int
    address: str


def fetch(url: str, key: str = "") -> bytes:
    """The feed's bytes. Raises FeedError: no answer in time, another status than 200, too large, a redirect inwards."""
    ends = time.monotonic() + WHOLE_TIMEOUT
    target = _target(url, inside=True)
    for _ in range(_MOST_REDIRECTS + 1):
        status, location, body = _ask(target, key, ends)
        if status == http.HTTPStatus.OK:
            return body
        if status not in _REDIRECTS or not location:
            raise FeedError(f"{target.host} answered with status {status}")
        following = _target(urljoin(target.parts.geturl(), location), inside=False)
        if target.parts.scheme == "https" and following.parts.scheme != "https":
            raise FeedError(f"{target.host} redirects to an address without encryption")
        if (following.host, following.port) != (target.host, target.port):
            key = ""
        target = following
    raise FeedError(f"more than {_MOST_REDIRECTS} redirects")


def _target(url: str, *, inside: bool) -> _Target:
    """Where to connect. `inside`: the publisher's own choice may lie in the publisher's network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise FeedError("the address is neither http nor https")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FeedError(f"{host} has no address: {error}") from None
    addresses = [str(each[4][0]) for each in found]
    if not inside and not all(_is_public(address) for address in addresses):
        raise FeedError(f"{host} is not a public address; redirects there are not followed")
    return _Target(parts, host, port, addresses[0])


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_global and not mapped.is_multicast


def _ask(target: _Target, key: str, ends: float) -> tuple[int, str, bytes]:
    """(status, Location, body) of one request, to the very address that was looked at."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=CONNECT_TIMEOUT)
    try:
        plain = socket.create_connection((target.address, target.port), CONNECT_TIMEOUT)
        connection.sock = plain
        if target.parts.scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
        path = (target.parts.path or "/") + (f"?{target.parts.query}" if target.parts.query else "")
        headers = {"Host": target.parts.netloc, "Accept": "application/json", "User-Agent": "Broadsheet"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = _body(answer, ends) if answer.status == http.HTTPStatus.OK else b""
        return answer.status, answer.headers.get("Location", ""), body
    except (OSError, http.client.HTTPException) as error:
        raise FeedError(f"{target.host}: {type(error).__name__} {error}".strip()) from None
    finally:
        connection.close()


def _body(answer: http.client.HTTPResponse, ends: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := answer.read1(65_536):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise FeedError(f"the answer is larger than {LARGEST // 1024 // 1024} MB")
        if time.monotonic() > ends:
            raise FeedError(f"the answer took longer than {WHOLE_TIMEOUT:.0f} seconds")
    if answer.length:
        raise FeedError("the answer was cut off")
    return b"".join(parts)
