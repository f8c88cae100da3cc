"""A till that says yes at once and keeps no book: what is left is our own time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from broadsheet.payments.adapters import Capabilities, ChargeRequest, ChargeResult


class InstantTill:
    code = "instant"
    sandbox = True
    capabilities = Capabilities(lists=False)

    def charge(self, request: ChargeRequest) -> ChargeResult:
        return ChargeResult("succeeded", f"till_{request.key}", at=request.at)

    def fetch(self, _key: str, _at: datetime) -> ChargeResult | None:
        return None

    def __getattr__(self, name: str) -> Any:
        raise NotImplementedError(f"The instant till is not asked to {name}.")
