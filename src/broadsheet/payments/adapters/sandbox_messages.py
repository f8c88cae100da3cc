"""The sandbox's words on the wire: its signed messages, and the values that travel inside them as JSON.

A message is signed as the large providers do it: HMAC-SHA256 over `timestamp.body`, both in one header, so that neither
an altered body nor an old message is believed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from broadsheet.payments.adapters import ChargeResult, MandateSeen, RefundResult, SignatureError, WebhookNote

HEADER = "x-till-signature"
TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Message:
    """What the till posts to `/hooks/<provider>/`. Header names are in lower case."""

    headers: Mapping[str, str]
    body: bytes


def _digest(secret: bytes, stamp: str, body: bytes) -> str:
    return hmac.new(secret, stamp.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()


def signed(note: WebhookNote, secret: bytes, at: datetime) -> Message:
    """`note` as a message sent at `at`."""
    body = json.dumps(note_values(note), ensure_ascii=False, sort_keys=True).encode()
    stamp = str(int(at.timestamp()))
    signature = f"t={stamp},v1={_digest(secret, stamp, body)}"
    return Message({"content-type": "application/json", HEADER: signature}, body)


def verify(headers: Mapping[str, str], body: bytes, secret: bytes, at: datetime) -> None:
    """SignatureError unless `secret` signed exactly this body not more than five minutes before or after `at`."""
    parts = dict(part.partition("=")[::2] for part in headers.get(HEADER, "").split(","))
    stamp, given = parts.get("t", ""), parts.get("v1", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 13):  # noqa: PLR2004 - past the year 30000
        raise SignatureError("The message has no signature that could be read.")
    if not hmac.compare_digest(given.encode(), _digest(secret, stamp, body).encode()):
        raise SignatureError("The signature does not fit the message.")
    if abs(at.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise SignatureError("The message was signed too long ago.")


def _instant(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _instant(value) if isinstance(value, datetime) else value for name, value in values.items()}


def result_values(result: ChargeResult | RefundResult) -> dict[str, Any]:
    """A result as JSON values."""
    return _plain(asdict(result))


def charge_result(values: Mapping[str, Any]) -> ChargeResult:
    mandate = values.get("mandate")
    return ChargeResult(
        status=values["status"],
        provider_ref=values["provider_ref"],
        mandate=MandateSeen(**mandate) if mandate else None,
        failure_code=values["failure_code"],
        at=instant(values["at"]),
    )


def refund_result(values: Mapping[str, Any]) -> RefundResult:
    return RefundResult(values["status"], values["provider_ref"], values["failure_code"], instant(values["at"]))


def instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def note_values(note: WebhookNote) -> dict[str, Any]:
    values = _plain({name: value for name, value in asdict(note).items() if name != "result"})
    return {**values, "result": result_values(note.result) if note.result else None}


def read_note(body: bytes) -> WebhookNote:
    """The note of a body that was verified. ValueError when it is none."""
    try:
        values = json.loads(body)
        read = {"charge": charge_result, "refund": refund_result}.get(values["kind"])
        result = values.pop("result")
        return WebhookNote(**{**values, "at": instant(values["at"])}, result=read(result) if read and result else None)
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"This is no message of the till: {error}") from None
