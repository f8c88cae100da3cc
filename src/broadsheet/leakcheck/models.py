"""What was tried on the running paper, and what leaked. Rows, not files: the report, the alarm and the health page ask
the same questions of them from several processes, and they are backed up with the rest."""

from django.db import models


class LeakRun(models.Model):
    """One look at the paper from outside. `ended_at` empty: under way, or cut off."""

    KINDS = (("night", "every night"), ("publish", "after a publication"))

    kind = models.CharField(max_length=10, choices=KINDS)
    started_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    seed = models.PositiveIntegerField(default=0)
    stories = models.PositiveIntegerField(default=0)
    probes = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["night", "publish"]), name="leakcheck_run_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.started_at:%Y-%m-%d %H:%M}"


class LeakFinding(models.Model):
    """One leak: where, how it was asked for, and the words that gave it away. Open until somebody closes it, or until
    a whole night's run finds nothing."""

    run = models.ForeignKey(LeakRun, on_delete=models.CASCADE, related_name="+")
    story = models.CharField(max_length=40, blank=True)
    surface = models.CharField(max_length=200)
    reader = models.CharField(max_length=60)
    trick = models.CharField(max_length=200)
    evidence = models.CharField(max_length=200)
    request = models.CharField(max_length=400)
    closed_at = models.DateTimeField(null=True, db_index=True)
    closed_by = models.CharField(max_length=150, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.surface}: {self.evidence}"


class DueStory(models.Model):
    """A story that went live and has not been looked at from outside since. A row for each publication."""

    story_id = models.BigIntegerField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"story {self.story_id}"
