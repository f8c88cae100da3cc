"""What readers keep of an edition: the whole of it for a journey without a network, or a clipping to show a friend."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from broadsheet.epaper.models.editions import Edition
from broadsheet.epaper.models.pages import Area, EditionPage


class Clip(models.Model):
    """A clipping. Without a digest it is the reader's own; with one, whoever has the link sees it until `expires_at`.

    `source_key` is the page's at the time: a page that was made anew shows something else there. Boxes as in Area.
    """

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.ForeignKey(EditionPage, models.CASCADE, related_name="clips")
    area = models.ForeignKey(Area, models.SET_NULL, null=True, blank=True, related_name="+")
    story_id = models.BigIntegerField(null=True, blank=True)
    x0 = models.PositiveSmallIntegerField()
    y0 = models.PositiveSmallIntegerField()
    x1 = models.PositiveSmallIntegerField()
    y1 = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=300, blank=True)
    source_key = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    token_digest = models.CharField(max_length=64, null=True, blank=True, unique=True)
    shared_at = models.DateTimeField(null=True, blank=True, help_text="From when it counts in the month's allowance.")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    opened = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["reader", "-created_at", "-id"], name="epaper_clip_reader"),
            models.Index(
                fields=["reader", "shared_at"], condition=models.Q(shared_at__isnull=False), name="epaper_clip_shared"
            ),
            models.Index(fields=["story_id"], condition=models.Q(story_id__isnull=False), name="epaper_clip_story"),
        ]

    def __str__(self) -> str:
        return self.title or f"clip {self.pk}"


class KeptEdition(models.Model):
    """An edition that a reader saved on a device."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    edition = models.ForeignKey(Edition, models.CASCADE, related_name="+")
    device = models.CharField(max_length=64, blank=True)
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "edition", "device"], name="epaper_kept_once")]

    def __str__(self) -> str:
        return f"edition {self.edition_id} kept by reader {self.reader_id}"


class Handout(models.Model):
    """A PDF that a reader downloaded: the `number`th of that day in the publisher's zone, of which there are few."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    edition = models.ForeignKey(Edition, models.CASCADE, related_name="+")
    day = models.DateField()
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "day", "number"], name="epaper_handout_once")]

    def __str__(self) -> str:
        return f"PDF {self.number} of {self.day:%Y-%m-%d} for reader {self.reader_id}"
