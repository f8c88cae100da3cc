"""What follows from a provider's word lies above payments: whoever sold installs it here (server/wiring.py).

Answers, webhooks, polls and the comparison of the books all come to these four; each of them may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from broadsheet.payments.adapters import ChargeResult, RefundResult


class RecordResult(Protocol):
    def __call__(self, *, key: str, result: ChargeResult, now: datetime) -> Any:
        """What became of the attempt `key`, and what follows for what it pays."""


class ApplyRefund(Protocol):
    def __call__(self, *, key: str, result: RefundResult, now: datetime) -> Any:
        """What became of the refund `key`."""


class ApplyDispute(Protocol):
    def __call__(self, *, key: str, status: str, dispute_ref: str, amount_minor: int, now: datetime) -> Any:
        """A chargeback of the attempt `key` was opened, won or lost."""


class MandateRevoked(Protocol):
    def __call__(self, *, provider: str, mandate_ref: str, now: datetime) -> Any:
        """The reader or their bank ended a mandate at the provider."""


@dataclass(frozen=True, slots=True)
class _Ports:
    record_result: RecordResult
    refund_result: ApplyRefund
    dispute: ApplyDispute
    mandate_revoked: MandateRevoked


def _unconnected(**_: object) -> None:
    raise LookupError("Nobody is connected to payments: see server/wiring.py.")


_ports = _Ports(_unconnected, _unconnected, _unconnected, _unconnected)


def connect(
    *,
    record_result: RecordResult,
    refund_result: ApplyRefund,
    dispute: ApplyDispute,
    mandate_revoked: MandateRevoked,
) -> Callable[[], None]:
    """Install the four. Returns what puts the ones before back."""
    global _ports  # noqa: PLW0603 - one program, one seller
    before = _ports
    _ports = _Ports(record_result, refund_result, dispute, mandate_revoked)

    def undo() -> None:
        global _ports  # noqa: PLW0603 - as above
        _ports = before

    return undo


def record_result(*, key: str, result: ChargeResult, now: datetime) -> Any:
    return _ports.record_result(key=key, result=result, now=now)


def refund_result(*, key: str, result: RefundResult, now: datetime) -> Any:
    return _ports.refund_result(key=key, result=result, now=now)


def dispute(*, key: str, status: str, dispute_ref: str, amount_minor: int, now: datetime) -> Any:
    return _ports.dispute(key=key, status=status, dispute_ref=dispute_ref, amount_minor=amount_minor, now=now)


def mandate_revoked(*, provider: str, mandate_ref: str, now: datetime) -> Any:
    return _ports.mandate_revoked(provider=provider, mandate_ref=mandate_ref, now=now)
