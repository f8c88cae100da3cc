"""What the index still has to learn, how many stories a day has, what was imported, and where old addresses lead.

The index itself lies in the data folder and can be built again at any time; so can the days.
"""

from django.db import models


class Pending(models.Model):
    """A story whose index entry is out of date. A row for each change: deleting one never forgets a later one."""

    story_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"story {self.story_id}"


class Day(models.Model):
    """How many published stories a day (in the publisher's zone) has: the calendar counts no stories."""

    day = models.DateField(primary_key=True)
    stories = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.stories}"


class Imported(models.Model):
    """A story that came from another system, by that system's own id. `digest` is of the line it came from."""

    source_id = models.CharField(max_length=200, unique=True)
    story_id = models.BigIntegerField(db_index=True)
    digest = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.source_id


class Moved(models.Model):
    """An address of another system (path, and query if it had one) and the story that stands there now."""

    path = models.CharField(max_length=500, unique=True)
    story_id = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.path
