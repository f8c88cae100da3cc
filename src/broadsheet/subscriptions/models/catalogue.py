"""What is offered: products, plans, their prices over time, coupons."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
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
    """An offer for `months` at a time. A retired plan keeps renewing for who has it and is not sold any more.

    `tax` is the code of the dated tax rates it is sold at, empty for none; `tax_inclusive` says that prices hold it.
    `max_quantity` above 1 makes it a group's: so many seats of one payer.
    """

    code = models.SlugField(max_length=40, unique=True, help_text="Part of the checkout's address.")
    name = models.CharField(max_length=60, validators=[refuse_unrendered])
    months = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    trial_days = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(366)])
    tax = models.SlugField(max_length=40, blank=True)
    tax_inclusive = models.BooleanField(default=True)
    min_quantity = models.PositiveIntegerField("fewest seats", default=1, validators=[MinValueValidator(1)])
    max_quantity = models.PositiveIntegerField("most seats", default=1, validators=[MinValueValidator(1)])
    products = models.ManyToManyField(Product, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    published = models.BooleanField(default=True, help_text="On sale, and on the page of plans.")
    retired = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(months__gt=0), name="subscriptions_plan_has_months"),
            models.CheckConstraint(
                condition=models.Q(max_quantity__gte=models.F("min_quantity")), name="subscriptions_plan_seats"
            ),
            models.CheckConstraint(
                condition=~models.Q(name="") & ~models.Q(name__contains="{{") & ~models.Q(name__contains="{%"),
                name="subscriptions_plan_name_rendered",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    """What a plan costs from a day on: `new_from` for who subscribes, `existing_from` for who has it already (None:
    they keep what they agreed to). Never changed once somebody agreed to it; a new price is a new row.
    """

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="prices")
    amount_minor = models.PositiveBigIntegerField(
        "price in paise (minor units)", validators=[MinValueValidator(1)], help_text="₹900 is 90000."
    )
    currency = models.CharField(max_length=3, default="INR", validators=[refuse_unknown_currency])
    new_from = models.DateField("for new subscribers from")
    existing_from = models.DateField("for existing subscribers from", null=True, blank=True)

    class Meta:
        ordering = ["new_from", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="subscriptions_price_positive"),
            models.UniqueConstraint(fields=["plan", "currency", "new_from"], name="subscriptions_price_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.amount_minor} {self.currency} from {self.new_from}"


class Coupon(models.Model):
    """A discount on what a plan costs: a share or an amount, once, for some periods, or for good."""

    class Duration(models.TextChoices):
        ONCE = "once"
        REPEATING = "repeating"
        FOREVER = "forever"

    code = models.CharField(max_length=40, unique=True)
    percent_bp = models.PositiveIntegerField(
        "percent, in hundredths",
        null=True,
        blank=True,
        validators=[MaxValueValidator(10_000)],
        help_text="5000 is 50 %.",
    )
    amount_minor = models.PositiveBigIntegerField("amount in minor units", null=True, blank=True)
    duration = models.CharField(max_length=10, choices=Duration, default=Duration.ONCE)
    periods = models.PositiveSmallIntegerField(default=1, help_text="For repeating: how many periods.")
    plans = models.ManyToManyField(Plan, blank=True, related_name="+", help_text="None chosen: every plan.")
    first_time_only = models.BooleanField(default=False)
    max_redemptions = models.PositiveIntegerField(null=True, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField("valid before", null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent_bp__gt=0, percent_bp__lte=10_000, amount_minor=None)
                | models.Q(amount_minor__gt=0, percent_bp=None),
                name="subscriptions_coupon_percent_or_amount",
            ),
            models.CheckConstraint(condition=models.Q(periods__gt=0), name="subscriptions_coupon_periods"),
        ]

    def __str__(self) -> str:
        return self.code
