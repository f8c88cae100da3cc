"""What tests of money need: a taxed reader, an invoice, a payment, the day on which something happens."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from zoneinfo import ZoneInfo

from broadsheet.payments import actions
from broadsheet.payments.adapters import ChargeResult
from broadsheet.payments.models import BillingProfile, Payment, TaxRate
from broadsheet.payments.values import Line, Taxed
from broadsheet.readers.models import Reader

INDIA = ZoneInfo("Asia/Kolkata")
GST = Taxed("gst18")
_count = count(1)


def at(text: str) -> datetime:
    """`2027-01-10 09:00` in the publisher's zone; a day alone is its noon."""
    text = text if " " in text else f"{text} 12:00"
    return datetime.fromisoformat(text).replace(tzinfo=INDIA).astimezone(UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)


def tax(code: str = "gst18", kind: str = "gst", rate_bp: int = 1800, **fields) -> None:
    TaxRate.objects.get_or_create(
        code=code,
        country=fields.pop("country", ""),
        valid_from=fields.pop("valid_from", date(2017, 7, 1)),
        defaults={"kind": kind, "rate_bp": rate_bp, "sac": "998431", **fields},
    )


def reader(name: str = "Asha Rao", state: str = "Karnataka", **fields) -> int:
    tax()
    now = at("2027-01-01")
    row = Reader.objects.create(email=f"asha{next(_count)}@reader.example", created_at=now, verified_at=now)
    BillingProfile.objects.create(reader_id=row.pk, name=name, state=state, updated_at=now, **fields)
    return row.pk


def line(amount: int, start: str = "", end: str = "", kind: str = "plan", text: str = "The Quarter") -> Line:
    return Line(text, amount, kind, 1, day(start) if start else None, day(end) if end else None)


def bill(
    reader_id: int,
    *lines: Line,
    on: str,
    taxed: Taxed = GST,
    subject: str = "subscription:1",
    currency="INR",
    kind="period",
):
    starts = [made.start for made in lines if made.start]
    ends = [made.end for made in lines if made.end]
    return actions.open_invoice(
        reader_id=reader_id,
        subject=subject,
        kind=kind,
        period_index=None,
        period_start=min(starts, default=day(on)),
        period_end=max(ends, default=date(2099, 1, 1)),
        currency=currency,
        lines=lines,
        taxed=taxed,
        now=at(on),
    )


def pay(invoice, on: str, key: str = "") -> int:
    """A till collects what is due; the payment's id."""
    key = key or f"pay{next(_count)}"
    actions.begin_payment(invoice_id=invoice.id, key=key, kind="checkout", mandate_id=None, now=at(on))
    return settle(key, on)


def settle(key: str, on: str) -> int:
    result = ChargeResult("succeeded", f"bank:{key}", at=at(on))
    actions.apply_payment_result(key=key, result=result, now=at(on))
    return Payment.objects.get(key=key).pk


def send_back(payment_id: int, amount: int, on: str, *, adjust: bool = True, unearned_from: str = "") -> None:
    """Ask for a refund and have the till send it."""
    row = actions.ask_refund(
        payment_id=payment_id,
        amount_minor=amount,
        key=f"refund{next(_count)}",
        reason="asked for",
        adjust=adjust,
        actor="staff:1",
        now=at(on),
        unearned_from=day(unearned_from) if unearned_from else None,
        approved=True,
    )
    from broadsheet.payments.adapters import RefundResult

    actions.apply_refund_result(key=row.key, result=RefundResult("succeeded", f"bank:{row.key}"), now=at(on))
