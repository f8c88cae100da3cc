"""What readers are told ahead of time, and what they agreed to."""

from __future__ import annotations

from django.db import models

from broadsheet.subscriptions.models.agreements import Subscription


class Notice(models.Model):
    """One word due to a reader: of a renewal, a trial's end, a price. `key` makes it once; `dropped_at` says that it
    was no longer true when its day came."""

    key = models.CharField(max_length=100, unique=True)
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32)
    due_at = models.DateTimeField()
    facts = models.JSONField(default=dict)
    sent_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(sent_at=None, dropped_at=None),
                name="subscriptions_notice_due",
            ),
            models.Index(fields=["subscription", "id"], name="subscriptions_notice_of"),
        ]

    def __str__(self) -> str:
        return self.key


class ConsentRecord(models.Model):
    """What a reader agreed to, in the words they saw: the proof a regulator or a bank asks for. Only added to."""

    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    subscription = models.ForeignKey(Subscription, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=32)
    text = models.TextField()
    facts = models.JSONField(default=dict)
    network = models.CharField(max_length=60, blank=True, help_text="The address it came from.")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["reader", "-id"], name="subscriptions_consent_of")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}"
