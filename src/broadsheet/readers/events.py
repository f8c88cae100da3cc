"""What happened to accounts, as frozen facts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceEnded:
    """A device was signed out because the account is used on as many as the publisher allows."""

    reader_id: int
    ended: str
    by: str
