"""Prices of the day's end, and what pages read instead of walking through them."""

from __future__ import annotations

from django.db import models

from broadsheet.markets.models.instruments import Instrument


class Price(models.Model):
    """One instrument's day as the exchange reported it, never adjusted.

    Thirty years of ten thousand instruments are 75 million rows: one index, and every query names an instrument.
    """

    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="prices", db_index=False)
    day = models.DateField()
    open = models.BigIntegerField(null=True)
    high = models.BigIntegerField(null=True)
    low = models.BigIntegerField(null=True)
    close = models.BigIntegerField()
    prev_close = models.BigIntegerField(null=True, help_text="As the exchange states it on this day.")
    volume = models.BigIntegerField(null=True)
    value_minor = models.BigIntegerField(null=True, help_text="Turnover in paise.")
    trades = models.BigIntegerField(null=True)
    source = models.ForeignKey(
        "markets.PriceImport", models.PROTECT, null=True, related_name="+", db_index=False, db_column="import_id"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "day"], name="markets_price_once"),
            models.CheckConstraint(condition=models.Q(close__gt=0), name="markets_price_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.day} {self.close}"


class Snapshot(models.Model):
    """The latest of an instrument, computed anew at every import that touches it: a row of fronts and screener."""

    instrument = models.OneToOneField(Instrument, models.CASCADE, related_name="snapshot", primary_key=True)
    exchange = models.CharField(max_length=12, blank=True)
    kind = models.CharField(max_length=12)
    sector = models.CharField(max_length=60, blank=True)
    day = models.DateField()
    open = models.BigIntegerField(null=True)
    high = models.BigIntegerField(null=True)
    low = models.BigIntegerField(null=True)
    close = models.BigIntegerField()
    prev_close = models.BigIntegerField(null=True)
    change_bp = models.BigIntegerField(null=True)
    volume = models.BigIntegerField(null=True)
    value_minor = models.BigIntegerField(null=True)
    trades = models.BigIntegerField(null=True)
    high_52w = models.BigIntegerField(null=True)
    high_52w_day = models.DateField(null=True)
    low_52w = models.BigIntegerField(null=True)
    low_52w_day = models.DateField(null=True)
    from_high_bp = models.BigIntegerField(null=True, help_text="Close against the 52-week high; 0 at it, else below 0.")
    return_1w = models.BigIntegerField(null=True)
    return_1m = models.BigIntegerField(null=True)
    return_3m = models.BigIntegerField(null=True)
    return_6m = models.BigIntegerField(null=True)
    return_ytd = models.BigIntegerField(null=True)
    return_1y = models.BigIntegerField(null=True)
    return_3y = models.BigIntegerField(null=True)
    return_5y = models.BigIntegerField(null=True)
    pending_since = models.DateField(
        null=True, help_text="Ex-day of an action that waits for an editor: nothing before it is compared with."
    )
    stale = models.BooleanField(default=False, help_text="Older prices have changed: to be computed anew.")
    spark = models.JSONField(default=list, help_text="The last closes, adjusted, oldest first.")

    class Meta:
        indexes = [
            models.Index(fields=["kind", "day", "change_bp"], name="markets_snap_moves"),
            models.Index(fields=["kind", "day", "value_minor"], name="markets_snap_active"),
            models.Index(fields=["stale"], condition=models.Q(stale=True), name="markets_snap_stale"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.day} {self.close}"


class StoryLink(models.Model):
    """A published story that names an instrument. Follows the newsroom's events; can be made anew at any time."""

    story_id = models.BigIntegerField()
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="+", db_index=False)
    published_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["instrument", "-published_at", "-story_id"], name="markets_story_latest"),
            models.Index(fields=["-published_at", "-story_id"], name="markets_story_newest"),
        ]
        constraints = [models.UniqueConstraint(fields=["story_id", "instrument"], name="markets_story_once")]

    def __str__(self) -> str:
        return f"story {self.story_id}: {self.instrument_id}"
