"""Pages and the articles on them. Positions are in ten-thousandths of the page's width and height, from its top left,
so that one box fits every size of its picture."""

from __future__ import annotations

from django.db import models

from broadsheet.epaper.models.editions import Edition


class EditionPage(models.Model):
    """A page; its pictures are files `<edition>/<number>-<width>-<picture_key>.jpg` of the storage.

    `words` is zlib of a JSON list [[text, x0, y0, x1, y1], …] in reading order; `text` the same words, plain.
    """

    STATES = [("waiting", "waiting"), ("ready", "ready"), ("failed", "failed")]

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="pages")
    number = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=20, blank=True, help_text="What is printed on it, when that is no number.")
    section = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=8, choices=STATES, default="waiting")
    reason = models.CharField(max_length=200, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    source_key = models.CharField(max_length=80, blank=True, help_text="Which page of which file this was made from.")
    picture_key = models.CharField(
        max_length=16, blank=True, help_text="Part of its pictures' names; changes with them."
    )
    width_mm = models.PositiveSmallIntegerField(default=0)
    height_mm = models.PositiveSmallIntegerField(default=0)
    images = models.JSONField(default=list, blank=True, help_text="[[width, height, bytes], …] in pixels, small first.")
    scanned = models.BooleanField(default=False, help_text="A picture without a text layer.")
    text = models.TextField(blank=True)
    words = models.BinaryField(default=bytes, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edition", "number"], name="epaper_page_once")]

    def __str__(self) -> str:
        return f"page {self.number} of edition {self.edition_id}"


class Area(models.Model):
    """An article, advertisement or picture on a page. `boxes` are its parts, [[x0, y0, x1, y1], …]; x0…y1 the box
    around them. `story_id` is the newsroom's story it shows, with how sure that is in hundredths."""

    KINDS = [
        ("story", "story"),
        ("ad", "advertisement"),
        ("picture", "picture"),
        ("other", "other"),
        ("withdrawn", "withdrawn"),
    ]

    page = models.ForeignKey(EditionPage, models.CASCADE, related_name="areas")
    number = models.PositiveSmallIntegerField(help_text="In reading order, from 1.")
    kind = models.CharField(max_length=10, choices=KINDS, default="story")
    x0 = models.PositiveSmallIntegerField()
    y0 = models.PositiveSmallIntegerField()
    x1 = models.PositiveSmallIntegerField()
    y1 = models.PositiveSmallIntegerField()
    boxes = models.JSONField(default=list, blank=True)
    headline = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    story_id = models.BigIntegerField(null=True, blank=True)
    score = models.PositiveSmallIntegerField(default=0)
    continued_as = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="continued_from")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "number"], name="epaper_area_once")]
        indexes = [
            models.Index(fields=["story_id"], condition=models.Q(story_id__isnull=False), name="epaper_area_story"),
        ]

    def __str__(self) -> str:
        return self.headline or f"area {self.number} of page {self.page_id}"
