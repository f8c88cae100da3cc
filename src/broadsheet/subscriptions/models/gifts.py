"""Subscriptions given as presents."""

from __future__ import annotations

from django.db import models

from broadsheet.subscriptions.models.agreements import Subscription
from broadsheet.subscriptions.models.catalogue import Plan


class Gift(models.Model):
    """A term of a plan, paid by one reader for another. It starts when it is redeemed and never renews by itself."""

    class Status(models.TextChoices):
        OPEN = "open", "not paid yet"
        PAID = "paid", "waits to be redeemed"
        REDEEMED = "redeemed"
        VOID = "void"

    giver = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+")
    invoice_id = models.BigIntegerField(null=True, blank=True, unique=True)
    to_email = models.EmailField()
    message = models.CharField(max_length=500, blank=True)
    send_on = models.DateField()
    token = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    sent_at = models.DateTimeField(null=True, blank=True)
    redeemed_at = models.DateTimeField(null=True, blank=True)
    subscription = models.OneToOneField(Subscription, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["send_on", "id"],
                condition=models.Q(status="paid", sent_at=None),
                name="subscriptions_gift_to_send",
            ),
            models.Index(fields=["created_at"], condition=models.Q(status="open"), name="subscriptions_gift_unpaid"),
            models.Index(fields=["to_email"], name="subscriptions_gift_to"),
            models.Index(fields=["giver", "-id"], name="subscriptions_gift_giver"),
        ]

    def __str__(self) -> str:
        return f"gift to {self.to_email}"
