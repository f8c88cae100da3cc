"""What is handed out once, and what was handed in. Clients and tokens are allauth's own tables."""

from django.db import models


class Ticket(models.Model):
    """A code on its way, for minutes: in the database, so that any process on any machine can take it back."""

    key = models.CharField(max_length=255, unique=True)
    value = models.TextField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key[:60]


class Spent(models.Model):
    """A code or refresh token that was exchanged. Its row is the proof: whoever comes second comes with a copy.

    `answer`: what was said, sealed under the token itself, for a repeat of the very same request.
    """

    digest = models.CharField(max_length=64, unique=True)
    device = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)
    asked = models.CharField(max_length=64, blank=True)
    answer = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.digest[:12]
