"""What the wire keeps: every file as it came, every item it knows, every version of each."""

from __future__ import annotations

from django.db import models

RAW_STATES = [
    ("new", "not read yet"),
    ("parsed", "read"),
    ("failed", "quarantined"),
    ("rejected", "rejected by the desk"),
]
STATUSES = [
    ("published", "published"),
    ("held", "held"),
    ("updated", "updated"),
    ("superseded", "superseded"),
    ("withdrawn", "withdrawn"),
    ("rejected", "rejected by the desk"),
]


class RawMessage(models.Model):
    """A file or message as it was received, stored before anybody reads it. Append-only but for its state."""

    source = models.CharField(
        max_length=120, blank=True, help_text="The agency or feed, named by whoever handed it in."
    )
    file_name = models.CharField(max_length=255)
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    deliveries = models.PositiveIntegerField(default=1, help_text="How often the same bytes came.")
    wants_publish = models.BooleanField(default=False, help_text="What passes the gate is published.")
    tier = models.CharField(max_length=12, blank=True)
    state = models.CharField(max_length=10, choices=RAW_STATES, default="new")
    reason = models.CharField(max_length=20, blank=True, help_text="Why it is quarantined.")
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "sha256"], name="wire_raw_once")]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="wire_raw_latest"),
            models.Index(fields=["state"], condition=models.Q(state__in=["new", "failed"]), name="wire_raw_open"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.state})"


class WireItem(models.Model):
    """One story of one agency, across its versions. What is newest here decides what may still arrive."""

    source = models.CharField(max_length=120, blank=True)
    uri = models.CharField(max_length=500)
    version = models.PositiveIntegerField(null=True, blank=True)
    version_created = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    story = models.ForeignKey("newsroom.Article", models.SET_NULL, null=True, blank=True, related_name="+")
    withdrawn = models.BooleanField(default=False, help_text="The agency canceled it; only a person brings it back.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "uri"], name="wire_item_identity")]

    def __str__(self) -> str:
        return f"{self.uri} v{self.version}"


class WireVersion(models.Model):
    """One version of an item, with what was decided about it and why."""

    item = models.ForeignKey(WireItem, models.CASCADE, related_name="versions")
    raw = models.ForeignKey(RawMessage, models.CASCADE, related_name="versions")
    index = models.PositiveIntegerField()
    version = models.PositiveIntegerField(default=0, help_text="0 when the agency numbers none.")
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    headline = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=10, choices=STATUSES)
    reasons = models.JSONField(default=list, blank=True)
    embargoed_until = models.DateTimeField(null=True, blank=True)
    payload = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "version", "digest"], name="wire_version_once")]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="wire_version_latest"),
            models.Index(fields=["embargoed_until"], condition=models.Q(status="held"), name="wire_version_embargo"),
        ]

    def __str__(self) -> str:
        return f"{self.headline} ({self.status})"
