"""Mails that come back, read: delivery status notifications (RFC 3464) and abuse reports (RFC 5965). Pure.

Anybody can write to a bounce address, so a report counts only for what it names by something that only our own mail
held: the token in the return path, or in the returned mail's List-Unsubscribe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from broadsheet.newsletters.rules import bounce_kind
from broadsheet.newsletters.tokens import Named, Tokens

_RETURN = re.compile(r"\+([a-z2-7]{40,60})@", re.IGNORECASE)
_LEAVE = re.compile(r"/newsletters/u/([A-Za-z0-9_-]{30,60})")
_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Return-Path", "X-Failed-Recipients")


@dataclass(frozen=True, slots=True)
class Returned:
    """What a mail that came back says. `kind`: hard | soft | complaint | other; `named` None when nothing in it proves
    that it is about a mail of ours."""

    kind: str
    named: Named | None
    words: str


def read_returned(raw: bytes, tokens: Tokens) -> Returned:
    """Never raises: what cannot be read is `other`, named or not."""
    try:
        message = message_from_bytes(raw, policy=policy.default)
        parts = list(message.walk())
    except Exception as error:  # noqa: BLE001 - mails from everywhere; the parser has more ways to fail than one
        return Returned("other", None, f"cannot be read: {type(error).__name__}")
    named = _named(message, raw, tokens)
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return Returned("complaint", named, _field(part, "Feedback-Type") or "abuse")
        if kind == "message/delivery-status":
            for group in _groups(part):
                status, action = _field(group, "Status"), _field(group, "Action")
                if action:
                    words = " ".join(f"{status} {_field(group, 'Diagnostic-Code')}".split())[:280]
                    return Returned(bounce_kind(status, action), named, words)
    return Returned("other", named, "neither a delivery report nor a complaint")


def _groups(part: EmailMessage) -> Iterator[EmailMessage]:
    payload = part.get_payload()
    yield from (group for group in payload if hasattr(group, "get")) if isinstance(payload, list) else ()


def _field(part: EmailMessage, name: str) -> str:
    try:
        return str(part.get(name, "") or "").strip()
    except (ValueError, LookupError, AttributeError):  # a header that is none
        return ""


def _named(message: EmailMessage, raw: bytes, tokens: Tokens) -> Named | None:
    for name in _TO:
        found = _RETURN.search(_field(message, name))
        named = tokens.open_return(found.group(1)) if found else None
        if named:
            return named
    # The mail that came back lies in the report, whole or its headers; some servers fold or quote it.
    text = raw.decode("ascii", "replace").replace("=\r\n", "").replace("=\n", "")
    text = re.sub(r"\r?\n[ \t]+", "", text)
    for token in dict.fromkeys(_LEAVE.findall(text)):
        named = tokens.open("m", token)
        if named:
            return named
    return None
