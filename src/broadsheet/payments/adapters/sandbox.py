"""The built-in till: no money moves, everything else is real: hosted page, declines, mandates, idempotency keys.

Its tables are its own book, as a bank's would be: written outside our transactions, and read by nothing of ours except
through this interface. It is told what to answer next by scripts (`script`), which are used up one a charge; and it
lives in the instants it is asked at, so it can be walked through years.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, Sum

from broadsheet import ids
from broadsheet.payments import crash
from broadsheet.payments.adapters import (
    Capabilities,
    ChargeRequest,
    ChargeResult,
    CheckoutRequest,
    MandateSeen,
    NoAnswerError,
    PaymentSeen,
    RefundRequest,
    RefundResult,
    WebhookNote,
)
from broadsheet.payments.adapters.sandbox_messages import read_note, verify
from broadsheet.payments.models import SandboxCharge, SandboxMandate, SandboxRefund, SandboxScript

Answer = Literal["ok", "decline", "hard_decline", "opt_out", "timeout", "late_ok", "crash_after_charge"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
LATE = timedelta(hours=24)
AUTO_LIMIT = {"INR": 1_500_000}  # INR 15,000: what an Indian bank debits without asking its customer
NOTICE = timedelta(hours=24)
_FAILURES = {"decline": "declined", "hard_decline": "hard_declined", "opt_out": "opted_out"}
_LABELS = {"card": "Sandbox card ending 4242", "upi": "asha@sandbox"}
_PAGE = 500


def script(answers: Sequence[str], customer: str = "") -> None:
    """What the next charges are answered, in this order; of one customer, or of whoever comes next.

    ValueError for a word that is no answer; then none of them is kept.
    """
    for answer in answers:
        if answer not in ANSWERS:
            raise ValueError(f"{answer!r} is no answer of the till; it knows {', '.join(ANSWERS)}.")
    SandboxScript.objects.bulk_create(SandboxScript(customer=customer, answer=answer) for answer in answers)


def take_answer(key: str, customer: str) -> str:
    """The answer to `key`: the customer's oldest unused one, else nobody's, else ok. A timeout is met once."""
    mine = SandboxScript.objects.filter(used_by=key).values_list("answer", flat=True).first()
    if mine is not None:
        return "ok" if mine == "timeout" else mine
    for whose in dict.fromkeys((customer, "")):
        unused = SandboxScript.objects.filter(used_by="", customer=whose).order_by("id")
        while (row := unused.first()) is not None:
            if SandboxScript.objects.filter(pk=row.pk, used_by="").update(used_by=key):
                return row.answer
    return "ok"


def webhook_secret() -> bytes:
    """What the built-in till signs its messages with: of this installation, and of nobody else."""
    return ids.keyed_digest(settings.SECRET_KEY.encode(), "sandbox till", b"webhook", 32)


def ref_of(row: SandboxCharge) -> str:
    return f"sandbox_{row.pk}"


def mandate_seen(ref: str) -> MandateSeen | None:
    row = SandboxMandate.objects.filter(ref=ref).first() if ref else None
    return MandateSeen(row.ref, row.rail, row.max_minor, _LABELS.get(row.rail, "")) if row else None


def result_of(row: SandboxCharge, at: datetime) -> ChargeResult:
    """What the book says of a charge at `at`; what is decided later is not known before."""
    if row.status == SandboxCharge.Status.OPEN:
        return ChargeResult("pending", ref_of(row))
    if row.decided_at is not None and row.decided_at > at:
        return ChargeResult("processing", ref_of(row))
    if row.status == SandboxCharge.Status.SUCCEEDED:
        return ChargeResult("succeeded", ref_of(row), mandate_seen(row.mandate_ref), at=row.decided_at)
    return ChargeResult("failed", ref_of(row), failure_code=row.failure_code or "declined", at=row.decided_at)


def settle(row: SandboxCharge, answer: str, at: datetime) -> None:
    """Put what `answer` makes of a charge into its row; not saved."""
    row.failure_code = _FAILURES.get(answer, "")
    row.status = SandboxCharge.Status.DECLINED if row.failure_code else SandboxCharge.Status.SUCCEEDED
    row.decided_at = at + LATE if answer == "late_ok" else at


class SandboxTill:
    """Answers to `payments.adapters.Provider`. `needs_notice` makes it as strict as an Indian bank, for tests."""

    code = "sandbox"
    sandbox = True

    def __init__(self, *, needs_notice: bool = False) -> None:
        self.capabilities = Capabilities(
            needs_notice=needs_notice, min_notice=NOTICE if needs_notice else timedelta(), max_auto_minor=AUTO_LIMIT
        )

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
                "customer": request.customer,
                "mandate_rail": request.mandate.rail if request.mandate else "",
                "mandate_max_minor": request.mandate.max_minor if request.mandate else None,
                "created_at": request.at,
            },
        )
        return f"/till/{row.token}/"

    def charge(self, request: ChargeRequest) -> ChargeResult:
        row = SandboxCharge.objects.filter(key=request.key).first()
        if row is None or _announced(row):
            try:
                row = self._charge(request)
            except IntegrityError:  # somebody asked with this key at the same moment: theirs is the charge
                row = SandboxCharge.objects.get(key=request.key)
        return result_of(row, request.at)

    @transaction.atomic
    def _decide(self, request: ChargeRequest) -> tuple[SandboxCharge, str]:
        """The charge of a key as it is written into the book, and the answer it was given."""
        row = SandboxCharge.objects.select_for_update().filter(key=request.key).first()
        if row is not None and not _announced(row):
            return row, "ok"
        mandate = SandboxMandate.objects.filter(ref=request.mandate_ref, revoked=False).first()
        refusal = self._refusal(request, mandate, row)
        answer = "ok"
        if not refusal and mandate is not None:
            answer = take_answer(request.key, request.customer or mandate.customer)
            if answer == "ok" and mandate.declines:
                answer = "decline"
        row = row or _row(request)
        if answer != "timeout":
            row.created_at = request.at
            settle(row, answer, request.at)
            if refusal:
                row.status, row.failure_code = SandboxCharge.Status.DECLINED, refusal
            row.save()
        return row, answer

    def _charge(self, request: ChargeRequest) -> SandboxCharge:
        row, answer = self._decide(request)
        if answer == "timeout":
            raise NoAnswerError(f"The till did not answer {request.key}.")
        if answer == "crash_after_charge":
            raise crash.CrashError(request.key)
        return row

    def _refusal(self, request: ChargeRequest, mandate: SandboxMandate | None, announced: SandboxCharge | None) -> str:
        """Why a bank would not even try; "" when it would. A refusal uses no script up."""
        if mandate is None:
            return "no_mandate"
        if request.present:
            return ""
        limit = (self.capabilities.max_auto_minor or {}).get(request.currency)
        if any(most is not None and request.amount_minor > most for most in (mandate.max_minor, limit)):
            return "declined"
        if self.capabilities.needs_notice and not _in_time(request, announced):
            return "declined"
        return ""

    def notify_debit(self, request: ChargeRequest, debit_at: datetime) -> str:
        """Write the debit down as one that is to come; nobody is told anything."""
        row, _ = SandboxCharge.objects.get_or_create(key=request.key, defaults=_fields(request))
        return f"notice_{row.pk}"

    def fetch(self, key: str, at: datetime) -> ChargeResult | None:
        row = SandboxCharge.objects.filter(key=key).first()
        return result_of(row, at) if row else None

    def withdraw(self, key: str, at: datetime) -> ChargeResult:
        SandboxCharge.objects.filter(key=key, status=SandboxCharge.Status.OPEN).update(
            status=SandboxCharge.Status.WITHDRAWN, failure_code="withdrawn", decided_at=at
        )
        return self.fetch(key, at) or ChargeResult("failed", failure_code="withdrawn", at=at)

    @transaction.atomic
    def refund(self, request: RefundRequest) -> RefundResult:
        charge = SandboxCharge.objects.select_for_update().filter(key=request.charge_key).first()
        if charge is None:
            return RefundResult("failed", failure_code="unknown_charge", at=request.at)
        row = SandboxRefund.objects.filter(key=request.key).first()
        if row is None:
            left = charge.amount_minor - refunded_minor(charge)
            if result_of(charge, request.at).status != "succeeded" or request.amount_minor > left:
                return RefundResult("failed", failure_code="too_much", at=request.at)
            row = SandboxRefund.objects.create(
                key=request.key, charge=charge, amount_minor=request.amount_minor, created_at=request.at
            )
        return refund_of(row)

    def revoke_mandate(self, mandate_ref: str, at: datetime) -> None:
        SandboxMandate.objects.filter(ref=mandate_ref).update(revoked=True)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, at: datetime) -> WebhookNote:
        verify(headers, body, webhook_secret(), at)
        return read_note(body)

    def read_webhook(self, event_id: str, body: bytes) -> WebhookNote:
        return read_note(body)

    def list_payments(self, since: datetime, until: datetime) -> Iterator[PaymentSeen]:
        place = Q(created_at__gte=since)
        while True:
            rows = list(SandboxCharge.objects.filter(place, created_at__lt=until).order_by("created_at", "id")[:_PAGE])
            sums = SandboxRefund.objects.filter(charge__in=rows).values_list("charge").annotate(Sum("amount_minor"))
            refunded = dict(sums)
            for row in rows:
                yield PaymentSeen(
                    key=row.key,
                    provider_ref=ref_of(row),
                    amount_minor=row.amount_minor,
                    currency=row.currency,
                    status=result_of(row, until).status,
                    at=row.created_at,
                    refunded_minor=refunded.get(row.pk, 0),
                )
            if len(rows) < _PAGE:
                return
            last = rows[-1]
            place = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, id__gt=last.pk)


def _fields(request: ChargeRequest) -> dict[str, object]:
    return {
        "token": ids.token(),
        "status": SandboxCharge.Status.OPEN,
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "description": request.description,
        "customer": request.customer,
        "mandate_ref": request.mandate_ref,
        "created_at": request.at,
    }


def _row(request: ChargeRequest) -> SandboxCharge:
    return SandboxCharge(key=request.key, **_fields(request))


def _announced(row: SandboxCharge) -> bool:
    """Whether it is a debit of which the bank was told and which nobody has asked for yet."""
    return row.status == SandboxCharge.Status.OPEN and not row.return_url


def _in_time(request: ChargeRequest, announced: SandboxCharge | None) -> bool:
    """Whether the reader's bank was told of this very amount a day ago."""
    if announced is None or announced.amount_minor != request.amount_minor:
        return False
    return announced.created_at + NOTICE <= request.at


def refunded_minor(charge: SandboxCharge) -> int:
    return SandboxRefund.objects.filter(charge=charge).aggregate(total=Sum("amount_minor"))["total"] or 0


def refund_of(row: SandboxRefund) -> RefundResult:
    return RefundResult("succeeded", f"sandbox_refund_{row.pk}", at=row.created_at)


@dataclass(frozen=True, slots=True)
class TillPage:
    """What the hosted page shows. `open` is False once somebody has decided. `rail` is empty when later charges are not
    asked for; `amount_minor` 0 asks for nothing else."""

    token: str
    open: bool
    amount_minor: int
    currency: str
    description: str
    return_url: str
    rail: str
    max_minor: int | None


def till_page(token: str) -> TillPage | None:
    row = SandboxCharge.objects.filter(token=token).exclude(return_url="").first()
    if row is None:
        return None
    return TillPage(
        token=row.token,
        open=row.status == SandboxCharge.Status.OPEN,
        amount_minor=row.amount_minor,
        currency=row.currency,
        description=row.description,
        return_url=row.return_url,
        rail=row.mandate_rail,
        max_minor=row.mandate_max_minor,
    )


def decide(*, token: str, pay: bool, renewals_decline: bool = False, now: datetime) -> ChargeResult | None:
    """The reader pressed Pay or Decline; what the book says then, None for a page that was never opened.

    Only the first press counts. A script makes a press of Pay something else: a decline, money that comes a day later,
    a press that is lost (`timeout`: the page stays open), a till that takes the money and dies (CrashError).
    """
    with transaction.atomic():
        row = SandboxCharge.objects.select_for_update().filter(token=token).exclude(return_url="").first()
        answer = "ok"
        if row is not None and row.status == SandboxCharge.Status.OPEN:
            # Allowing later debits is no charge: it uses no answer up.
            answer = "decline" if not pay else take_answer(row.key, row.customer) if row.amount_minor else "ok"
            if answer != "timeout":
                settle(row, answer, now)
                if row.status == SandboxCharge.Status.SUCCEEDED and row.mandate_rail:
                    row.mandate_ref = _register(row, declines=renewals_decline)
                row.save(update_fields=["status", "failure_code", "decided_at", "mandate_ref"])
    if answer == "crash_after_charge":
        raise crash.CrashError(token)
    return result_of(row, now) if row else None


def _register(row: SandboxCharge, *, declines: bool) -> str:
    return SandboxMandate.objects.create(
        ref=f"sm_{ids.token(12)}",
        customer=row.customer,
        rail=row.mandate_rail,
        max_minor=row.mandate_max_minor,
        declines=declines,
    ).ref
