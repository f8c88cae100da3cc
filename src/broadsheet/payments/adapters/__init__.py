"""The interface every payment provider answers to.

Providers see values, never our rows, and are always called outside our transactions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

ChargeStatus = Literal["pending", "processing", "succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A page of the provider's where the reader pays and allows later charges. `return_url` is a local path."""

    key: str
    amount_minor: int
    currency: str
    description: str
    return_url: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge without the reader present, by the mandate given earlier."""

    key: str
    amount_minor: int
    currency: str
    description: str
    mandate_ref: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChargeResult:
    """What became of a key. `pending`: nobody has decided yet. `at` is the provider's instant, when it knows one."""

    status: ChargeStatus
    provider_ref: str = ""
    mandate_ref: str = ""
    failure_code: str = ""
    at: datetime | None = None


class Provider(Protocol):
    """A till. Every call may be repeated with the same key and then has to tell the first call's result."""

    code: str
    # True: no money moves, so a walk into the future is harmless.
    sandbox: bool

    def open_checkout(self, request: CheckoutRequest) -> str:
        """The URL of the page to send the reader to."""

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """Charge by mandate."""

    def fetch(self, key: str) -> ChargeResult | None:
        """What became of `key`; None when the provider never heard of it."""

    def withdraw(self, key: str, at: datetime) -> ChargeResult:
        """Close a checkout nobody has paid. When somebody has, that result stands and is returned."""

    def revoke_mandate(self, mandate_ref: str, at: datetime) -> None:
        """No charge by this mandate from now on."""
