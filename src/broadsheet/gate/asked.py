"""What the gate reads of a request, and nothing more: user agent, referrer and unknown parameters cannot matter."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

_STORY = re.compile(rb"/[a-z0-9-]{1,40}/[a-z0-9-]{0,90}-([1-9][0-9]{0,17})\Z")


class Asked(NamedTuple):
    """One request. `path` is the raw request target's path, cookies are only our own, by their role."""

    method: str
    path: bytes
    host: bytes = b""
    passport: str = ""
    meter: str = ""
    session: str = ""
    grants: str = ""
    encoding: str = "plain"  # br | gzip | plain
    if_none_match: str = ""
    prefetch: bool = False
    secure: bool = False
    address: str = ""  # the client's, as the last proxy we trust saw it
    gift: str = ""  # the token of a gift link
    has_body: bool = False  # brings a body, or wants to change the protocol: nothing for the short road
    probe: bool = False  # comes back from the redirect that finds out whether a browser keeps cookies

    @property
    def is_read(self) -> bool:
        """Whether a person navigates to it, as far as a request can say: neither HEAD nor a prefetch."""
        return self.method == "GET" and not self.prefetch

    @property
    def personal(self) -> bool:
        """Whether the request carries anything of a reader; then no answer to it may lie in a shared cache."""
        return bool(self.passport or self.session or self.grants)


class CookieNames(NamedTuple):
    """The names of our cookies; over https they carry the __Host- prefix."""

    meter: str
    passport: str
    session: str
    grants: str

    @classmethod
    def for_site(cls, *, https: bool) -> CookieNames:
        prefix = "__Host-" if https else ""
        return cls(f"{prefix}bsm", f"{prefix}bsp", f"{prefix}bss", f"{prefix}bsg")


def story_id(path: bytes) -> int | None:
    """The id at the end of a story's address; None when the path has not exactly a story's form."""
    match = _STORY.match(path)
    return int(match.group(1)) if match else None


def is_front(path: str) -> bool:
    """The form of a section's front: one lower-case word between two slashes. Django says whether there is one."""
    word = path[1:-1]
    return path.endswith("/") and bool(word) and "/" not in word and word.replace("-", "").isalnum() and word.islower()


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


ENCODINGS = ("gzip", "br")  # what the short road answers in


class Encodings(dict[bytes, int | None]):
    """The place in ENCODINGS of what a client accepts, by its Accept-Encoding; None for neither."""

    def __missing__(self, header: bytes) -> int | None:
        found = _accepts(header)
        place = ENCODINGS.index(found) if found in ENCODINGS else None
        if len(self) < 512:  # noqa: PLR2004 - browsers send a handful of different ones
            self[header] = place
        return place


_READS = (b"document", b"")
_COOKIE, _HOST, _ENCODING, _MATCH, _DEST, _HINT, _BODY, _CONNECTION = range(8)
_KINDS = {
    b"cookie": _COOKIE, b"host": _HOST, b"accept-encoding": _ENCODING, b"if-none-match": _MATCH,
    b"sec-fetch-dest": _DEST, b"sec-purpose": _HINT, b"purpose": _HINT, b"x-moz": _HINT, b"x-purpose": _HINT,
    b"content-length": _BODY, b"transfer-encoding": _BODY, b"expect": _BODY, b"upgrade": _BODY,
    b"connection": _CONNECTION, b"proxy-connection": _CONNECTION,
}  # fmt: skip
_new = tuple.__new__  # a named tuple's own constructor is a Python function: a call more at every request
_METHODS = {b"GET": "GET", b"HEAD": "HEAD"}


@lru_cache(maxsize=2048)  # clients spell the same few dozen names in two or three ways
def _kind(name: bytes) -> int | None:
    return _KINDS.get(name.lower())


Picks = Callable[[list[bytes]], tuple[bytes, bytes, bytes, bytes, bytes]]


def picks_of(names: list[bytes]) -> Picks | None:
    """What takes the five values that the short road reads out of a head with these names: of Host, Accept-Encoding,
    Cookie, Sec-Fetch-Dest and Connection; for one that was not sent, the value behind the last. None when the head has
    more to say that matters."""
    places = {_HOST: -1, _ENCODING: -1, _COOKIE: -1, _DEST: -1, _CONNECTION: -1}
    for place, name in enumerate(names):
        kind = _kind(name)
        if kind is not None:
            if places.get(kind) != -1:
                return None
            places[kind] = place
    return itemgetter(*places.values())


def forwarded_as_https(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a proxy says the reader came over https. Ask only when the peer is a proxy that is trusted."""
    values = [value for name, value in headers if name.lower() == b"x-forwarded-proto"]
    return bool(values) and values[-1].rsplit(b",", 1)[-1].strip().lower() == b"https"


def forwarded_for(headers: list[tuple[bytes, bytes]], trusts: Callable[[str], bool], peer: str) -> str:
    """The right-most address that is not one of our own proxies: what stands left of it is the client's own claim."""
    addresses = (
        b",".join(value for name, value in headers if name.lower() == b"x-forwarded-for").decode("latin-1").split(",")
    )
    for address in reversed([text.strip() for text in addresses]):
        if address and not trusts(address):
            return address
    return peer


def read_cookies(header: str, names: CookieNames) -> tuple[str, str, str, str]:
    """Passport, meter, session and grants in a Cookie header; "" for what is not there."""
    passport = meter = session = grants = ""
    for pair in header.split(";"):
        name, _, content = pair.strip().partition("=")
        # The first of a name wins, as browsers send the most specific first; ours are all Path=/ and host-only.
        if name == names.meter:
            meter = meter or content
        elif name == names.passport:
            passport = passport or content
        elif name == names.session:
            session = session or content
        elif name == names.grants:
            grants = grants or content
    return passport, meter, session, grants


def read_request(  # noqa: PLR0917 - one branch for each header that matters; it runs at every request
    method: bytes,
    path: bytes,
    headers: list[tuple[bytes, bytes]],
    names: CookieNames,
    secure: bool = False,
    address: str = "",
    query: bytes | None = b"",
) -> Asked:
    """Build an Asked from raw parts. `secure`: the reader came over https."""
    host = encoding = match = b""
    prefetch = has_body = False
    passport = meter = session = grants = ""
    for header, value in headers:
        kind = _kind(header)
        if kind is None:
            continue
        if kind == _COOKIE:
            given = read_cookies(value.decode("latin-1"), names)
            passport, meter = passport or given[0], meter or given[1]
            session, grants = session or given[2], grants or given[3]
        elif kind == _HOST:
            # Two Host headers are one too many: a proxy and we might each believe another one.
            host = b"" if host else value
        elif kind == _ENCODING:
            encoding = value
        elif kind == _MATCH:
            match = value
        elif kind == _DEST:
            prefetch = prefetch or value not in _READS
        elif kind == _HINT:
            prefetch = True
        elif kind == _BODY:
            has_body = True
    gift, probe = _asks(query) if query else ("", False)
    return _new(Asked, (
        _METHODS.get(method) or method.decode("latin-1"), path, host, passport, meter, session, grants,
        _accepts(encoding), match.decode("latin-1") if match else "", prefetch, secure, address, gift, has_body, probe,
    ))  # fmt: skip


def _asks(query: bytes) -> tuple[str, bool]:
    """The two parameters that mean something at a story's address; every other one is inert."""
    gift, probe = "", False
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"gift" and not gift:
            gift = value.decode("latin-1")[:64]
        elif pair == b"seat=1":
            probe = True
    return gift, probe
