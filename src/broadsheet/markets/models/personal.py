"""A reader's own: watch lists, alerts, trades. Nobody else sees them, staff included."""

from __future__ import annotations

from django.db import models

from broadsheet.markets.models.instruments import Instrument
from broadsheet.markets.values import ALERT_KINDS, ALERT_STATES, TRADE_KINDS


class WatchList(models.Model):
    reader = models.ForeignKey("readers.Reader", models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "name"], name="markets_list_once")]

    def __str__(self) -> str:
        return self.name


class WatchItem(models.Model):
    watch_list = models.ForeignKey(WatchList, models.CASCADE, related_name="items")
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="+")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["watch_list", "instrument"], name="markets_item_once")]

    def __str__(self) -> str:
        return f"{self.watch_list_id}: {self.instrument_id}"


class Alert(models.Model):
    """above, below: fires when the close reaches `level`, then rests until the close has left it again. change: fires
    on each day whose change, up or down, is at least `level` (bp). Never twice for one day."""

    reader = models.ForeignKey("readers.Reader", models.CASCADE, related_name="+")
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=ALERT_KINDS)
    level = models.BigIntegerField(help_text="1/10000 of the currency; of a change, bp.")
    status = models.CharField(max_length=8, choices=ALERT_STATES, default="armed")
    last_fired_day = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "instrument", "kind", "level"], name="markets_alert_once"),
            models.CheckConstraint(condition=models.Q(level__gt=0), name="markets_alert_level"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.kind} {self.level}"


class Trade(models.Model):
    """What a reader says to have bought, sold or been paid. `units` and `price` in 1/10000; a dividend is `price` a
    unit on `units`. `key` makes a form that is sent twice one trade."""

    reader = models.ForeignKey("readers.Reader", models.CASCADE, related_name="+")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=TRADE_KINDS)
    day = models.DateField()
    units = models.BigIntegerField()
    price = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    note = models.CharField(max_length=120, blank=True)
    key = models.CharField(max_length=40)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["reader", "day", "id"], name="markets_trade_reader")]
        constraints = [
            models.UniqueConstraint(fields=["reader", "key"], name="markets_trade_once"),
            models.CheckConstraint(
                condition=models.Q(units__gt=0, price__gte=0, fee_minor__gte=0), name="markets_trade_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.units} of {self.instrument_id} on {self.day}"
