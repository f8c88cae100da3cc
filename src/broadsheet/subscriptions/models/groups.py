"""Seats of a group or a firm."""

from __future__ import annotations

from django.db import models

from broadsheet.subscriptions.models.agreements import Subscription


class Seat(models.Model):
    """One place of a group: for an address that was invited, or taken by a reader of the group's domain.

    The payer has the first seat without a row here. `removed_at` frees it.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="seats")
    email = models.EmailField()
    reader = models.ForeignKey("readers.Reader", models.PROTECT, null=True, blank=True, related_name="+")
    token = models.CharField(max_length=40, unique=True)
    invited_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "email"], condition=models.Q(removed_at=None), name="subscriptions_seat_once"
            ),
        ]
        indexes = [models.Index(fields=["reader"], name="subscriptions_seat_reader")]

    def __str__(self) -> str:
        return self.email
