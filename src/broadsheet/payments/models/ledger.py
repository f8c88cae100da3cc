"""The books: append-only, balanced double entry, and the credit readers hold with us."""

from __future__ import annotations

from django.db import models

from broadsheet.payments.models.append_only import AppendOnly


class JournalEntry(AppendOnly):
    """One thing that happened to money. `key` makes it once; its lines add up to nothing."""

    key = models.CharField(max_length=100, unique=True)
    booked_on = models.DateField()
    at = models.DateTimeField()
    text = models.CharField(max_length=200)
    document = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)

    class Meta:
        indexes = [models.Index(fields=["booked_on", "id"], name="payments_entry_day")]
        verbose_name = "journal entry"

    def __str__(self) -> str:
        return f"{self.booked_on} {self.text}"


class JournalLine(AppendOnly):
    """A debit (positive) or a credit (negative) of one account, in minor units."""

    entry = models.ForeignKey(JournalEntry, models.PROTECT, related_name="lines")
    account = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    reader = models.ForeignKey("readers.Reader", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["account", "entry"], name="payments_line_account")]
        verbose_name = "journal line"

    def __str__(self) -> str:
        return f"{self.account} {self.amount_minor}"


class CreditEntry(AppendOnly):
    """A change of the credit a reader holds: positive adds, negative uses. Their sum is the balance."""

    key = models.CharField(max_length=100, unique=True)
    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["reader", "currency"], name="payments_credit_reader")]
        verbose_name = "credit entry"

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"
