"""A reader with an open invoice, attempts to collect it, and the roads above payments tied to the books alone."""

from __future__ import annotations

from datetime import UTC, date, datetime

from broadsheet.payments import actions, ports
from broadsheet.payments.adapters import CheckoutRequest, MandateWish, sandbox
from broadsheet.payments.models import Dispute, Invoice, Mandate, Payment
from broadsheet.payments.values import Line, Taxed
from broadsheet.readers.models import Reader

NOW = datetime(2027, 1, 10, 3, 30, tzinfo=UTC)


def invoice(subject: str = "subscription:1", amount: int = 90_000, now: datetime = NOW) -> Invoice:
    reader, _ = Reader.objects.get_or_create(email="asha@example.org", defaults={"created_at": NOW})
    row = actions.open_invoice(
        reader_id=reader.pk,
        subject=subject,
        kind="period",
        period_index=1,
        period_start=date(2027, 1, 10),
        period_end=date(2027, 4, 10),
        currency="INR",
        lines=[Line("A quarter", amount)],
        taxed=Taxed(),
        now=now,
    )
    return Invoice.objects.get(pk=row.id)


def mandate(provider: str = "sandbox", ref: str = "sm_1", **more: object) -> Mandate:
    reader, _ = Reader.objects.get_or_create(email="asha@example.org", defaults={"created_at": NOW})
    return Mandate.objects.create(reader=reader, provider=provider, provider_ref=ref, created_at=NOW, **more)


def attempt(key: str = "k1", provider: str = "sandbox", now: datetime = NOW, **bill: object) -> Payment:
    """An attempt at the till's page that nobody has answered yet."""
    row = invoice(**bill)
    actions.begin_payment(invoice_id=row.pk, key=key, kind="checkout", mandate_id=None, now=now)
    Payment.objects.filter(key=key).update(provider=provider)
    return Payment.objects.get(key=key)


def press(payment: Payment, *, pay: bool = True, now: datetime = NOW) -> None:
    """The reader opens the sandbox's page and presses; nobody here hears of it."""
    request = CheckoutRequest(
        payment.key, payment.amount_minor, payment.currency, "A quarter", "/back", now, mandate=MandateWish()
    )
    url = sandbox.SandboxTill().open_checkout(request)
    sandbox.decide(token=url.removeprefix("/till/").removesuffix("/"), pay=pay, now=now)


def _dispute(*, key: str, status: str, dispute_ref: str, amount_minor: int, now: datetime) -> None:
    payment = Payment.objects.get(key=key)
    actions.open_dispute(payment_id=payment.pk, provider_ref=dispute_ref, amount_minor=amount_minor, now=now)
    if status != Dispute.Status.OPENED:
        actions.close_dispute(provider_ref=dispute_ref, won=status == Dispute.Status.WON, now=now)


def _revoked(*, provider: str, mandate_ref: str, now: datetime) -> None:
    Mandate.objects.filter(provider=provider, provider_ref=mandate_ref).update(status="revoked", revoked_at=now)


def connect():
    """Until the returned function is called, every word of a provider ends in the books and goes no further."""
    return ports.connect(
        record_result=actions.apply_payment_result,
        refund_result=actions.apply_refund_result,
        dispute=_dispute,
        mandate_revoked=_revoked,
    )
