"""What is offered (Product, Plan), what was agreed (Subscription), and its history (SubscriptionEvent)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from broadsheet.money import is_currency
from broadsheet.subscriptions import rules


def refuse_unrendered(text: str) -> None:
    """A reader must never meet `{{price}}` on a plan card."""
    if rules.looks_unrendered(text):
        raise ValidationError("This text still holds a placeholder.", code="unrendered")


def refuse_unknown_currency(code: str) -> None:
    if not is_currency(code):
        raise ValidationError("Write a three-letter currency code, such as INR.", code="currency")


class Product(models.Model):
    """Something a plan unlocks. `code` is what access knows it by; `benefit` is how a plan card names it."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80, validators=[refuse_unrendered])
    benefit = models.CharField(max_length=120, validators=[refuse_unrendered])
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Plan(models.Model):
    """An offer: `amount_minor` for `months`, taxes included. A retired plan keeps renewing and is not sold any more."""

    code = models.SlugField(max_length=40, unique=True, help_text="Part of the checkout's address.")
    name = models.CharField(max_length=60, validators=[refuse_unrendered])
    months = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    amount_minor = models.PositiveBigIntegerField(
        "price in paise (minor units)", validators=[MinValueValidator(1)], help_text="₹900 is 90000."
    )
    currency = models.CharField(max_length=3, default="INR", validators=[refuse_unknown_currency])
    tax_inclusive = models.BooleanField(default=True)
    products = models.ManyToManyField(Product, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    retired = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="subscriptions_plan_has_price"),
            models.CheckConstraint(condition=models.Q(months__gt=0), name="subscriptions_plan_has_months"),
            models.CheckConstraint(
                condition=~models.Q(name="") & ~models.Q(name__contains="{{") & ~models.Q(name__contains="{%"),
                name="subscriptions_plan_name_rendered",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """One agreement. The dates are local days of the publisher's zone; `[period_start, period_end)` is what is paid.

    While it is incomplete nothing is paid and the dates are those of the day the checkout began.
    """

    class Status(models.TextChoices):
        INCOMPLETE = "incomplete"
        INCOMPLETE_EXPIRED = "incomplete_expired"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        CANCELED = "canceled"
        EXPIRED = "expired"

    reader = models.ForeignKey("readers.Reader", models.PROTECT, related_name="+")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+")
    status = models.CharField(max_length=20, choices=Status, default=Status.INCOMPLETE)
    anchor = models.DateField()
    anchor_index = models.PositiveIntegerField(default=0)
    period_index = models.PositiveIntegerField(default=0)
    period_start = models.DateField()
    period_end = models.DateField()
    cancel_at_period_end = models.BooleanField(default=False)
    canceled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=500, blank=True)
    mandate = models.ForeignKey("payments.Mandate", models.PROTECT, null=True, blank=True, related_name="+")
    # Dunning: the first day a renewal failed, how often it did, and the day something happens next.
    past_due_since = models.DateField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    next_attempt_on = models.DateField(null=True, blank=True)
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
        ]
        indexes = [
            models.Index(fields=["status", "period_end", "id"], name="subscriptions_due"),
            models.Index(
                fields=["next_attempt_on", "id"], condition=models.Q(status="past_due"), name="subscriptions_dunning"
            ),
            models.Index(
                fields=["created_at", "id"], condition=models.Q(status="incomplete"), name="subscriptions_checkouts"
            ),
            models.Index(fields=["reader", "-id"], name="subscriptions_reader"),
        ]

    def __str__(self) -> str:
        return f"subscription {self.pk}"


class SubscriptionEvent(models.Model):
    """The history, append-only, in the words of the command line: what happened, who did it, why, and when."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=32)
    actor = models.CharField(max_length=60)
    reason = models.CharField(max_length=500, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["subscription", "id"], name="subscriptions_event_of")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d}"

    def save(self, *args: object, **kwargs: object) -> None:
        if self.pk is not None:
            raise TypeError("The history of a subscription is only added to.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> None:  # noqa: ARG002 - Django's signature
        raise TypeError("The history of a subscription is only added to.")
