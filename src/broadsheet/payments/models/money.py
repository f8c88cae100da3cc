"""Every try to collect an invoice (Payment), the standing permission to do so (Mandate), and what went back.

The unique constraints here are what makes a double charge impossible; locks elsewhere only save work.
"""

from __future__ import annotations

from django.db import models

from broadsheet.payments.models.documents import CreditNote, Invoice


class Mandate(models.Model):
    """A reader's standing permission to charge them through one provider. We keep its reference, never a card.

    `max_minor` is the most one debit may take, None where only the rail's own limit holds. `refused` says that the bank
    told us for good: nothing is tried by this mandate again.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        REFUSED = "refused"
        REVOKED = "revoked"

    class Rail(models.TextChoices):
        CARD = "card"
        UPI = "upi"

    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    provider = models.SlugField(max_length=24)
    provider_ref = models.CharField(max_length=120)
    rail = models.CharField(max_length=8, choices=Rail, default=Rail.CARD)
    max_minor = models.PositiveBigIntegerField(null=True, blank=True)
    label = models.CharField(max_length=60, blank=True, help_text="Such as: Visa ending 4242, or a UPI address.")
    valid_until = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="payments_mandate_once"),
        ]
        indexes = [models.Index(fields=["reader", "-id"], name="payments_mandate_reader")]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_ref}"


class Payment(models.Model):
    """One attempt to collect one invoice. `key` is what the provider recognises a repeated request by.

    `notice_requested_at` and `notice_sent_at`: the word to the reader's bank that has to go before a debit in India.
    `check_at`: when an attempt without a known result is asked after again.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    class Kind(models.TextChoices):
        CHECKOUT = "checkout"
        RENEWAL = "renewal"
        CHANGE = "change"
        HAND = "hand"

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
    refunded_minor = models.PositiveBigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    notice_requested_at = models.DateTimeField(null=True, blank=True)
    notice_sent_at = models.DateTimeField(null=True, blank=True)
    check_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    # Money that arrived although nothing was owed any more: it buys nothing and has to go back to the reader.
    surplus = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=models.Q(status__in=["pending", "processing"]),
                name="payments_one_open_attempt",
            ),
            models.UniqueConstraint(
                fields=["mandate"],
                condition=models.Q(status__in=["pending", "processing"]),
                name="payments_one_open_debit_per_mandate",
            ),
            # Part payments by hand may be several; what a provider collects is collected once.
            models.UniqueConstraint(
                fields=["invoice"],
                condition=models.Q(status="succeeded", surplus=False) & ~models.Q(kind="hand"),
                name="payments_one_success",
            ),
            models.CheckConstraint(
                condition=models.Q(refunded_minor__lte=models.F("amount_minor")), name="payments_refunds_bounded"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"],
                condition=models.Q(status__in=["pending", "processing"]),
                name="payments_unresolved",
            ),
            models.Index(fields=["provider", "provider_ref"], name="payments_provider_ref"),
        ]

    def __str__(self) -> str:
        return self.key


class Refund(models.Model):
    """Money on its way back to a reader. Above the publisher's limit it waits for a second member of staff.

    `refunded_minor` of the payment holds the amount from the moment this row exists: two refunds cannot overlap.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "waits for approval"
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        REFUSED = "refused"

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=80, unique=True)
    amount_minor = models.PositiveBigIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=200)
    adjust = models.BooleanField(default=True)
    note = models.OneToOneField(CreditNote, models.PROTECT, null=True, blank=True, related_name="+")
    provider_ref = models.CharField(max_length=120, blank=True)
    failure_code = models.CharField(max_length=40, blank=True)
    asked_by = models.CharField(max_length=60)
    approved_by = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    check_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payments_refund_positive"),
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"], condition=models.Q(status="pending"), name="payments_refund_pending"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Dispute(models.Model):
    """A chargeback: the reader's bank took the money back until somebody decides."""

    class Status(models.TextChoices):
        OPENED = "opened"
        WON = "won"
        LOST = "lost"

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    provider_ref = models.CharField(max_length=120, unique=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPENED)
    amount_minor = models.PositiveBigIntegerField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.provider_ref
