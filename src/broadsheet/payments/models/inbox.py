"""What providers told us, raw first, and what does not fit together."""

from __future__ import annotations

from django.db import models


class WebhookEvent(models.Model):
    """One verified message of a provider, kept as it came before anything is done about it."""

    class Status(models.TextChoices):
        RECEIVED = "received"
        DONE = "done"
        IGNORED = "ignored"
        FAILED = "failed"

    provider = models.SlugField(max_length=24)
    event_id = models.CharField(max_length=120)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.RECEIVED)
    error = models.CharField(max_length=500, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="payments_webhook_once"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(status="received"), name="payments_webhook_open"),
            models.Index(fields=["received_at"], name="payments_webhook_day"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class Discrepancy(models.Model):
    """Our books and a provider's do not agree. Somebody looks at it; it is closed with a word on what was done."""

    class Kind(models.TextChoices):
        PAID_UNKNOWN = "paid_unknown", "paid there, unknown here"
        UNPAID_KNOWN = "unpaid_known", "paid here, unknown there"
        AMOUNT = "amount", "other amount"
        ORPHAN_MANDATE = "orphan_mandate", "a mandate of nobody"
        SURPLUS = "surplus", "money nobody owed"

    kind = models.CharField(max_length=16, choices=Kind)
    provider = models.SlugField(max_length=24)
    ref = models.CharField(max_length=120)
    facts = models.JSONField(default=dict)
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=60, blank=True)
    closing_note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "provider", "ref"], name="payments_discrepancy_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}"
