"""What has to be done (jobs), what has changed (notices) and what holds (standing values).

All three are written by bus.actions alone.
"""

from django.db import models


class Job(models.Model):
    """One handler's share of one event. Stays until done; a failing one keeps its error and its next try."""

    handler = models.CharField(max_length=160)
    event = models.CharField(max_length=80)
    payload = models.JSONField()
    created_at = models.DateTimeField()
    run_after = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["run_after", "id"], condition=models.Q(done_at=None), name="bus_job_open"),
            models.Index(fields=["done_at"], name="bus_job_done"),
        ]

    def __str__(self) -> str:
        return f"{self.event} -> {self.handler}"


class Notice(models.Model):
    """The versioned outbox: its growing id is the version a gate worker reads on from."""

    kind = models.CharField(max_length=24)
    key = models.CharField(max_length=160)
    value = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.id} {self.kind}:{self.key}={self.value}"


class Standing(models.Model):
    """What every gate must know from its first answer on: the newest value under each name, as JSON."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.TextField()

    def __str__(self) -> str:
        return self.name
