"""What the gate reads of a request, and nothing more: user agent, referrer and unknown parameters cannot matter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_STORY = re.compile(rb"/[a-z0-9-]{1,40}/[a-z0-9-]{0,90}-([1-9][0-9]{0,17})\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `target` is the raw request target's path, `cookies` holds only our own, by their role."""

    method: str
    path: bytes
    host: bytes
    passport: str
    meter: str
    session: str
    encoding: str  # br | gzip | plain
    if_none_match: str
    prefetch: bool
    secure: bool = False

    @property
    def personal(self) -> bool:
        """Whether the request carries anything of a reader; then no answer to it may lie in a shared cache."""
        return bool(self.passport or self.session)


@dataclass(frozen=True, slots=True)
class CookieNames:
    """The names of our cookies; over https they carry the __Host- prefix."""

    meter: str
    passport: str
    session: str

    @classmethod
    def for_site(cls, *, https: bool) -> CookieNames:
        prefix = "__Host-" if https else ""
        return cls(f"{prefix}bsm", f"{prefix}bsp", f"{prefix}bss")


def story_id(path: bytes) -> int | None:
    """The id at the end of a story's address; None when the path has not exactly a story's form."""
    match = _STORY.match(path)
    return int(match.group(1)) if match else None


@lru_cache(maxsize=512)  # browsers send a handful of different ones
def _accepts(header: bytes) -> str:
    """The best of our encodings that a client names and does not refuse with q=0."""
    text = header.decode("latin-1").lower()
    for name in ("br", "gzip"):
        for part in text.split(","):
            token, _, params = part.strip().partition(";")
            if token.strip() == name and params.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
                return name
    return "plain"


def _cookies(header: bytes, names: CookieNames, found: dict[str, str]) -> None:
    for pair in header.decode("latin-1").split(";"):
        name, equals, value = pair.strip().partition("=")
        # The first of a name wins, as browsers send the most specific first; ours are all Path=/ and host-only.
        if equals and name in (names.meter, names.passport, names.session):
            found.setdefault(name, value)


_READS = (b"document", b"")


def forwarded_as_https(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a proxy says the reader came over https. Ask only when the peer is a proxy that is trusted."""
    values = [value for name, value in headers if name == b"x-forwarded-proto"]
    return bool(values) and values[-1].rsplit(b",", 1)[-1].strip().lower() == b"https"


def read_request(
    method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], names: CookieNames, *, secure: bool = False
) -> Asked:
    """Build an Asked from raw parts; header names must be lower-case already. `secure`: the reader came over https."""
    host = encoding = match = b""
    prefetch = False
    cookies: dict[str, str] = {}
    for name, value in headers:
        if name == b"cookie":
            _cookies(value, names, cookies)
        elif name == b"host":
            # Two Host headers are one too many: a proxy and we might each believe another one.
            host = b"" if host else value
        elif name == b"accept-encoding":
            encoding = value
        elif name == b"if-none-match":
            match = value
        elif name in (b"sec-purpose", b"purpose", b"x-moz", b"x-purpose"):
            prefetch = True
        elif name == b"sec-fetch-dest":
            prefetch = prefetch or value not in _READS
    return Asked(
        method=method.decode("latin-1"),
        path=path,
        host=host,
        passport=cookies.get(names.passport, ""),
        meter=cookies.get(names.meter, ""),
        session=cookies.get(names.session, ""),
        encoding=_accepts(encoding),
        if_none_match=match.decode("latin-1"),
        prefetch=prefetch,
        secure=secure,
    )
