"""The day's editions, the files that came in for them, and the editors' choice of stories."""

from __future__ import annotations

from django.db import models


class Edition(models.Model):
    """One newspaper of one day and city. `city` is a slug, empty for a paper that has one edition a day.

    Its files lie in the storage "epaper" under `<id>/`. `revision` grows whenever a page or the PDF is replaced.
    A reader may open it while it is `published` or `processing` (then only its ready pages).
    """

    KINDS = [("imported", "imported"), ("typeset", "typeset")]
    STATES = [
        ("draft", "draft"),
        ("processing", "processing"),
        ("published", "published"),
        ("failed", "failed"),
        ("withdrawn", "withdrawn"),
    ]

    date = models.DateField()
    city = models.SlugField(max_length=40, blank=True)
    title = models.CharField(max_length=80, blank=True, help_text="Such as Delhi or Late City; empty for the only one.")
    language = models.CharField(max_length=12, default="en")
    kind = models.CharField(max_length=10, choices=KINDS)
    state = models.CharField(max_length=12, choices=STATES, default="draft")
    reason = models.CharField(max_length=300, blank=True, help_text="Why it failed or was withdrawn.")
    pages_total = models.PositiveSmallIntegerField(default=0)
    pages_ready = models.PositiveSmallIntegerField(default=0)
    revision = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True, help_text="When its first page could be read.")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When its last page could be read.")
    pdf_name = models.CharField(max_length=100, blank=True, help_text="In the storage; empty: nothing to download.")
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    pdf_bytes = models.PositiveBigIntegerField(default=0)
    mark_places = models.JSONField(default=list, blank=True, help_text="Where in the PDF a reader's name goes.")
    leased_until = models.DateTimeField(null=True, blank=True, help_text="While somebody makes its pages.")
    notes = models.JSONField(default=list, blank=True, help_text="What an editor should know: scanned pages and so on.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["date", "city"], name="epaper_edition_once")]
        indexes = [
            models.Index(
                fields=["-date", "city"],
                condition=models.Q(published_at__isnull=False, state__in=["processing", "published"]),
                name="epaper_edition_open",
            ),
            models.Index(fields=["city", "-date"], name="epaper_edition_city"),
            models.Index(fields=["state", "date"], name="epaper_edition_state"),
        ]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d}{' ' + (self.title or self.city) if self.title or self.city else ''}"


class Intake(models.Model):
    """A file of the press, one row for each part of an edition: taken in, or put aside with its reason."""

    OUTCOMES = [
        ("waiting", "waiting"),
        ("imported", "imported"),
        ("quarantined", "quarantined"),
        ("replaced", "replaced by another file"),
    ]

    edition = models.ForeignKey(Edition, models.CASCADE, null=True, blank=True, related_name="intakes")
    part = models.PositiveSmallIntegerField(default=1, help_text="Its place when a page is a file.")
    name = models.CharField(max_length=200, help_text="The file's own name, for the editor.")
    stored = models.CharField(max_length=120, blank=True, help_text="Its name in the storage.")
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField(default=0)
    pages = models.PositiveSmallIntegerField(default=0)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=OUTCOMES, default="waiting")
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "part"],
                condition=models.Q(outcome__in=["waiting", "imported"]),
                name="epaper_intake_part_once",
            ),
        ]
        indexes = [
            models.Index(fields=["sha256"], name="epaper_intake_sha"),
            models.Index(fields=["outcome", "-received_at"], name="epaper_intake_outcome"),
        ]

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """A story's place in the automatic edition, as editors or the rule chose it. Stories stand in order of `position`
    on the page asked for; `page` 0 leaves it to the typesetter."""

    ROLES = [("lead", "lead"), ("story", "story"), ("brief", "brief")]

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="places")
    story_id = models.BigIntegerField()
    position = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=8, choices=ROLES, default="story")
    page = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["edition", "story_id"], name="epaper_place_once")]
        indexes = [models.Index(fields=["story_id"], name="epaper_place_story")]

    def __str__(self) -> str:
        return f"story {self.story_id} in edition {self.edition_id}"
