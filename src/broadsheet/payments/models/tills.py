"""The sandbox till's own book, not ours: what a bank would keep. Only payments.adapters.sandbox reads and writes it."""

from __future__ import annotations

from django.db import models


class SandboxMandate(models.Model):
    """`declines` makes its next charges fail; `customer` is whom we named, such as `reader:12`."""

    ref = models.CharField(max_length=40, unique=True)
    customer = models.CharField(max_length=40, blank=True)
    rail = models.CharField(max_length=8, default="card")
    max_minor = models.PositiveBigIntegerField(null=True, blank=True)
    declines = models.BooleanField(default=False)
    revoked = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.ref


class SandboxCharge(models.Model):
    """One row a key, so that asking twice is answered twice with one charge.

    `decided_at` may lie ahead: until then the answer is `processing`. `silent` charges gave no answer when asked first.
    """

    class Status(models.TextChoices):
        OPEN = "open"
        SUCCEEDED = "succeeded"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    key = models.CharField(max_length=80, unique=True)
    token = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=10, choices=Status)
    failure_code = models.CharField(max_length=40, blank=True)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200)
    return_url = models.CharField(max_length=2000, blank=True)
    customer = models.CharField(max_length=40, blank=True)
    mandate_ref = models.CharField(max_length=40, blank=True)
    # What the reader is asked to allow on the till's page.
    mandate_rail = models.CharField(max_length=8, blank=True)
    mandate_max_minor = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["created_at", "id"], name="payments_sandbox_day")]

    def __str__(self) -> str:
        return self.key


class SandboxRefund(models.Model):
    """One row a key, as charges are."""

    key = models.CharField(max_length=80, unique=True)
    charge = models.ForeignKey(SandboxCharge, models.PROTECT, related_name="+")
    amount_minor = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class SandboxScript(models.Model):
    """What the till answers to one of the next charges, oldest first; of one customer, or of whoever comes next."""

    customer = models.CharField(max_length=40, blank=True)
    answer = models.CharField(max_length=24)
    used_by = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(used_by=""), name="payments_script_next")]

    def __str__(self) -> str:
        return self.answer
