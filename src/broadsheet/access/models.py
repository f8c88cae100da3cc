"""Grants say what is allowed; meter reads what a registered reader has used up; policy revisions what was decided."""

from django.db import models


class Grant(models.Model):
    """One product, one reader, `[starts_at, ends_at)`. Written by what sold or gave it, named in `source`."""

    reader = models.ForeignKey("readers.Reader", models.CASCADE, related_name="+")
    product = models.SlugField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "product"], name="access_grant_once_per_source"),
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gte=models.F("starts_at")),
                name="access_grant_ends_after_start",
            ),
        ]
        indexes = [models.Index(fields=["reader", "ends_at"], name="access_grant_reader")]

    def __str__(self) -> str:
        return f"{self.product} for reader {self.reader_id}"


class MeterRead(models.Model):
    """A registered reader's first read of one story in one window. The constraint makes a race count once."""

    reader = models.ForeignKey("readers.Reader", models.CASCADE, related_name="+")
    window = models.CharField(max_length=24)
    story_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "window", "story_id"], name="access_meter_read_once"),
        ]
        indexes = [models.Index(fields=["reader", "-at"], name="access_meter_latest")]

    def __str__(self) -> str:
        return f"reader {self.reader_id} read {self.story_id} in {self.window}"


class PolicyRevision(models.Model):
    """One decision of the publisher's about the wall, whole. Rows are only ever added; the newest holds."""

    values = models.JSONField()  # rules.policy_values, without the revision: that is the row's id
    at = models.DateTimeField()
    by = models.ForeignKey("readers.Reader", models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(max_length=254, blank=True)  # stays when the account is gone
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        permissions = [("decide_policy", "Can change the access policy")]

    def __str__(self) -> str:
        return f"policy {self.pk}"
