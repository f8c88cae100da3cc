"""Where the meter's servers are, as the option valkey_url says it. Nothing is connected here."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit


class Server(NamedTuple):
    host: str
    port: int


class Login(NamedTuple):
    """How every server of an installation is spoken to. `database` is 0 in a cluster."""

    user: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False


def servers_of(url: str) -> tuple[list[Server], Login]:
    """The servers in valkey://user:password@host:port,host:port/0 (redis:// is the same, rediss:// and valkeys:// are
    over TLS). ValueError with a hint when it is none."""
    hint = "write valkey://:password@host:6379, several hosts with commas, rediss:// for TLS"
    scheme, _, rest = url.partition("://")
    if scheme not in ("valkey", "redis", "rediss", "valkeys"):
        raise ValueError(hint)
    place, _, path = rest.partition("/")
    who, _, hosts = place.rpartition("@")
    user, _, password = who.partition(":")
    servers = []
    for host in hosts.split(","):
        try:
            parts = urlsplit(f"//{host}")
            server = Server(parts.hostname or "", parts.port or 6379)
        except ValueError:  # its words may quote a password
            raise ValueError(hint) from None
        if not server.host or parts.username or parts.query or parts.fragment:
            raise ValueError(hint)
        servers.append(server)
    if (path and not path.isdigit()) or (who and not password):
        raise ValueError(hint)
    return servers, Login(unquote(user), unquote(password), int(path or 0), scheme in ("rediss", "valkeys"))
