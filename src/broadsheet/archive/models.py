"""What the index still has to learn. The index itself lies in the data folder and can be built again at any time."""

from django.db import models


class Pending(models.Model):
    """A story whose index entry is out of date. A row for each change: deleting one never forgets a later one."""

    story_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"story {self.story_id}"
