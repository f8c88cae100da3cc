"""What was agreed (Subscription), what its paid lines cover (Segment), and its history (SubscriptionEvent)."""

from __future__ import annotations

from django.db import models

from broadsheet.subscriptions import rules
from broadsheet.subscriptions.models.catalogue import Coupon, Plan, Price


class Subscription(models.Model):
    """One agreement. The dates are local days of the publisher's zone; `[period_start, period_end)` is what is paid.

    While it is incomplete nothing is paid and the dates are those of the day the checkout began; while it is trialing
    they are those of the trial. `due_at` is the instant at which something has to be done about it next, whatever that
    is; None when nothing will be. Whoever works on it moves `due_at` on first, which is the lease.
    """

    class Status(models.TextChoices):
        INCOMPLETE = "incomplete"
        INCOMPLETE_EXPIRED = "incomplete_expired"
        TRIALING = "trialing"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        SUSPENDED = "suspended"
        PAUSED = "paused"
        CANCELED = "canceled"
        EXPIRED = "expired"

    class Collection(models.TextChoices):
        AUTOMATIC = "automatic"
        SEND_INVOICE = "send_invoice"
        EXTERNAL = "external"

    class Origin(models.TextChoices):
        SOLD = "sold"
        GIFT = "gift"
        COMP = "comp"
        IMPORTED = "imported"

    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+")
    # What they agreed to; None where nothing is charged (a gift's reader, a comp).
    price = models.ForeignKey(Price, models.PROTECT, null=True, blank=True, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=20, choices=Status, default=Status.INCOMPLETE)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.SOLD)
    collection = models.CharField(max_length=14, choices=Collection, default=Collection.AUTOMATIC)
    fixed_term = models.BooleanField(default=False)
    anchor = models.DateField()
    anchor_index = models.PositiveIntegerField(default=0)
    period_index = models.PositiveIntegerField(default=0)
    period_start = models.DateField()
    period_end = models.DateField()
    trial_end = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)
    canceled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=500, blank=True)
    pending_plan = models.ForeignKey(Plan, models.PROTECT, null=True, blank=True, related_name="+")
    pending_quantity = models.PositiveIntegerField(null=True, blank=True)
    paused_on = models.DateField(null=True, blank=True)
    pause_until = models.DateField(null=True, blank=True)
    coupon = models.ForeignKey(Coupon, models.PROTECT, null=True, blank=True, related_name="+")
    coupon_left = models.PositiveIntegerField(null=True, blank=True, help_text="Periods; None: for good.")
    mandate = models.ForeignKey("payments.Mandate", models.PROTECT, null=True, blank=True, related_name="+")
    # Dunning: the first day a renewal failed, how often it was tried, and the day of the next try.
    past_due_since = models.DateField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    next_attempt_on = models.DateField(null=True, blank=True)
    disputed_at = models.DateTimeField(null=True, blank=True)
    # A group's: readers with an address there may take a seat, beside those who were invited.
    seat_domain = models.CharField(max_length=120, blank=True)
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    external_ref = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reader"], condition=models.Q(status__in=rules.LIVE), name="subscriptions_one_live_per_reader"
            ),
            models.CheckConstraint(
                condition=models.Q(period_end__gt=models.F("period_start")), name="subscriptions_period_forward"
            ),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="subscriptions_has_quantity"),
            models.UniqueConstraint(
                fields=["external_ref"], condition=~models.Q(external_ref=""), name="subscriptions_external_once"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=models.Q(due_at__isnull=False), name="subscriptions_due"),
            models.Index(fields=["reader", "-id"], name="subscriptions_reader"),
            models.Index(fields=["status", "id"], name="subscriptions_status"),
            models.Index(fields=["seat_domain"], condition=~models.Q(seat_domain=""), name="subscriptions_domain"),
        ]

    def __str__(self) -> str:
        return f"subscription {self.pk}"


class Segment(models.Model):
    """What one paid line covers: `amount_minor` (before tax on top) for the days `[start, end)`.

    `closed_on` ends it early: what lay behind that day was credited or refunded and is never given back a second time.
    `returned_minor` is what went back of it in other ways.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="segments")
    invoice_id = models.BigIntegerField()
    position = models.PositiveSmallIntegerField()
    start = models.DateField()
    end = models.DateField()
    amount_minor = models.BigIntegerField()
    returned_minor = models.BigIntegerField(default=0)
    closed_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice_id", "position"], name="subscriptions_segment_once"),
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="subscriptions_segment_forward"),
        ]
        indexes = [models.Index(fields=["subscription", "end"], name="subscriptions_segment_of")]

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


class SubscriptionEvent(models.Model):
    """The history, append-only, in the words of the command line: what happened, who did it, why, and when.

    `subscription` is None for what a reader did without one, such as buying a gift.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, null=True, related_name="+")
    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=32)
    actor = models.CharField(max_length=60)
    reason = models.CharField(max_length=500, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["subscription", "id"], name="subscriptions_event_of"),
            models.Index(fields=["kind", "at"], name="subscriptions_event_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d}"

    def save(self, *args: object, **kwargs: object) -> None:
        if self.pk is not None:
            raise TypeError("The history of a subscription is only added to.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> None:  # noqa: ARG002 - Django's signature
        raise TypeError("The history of a subscription is only added to.")
