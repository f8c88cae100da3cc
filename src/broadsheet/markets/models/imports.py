"""What came in, and what of it was not believed."""

from __future__ import annotations

from django.db import models

from broadsheet.markets.models.instruments import Instrument
from broadsheet.markets.values import HELD_STATES, IMPORT_STATES


class PriceImport(models.Model):
    """A file or answer as it was taken in, in one transaction with its prices.

    rows_read = rows_new + rows_changed + rows_same + rows_held + rows_skipped, always: a constraint says so.
    """

    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    layout = models.CharField(max_length=24, blank=True)
    exchange = models.CharField(max_length=12, blank=True)
    day = models.DateField(null=True, help_text="The day of its rows; of several, the latest.")
    days = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=12, choices=IMPORT_STATES)
    detail = models.CharField(max_length=300, blank=True, help_text="Why it was refused, or what it replaced.")
    rows_read = models.PositiveIntegerField(default=0)
    rows_new = models.PositiveIntegerField(default=0)
    rows_changed = models.PositiveIntegerField(default=0)
    rows_same = models.PositiveIntegerField(default=0)
    rows_held = models.PositiveIntegerField(default=0)
    rows_skipped = models.PositiveIntegerField(default=0)
    instruments_new = models.PositiveIntegerField(default=0)
    actions_proposed = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict, help_text="Reason: count, of rows held and skipped.")
    warnings = models.JSONField(default=list)
    replaces = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    changes = models.JSONField(default=list, help_text="What a correction replaced: code, day, old close, new close.")
    came_by = models.CharField(max_length=12, default="command", help_text="command, folder, upload or feed.")
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["sha256"], name="markets_import_sha"),
            models.Index(fields=["exchange", "layout", "-day"], name="markets_import_day"),
        ]
        constraints = [
            # Two processes that find the same file: one of them fails here and takes it for the repetition it is.
            models.UniqueConstraint(fields=["sha256"], condition=models.Q(status="done"), name="markets_import_once"),
            models.CheckConstraint(
                condition=models.Q(
                    rows_read=models.F("rows_new")
                    + models.F("rows_changed")
                    + models.F("rows_same")
                    + models.F("rows_held")
                    + models.F("rows_skipped")
                ),
                name="markets_import_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.status})"


class HeldRow(models.Model):
    """A row that was not believed: it waits for an editor, who accepts it as it is or rejects it."""

    source = models.ForeignKey(PriceImport, models.CASCADE, related_name="held", db_column="import_id")
    line = models.PositiveIntegerField(help_text="Of the file, 1 is its first.")
    reason = models.CharField(max_length=24)
    detail = models.CharField(max_length=300, blank=True)
    instrument = models.ForeignKey(Instrument, models.SET_NULL, null=True, related_name="+")
    day = models.DateField(null=True)
    row = models.JSONField(help_text="The values as read, for what accepting files.")
    text = models.TextField(help_text="The line as it came, cut at 1,000 signs.")
    status = models.CharField(max_length=10, choices=HELD_STATES, default="waiting")
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "-id"], name="markets_held_status")]

    def __str__(self) -> str:
        return f"line {self.line} of {self.source_id}: {self.reason}"
