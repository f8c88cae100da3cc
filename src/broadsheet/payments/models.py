"""What is owed (Invoice), every try to collect it (Payment), the standing permission to do so (Mandate).

The unique constraints here are what makes a double charge impossible; locks elsewhere only save work.
"""

from __future__ import annotations

from django.db import models


class Invoice(models.Model):
    """A bill for one period of what was sold (`subject`, such as `subscription:12`). Its period is final once paid."""

    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        VOID = "void"

    number = models.CharField(max_length=16, unique=True)
    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    subject = models.CharField(max_length=40)
    period_index = models.PositiveIntegerField()
    period_start = models.DateField()
    period_end = models.DateField()
    currency = models.CharField(max_length=3)
    total_minor = models.PositiveBigIntegerField()
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    issued_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "period_index"], name="payments_invoice_once_per_period"),
            models.CheckConstraint(
                condition=models.Q(period_end__gt=models.F("period_start")), name="payments_invoice_period_forward"
            ),
            models.CheckConstraint(
                condition=models.Q(status="paid", paid_at__isnull=False)
                | (~models.Q(status="paid") & models.Q(paid_at=None)),
                name="payments_invoice_paid_has_instant",
            ),
        ]
        indexes = [models.Index(fields=["reader", "-id"], name="payments_invoice_reader")]

    def __str__(self) -> str:
        return self.number


class InvoiceLine(models.Model):
    """One line of an invoice. The lines' amounts add up to its total."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="payments_line_position"),
        ]

    def __str__(self) -> str:
        return self.text


class InvoiceSeries(models.Model):
    """The last number given in one series. Taken inside the invoice's transaction: a number is never lost."""

    name = models.CharField(max_length=10, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.last}"


class Mandate(models.Model):
    """A reader's standing permission to charge them through one provider. We keep its reference, never a card."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        REVOKED = "revoked"

    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    provider = models.SlugField(max_length=24)
    provider_ref = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="payments_mandate_once"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_ref}"


class Payment(models.Model):
    """One attempt to collect one invoice. `key` is what the provider recognises a repeated request by."""

    class Status(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    class Kind(models.TextChoices):
        CHECKOUT = "checkout"
        RENEWAL = "renewal"

    UNRESOLVED = (Status.PENDING, Status.PROCESSING)

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="payments")
    key = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    provider = models.SlugField(max_length=24)
    provider_ref = models.CharField(max_length=120, blank=True)
    mandate = models.ForeignKey(Mandate, models.PROTECT, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    failure_code = models.CharField(max_length=40, blank=True)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    # Money that arrived although its invoice was paid already: it buys nothing and has to go back to the reader.
    surplus = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=models.Q(status__in=["pending", "processing"]),
                name="payments_one_open_attempt",
            ),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=models.Q(status="succeeded", surplus=False),
                name="payments_one_success",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"],
                condition=models.Q(status__in=["pending", "processing"]),
                name="payments_unresolved",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class SandboxMandate(models.Model):
    """The sandbox till's own book, not ours: what a bank would keep. `declines` makes its next charges fail."""

    ref = models.CharField(max_length=40, unique=True)
    declines = models.BooleanField(default=False)
    revoked = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.ref


class SandboxCharge(models.Model):
    """The sandbox till's own book: one row a key, so that asking twice is answered twice with one charge."""

    class Status(models.TextChoices):
        OPEN = "open"
        SUCCEEDED = "succeeded"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    key = models.CharField(max_length=80, unique=True)
    token = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=10, choices=Status)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200)
    return_url = models.CharField(max_length=2000, blank=True)
    mandate_ref = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.key
