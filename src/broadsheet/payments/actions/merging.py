"""Two accounts of one person: what they hold with us becomes one. Documents stay with whom they name."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from broadsheet.payments import journal, ledger, postings
from broadsheet.payments.actions import credit
from broadsheet.payments.models import BillingProfile, CreditEntry


@transaction.atomic
def move_credit(*, from_reader: int, to_reader: int, now: datetime) -> dict[str, int]:
    """All credit of one reader becomes another's, in both books; how much by currency."""
    held = CreditEntry.objects.filter(reader_id=from_reader).values_list("currency").annotate(sum=Sum("amount_minor"))
    moved: dict[str, int] = {}
    for currency, amount in held.order_by("currency"):
        if amount <= 0:
            continue
        key, reason = f"merge:{from_reader}:{to_reader}:{currency}", "two accounts became one"
        out = {"key": f"{key}:from", "reader_id": from_reader, "amount_minor": -amount}
        if not credit.change(**out, currency=currency, reason=reason, now=now):
            continue
        journal.write(
            key=f"credit:{key}:from",
            posting=postings.reversed_posting(postings.credit_given(amount, "change")),
            text="Credit moved to the reader's other account",
            currency=currency,
            now=now,
            reader_id=from_reader,
        )
        credit.change(
            key=f"{key}:to", reader_id=to_reader, amount_minor=amount, currency=currency, reason=reason, now=now
        )
        ledger.book_credit_given(
            key=f"{key}:to", reader_id=to_reader, currency=currency, amount_minor=amount, source="change", now=now
        )
        moved[currency] = amount
    return moved


@transaction.atomic
def lend_profile(*, from_reader: int, to_reader: int, now: datetime) -> bool:
    """Invoices of a reader who has said nothing about themselves name what their other account said."""
    theirs = BillingProfile.objects.filter(pk=from_reader).first()
    if theirs is None or BillingProfile.objects.filter(pk=to_reader).exists():
        return False
    names = ("name", "organisation", "address", "country", "state", "pin", "gstin")
    BillingProfile.objects.create(
        reader_id=to_reader, updated_at=now, **{name: getattr(theirs, name) for name in names}
    )
    return True
