"""What is traded, under which names, and on which days."""

from __future__ import annotations

from django.db import models

from broadsheet.markets.values import ACTION_KINDS, ACTION_STATES, KINDS


class Instrument(models.Model):
    """A share, index, currency pair, commodity or fund as one exchange trades it.

    The same share at two exchanges is two instruments with one ISIN. Series that follow each other when an exchange
    moves a share between its boards (EQ, BE, BZ) are one instrument; `series` is the latest.
    """

    code = models.SlugField(
        max_length=60, unique=True, help_text="Its name in addresses and in stories: nse-tidewater."
    )
    kind = models.CharField(max_length=12, choices=KINDS)
    name = models.CharField(max_length=200)
    exchange = models.CharField(max_length=12, blank=True, help_text="NSE, BSE, AMFI or what the price file says.")
    symbol = models.CharField(max_length=60, blank=True)
    series = models.CharField(max_length=8, blank=True)
    isin = models.CharField(max_length=12, blank=True)
    exchange_code = models.CharField(max_length=24, blank=True, help_text="Scrip or scheme code, a number mostly.")
    sector = models.CharField(max_length=60, blank=True)
    currency = models.CharField(max_length=3, default="INR")
    unit = models.CharField(max_length=40, blank=True, help_text="What the price is for: 10 grams, barrel.")
    decimals = models.PositiveSmallIntegerField(default=2, help_text="Places shown, 0 to 4.")
    featured = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Its place in the market summary; empty: not in it."
    )
    listed_on = models.DateField(null=True, blank=True)
    delisted_on = models.DateField(null=True, blank=True)
    generated = models.BooleanField(default=False, help_text="Its prices were made up for the demonstration.")

    class Meta:
        ordering = ["code"]
        indexes = [
            models.Index(fields=["exchange", "isin"], name="markets_ins_isin"),
            models.Index(fields=["exchange", "symbol"], name="markets_ins_symbol"),
            models.Index(fields=["exchange", "exchange_code"], name="markets_ins_number"),
            models.Index(fields=["symbol"], name="markets_ins_any_symbol"),
            models.Index(fields=["featured"], condition=models.Q(featured__isnull=False), name="markets_ins_featured"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.exchange} {self.symbol})" if self.exchange else self.name


class SymbolChange(models.Model):
    """A name or number an instrument had before `day`, so that old files and old addresses still find it."""

    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="changes")
    day = models.DateField()
    what = models.CharField(max_length=12, choices=[("symbol", "symbol"), ("isin", "ISIN"), ("series", "series")])
    old = models.CharField(max_length=60)
    new = models.CharField(max_length=60)

    class Meta:
        indexes = [models.Index(fields=["what", "old"], name="markets_change_old")]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "day", "what", "old"], name="markets_change_once"),
        ]

    def __str__(self) -> str:
        return f"{self.old} is {self.new} from {self.day}"


class CorporateAction(models.Model):
    """What makes prices before `ex_day` incomparable with those from it on. Nothing is adjusted by a proposed one.

    split: `old` units become `new`. bonus: `new` units more for every `old`. rights: `new` units offered for every
    `old` at `amount` each. dividend: `amount` a unit.
    """

    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="actions")
    ex_day = models.DateField()
    kind = models.CharField(max_length=10, choices=ACTION_KINDS)
    new = models.PositiveIntegerField(default=0)
    old = models.PositiveIntegerField(default=0)
    amount = models.BigIntegerField(default=0, help_text="1/10000 of the currency a unit.")
    status = models.CharField(max_length=10, choices=ACTION_STATES, default="proposed")
    note = models.CharField(max_length=300, blank=True, help_text="Why it was proposed, or where it was announced.")
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "-ex_day"], name="markets_action_status")]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "ex_day", "kind"], name="markets_action_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.instrument} from {self.ex_day}"


class Holiday(models.Model):
    """A day on which an exchange departs from Monday to Friday: closed, or open on a Saturday, Sunday or holiday."""

    exchange = models.CharField(max_length=12)
    day = models.DateField()
    name = models.CharField(max_length=120)
    is_open = models.BooleanField(default=False, help_text="A special session: Muhurat, or a Saturday of the budget.")
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["day", "exchange"]
        constraints = [models.UniqueConstraint(fields=["exchange", "day"], name="markets_holiday_once")]

    def __str__(self) -> str:
        return f"{self.exchange} {self.day} {self.name}"


class MarketDay(models.Model):
    """A day of which prices are here, with its breadth. `generated` as with the instruments."""

    exchange = models.CharField(max_length=12)
    day = models.DateField()
    advances = models.PositiveIntegerField(default=0)
    declines = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    value_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exchange", "day"], name="markets_day_once")]

    def __str__(self) -> str:
        return f"{self.exchange} {self.day}"
