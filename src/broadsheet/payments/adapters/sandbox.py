"""The built-in till: no money moves, everything else is real: hosted page, declines, mandates, idempotency keys.

Its two tables are its own book, as a bank's would be: they are written outside our transactions, and nothing in our
books reads them except through this interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from broadsheet import ids
from broadsheet.payments.adapters import ChargeRequest, ChargeResult, ChargeStatus, CheckoutRequest
from broadsheet.payments.models import SandboxCharge, SandboxMandate

_STATUS: dict[str, ChargeStatus] = {
    SandboxCharge.Status.OPEN: "pending",
    SandboxCharge.Status.SUCCEEDED: "succeeded",
    SandboxCharge.Status.DECLINED: "failed",
    SandboxCharge.Status.WITHDRAWN: "failed",
}


def _result(row: SandboxCharge) -> ChargeResult:
    status = _STATUS[row.status]
    return ChargeResult(
        status=status,
        provider_ref=f"sandbox_{row.pk}",
        mandate_ref=row.mandate_ref,
        failure_code=row.status if status == "failed" else "",
        at=row.decided_at,
    )


class SandboxTill:
    """Answers to `payments.adapters.Provider`."""

    code = "sandbox"
    sandbox = True

    def open_checkout(self, request: CheckoutRequest) -> str:
        row, _ = SandboxCharge.objects.get_or_create(
            key=request.key,
            defaults={
                "token": ids.token(),
                "status": SandboxCharge.Status.OPEN,
                "amount_minor": request.amount_minor,
                "currency": request.currency,
                "description": request.description,
                "return_url": request.return_url,
                "created_at": request.at,
            },
        )
        return f"/till/{row.token}/"

    def charge(self, request: ChargeRequest) -> ChargeResult:
        mandate = SandboxMandate.objects.filter(ref=request.mandate_ref, revoked=False).first()
        good = mandate is not None and not mandate.declines
        row, _ = SandboxCharge.objects.get_or_create(
            key=request.key,
            defaults={
                "token": ids.token(),
                "status": SandboxCharge.Status.SUCCEEDED if good else SandboxCharge.Status.DECLINED,
                "amount_minor": request.amount_minor,
                "currency": request.currency,
                "description": request.description,
                "mandate_ref": request.mandate_ref,
                "created_at": request.at,
                "decided_at": request.at,
            },
        )
        return _result(row)

    def fetch(self, key: str) -> ChargeResult | None:
        row = SandboxCharge.objects.filter(key=key).first()
        return _result(row) if row else None

    def withdraw(self, key: str, at: datetime) -> ChargeResult:
        SandboxCharge.objects.filter(key=key, status=SandboxCharge.Status.OPEN).update(
            status=SandboxCharge.Status.WITHDRAWN, decided_at=at
        )
        return self.fetch(key) or ChargeResult(status="failed", failure_code="withdrawn", at=at)

    def revoke_mandate(self, mandate_ref: str, at: datetime) -> None:  # noqa: ARG002 - the sandbox keeps no history
        SandboxMandate.objects.filter(ref=mandate_ref).update(revoked=True)


@dataclass(frozen=True, slots=True)
class TillPage:
    """What the hosted page shows. `open` is False once somebody has decided."""

    token: str
    open: bool
    amount_minor: int
    currency: str
    description: str
    return_url: str


def till_page(token: str) -> TillPage | None:
    row = SandboxCharge.objects.filter(token=token).exclude(return_url="").first()
    if row is None:
        return None
    is_open = row.status == SandboxCharge.Status.OPEN
    return TillPage(row.token, is_open, row.amount_minor, row.currency, row.description, row.return_url)


def decide(*, token: str, pay: bool, renewals_decline: bool, now: datetime) -> None:
    """The reader pressed Pay or Decline. Only the first press counts: a charge that is decided stays as it is."""
    mandate_ref = f"sm_{ids.token(12)}" if pay else ""
    status = SandboxCharge.Status.SUCCEEDED if pay else SandboxCharge.Status.DECLINED
    if pay:
        # Before the charge: one that names a mandate the book does not hold could never be renewed.
        SandboxMandate.objects.create(ref=mandate_ref, declines=renewals_decline)
    SandboxCharge.objects.filter(token=token, status=SandboxCharge.Status.OPEN).update(
        status=status, mandate_ref=mandate_ref, decided_at=now
    )
