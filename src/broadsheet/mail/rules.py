"""The option `email_url` -> Django's mail settings. Pure, and readable before Django is configured.

A package of somebody else adds a scheme by an entry point of the group `broadsheet.mail_transports`: its name is the
scheme, its object takes the URL and returns the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

GROUP = "broadsheet.mail_transports"
HINT = (
    "Write smtp://user:password@host:587, smtps://user:password@host, file:///a/folder or console: "
    "(a user name's @ is written %40)."
)
LONGEST_WAIT = 600  # seconds; a job that hangs longer than this is taken for dead
Transport = Callable[[str], Mapping[str, Any]]


class MailUrlError(ValueError):
    """`email_url` cannot be used; the message says why and what would be right. It never holds the password."""

    def __init__(self, why: str) -> None:
        super().__init__(f"email_url: {why} {HINT}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _query(url: SplitResult, *allowed: str) -> dict[str, str]:
    """The URL's options. An unknown one is refused: a misspelt `tls` must not send passwords in clear text."""
    options = parse_qs(url.query, keep_blank_values=True)
    for name, values in options.items():
        if name not in allowed:
            raise MailUrlError(f"The option {name!r} is unknown here; the options are {', '.join(allowed)}.")
        if len(values) != 1 or not values[0]:
            raise MailUrlError(f"The option {name!r} needs one value.")
    return {name: values[0] for name, values in options.items()}


def _timeout(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_WAIT:
        raise MailUrlError(f"timeout is a number of seconds from 1 to {LONGEST_WAIT}, not {text!r}.")
    return int(text)


def _smtp(text: str) -> dict[str, Any]:
    url = urlsplit(text)
    options = _query(url, "tls", "timeout")
    host = url.hostname
    if not host:
        raise MailUrlError("There is no host.")
    if url.path not in ("", "/"):
        raise MailUrlError(f"The path {url.path!r} means nothing to a mail server.")
    try:
        port = url.port
    except ValueError:
        raise MailUrlError("The port is not a number from 1 to 65535.") from None
    implicit = url.scheme == "smtps"
    # A password over the open net needs TLS unless the publisher says otherwise; a relay on this machine does not.
    tls = options.get("tls", "off" if implicit or _is_loopback(host) else "starttls")
    if tls not in ("starttls", "off") or (implicit and tls == "starttls"):
        raise MailUrlError("tls is starttls or off with smtp://; smtps:// is always encrypted.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": port or (465 if implicit else 587 if tls == "starttls" else 25),
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_TLS": tls == "starttls",
        "EMAIL_USE_SSL": implicit,
        "EMAIL_TIMEOUT": _timeout(options.get("timeout", "20")),
    }


def _file(text: str) -> dict[str, Any]:
    url = urlsplit(text)
    folder = Path(unquote(url.path))
    if url.query or url.netloc not in ("", "localhost") or not folder.is_absolute():
        raise MailUrlError("A folder is written with three slashes and its whole path.")
    return {
        "EMAIL_BACKEND": "broadsheet.mail.adapters.folder.EmailBackend",
        "EMAIL_FILE_PATH": str(folder),
    }


def _console(text: str) -> dict[str, Any]:
    if text.removeprefix("console:") not in ("", "//"):
        raise MailUrlError("console: stands alone.")
    return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


BUILT_IN: Mapping[str, Transport] = {
    "smtp": _smtp,
    "smtps": _smtp,
    "file": _file,
    "console": _console,
}


def settings_from_url(text: str) -> dict[str, Any]:
    """Django's EMAIL_* settings for `text`. Raises MailUrlError with what is wrong and a hint."""
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        raise MailUrlError("This is not a URL.") from None
    if scheme in BUILT_IN:
        return dict(BUILT_IN[scheme](text))
    for entry in entry_points(group=GROUP):
        if entry.name == scheme:
            return dict(entry.load()(text))
    raise MailUrlError(f"The scheme {scheme!r} is unknown." if scheme else "There is no scheme.")
