"""The demo's e-paper: today's automatic edition from its stories, and yesterday's."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from broadsheet.dates import local_date
from broadsheet.epaper.actions import composing
from broadsheet.epaper.desk_queries import desk_edition


def furnish(now: datetime) -> None:
    """Order both editions; they are set in the background."""
    today = local_date(now, settings.BROADSHEET.zone)
    for day in (today, today - timedelta(days=1)):
        edition_id = composing.open_edition(day=day, now=now)
        found = desk_edition(edition_id)
        if found and found.state == "draft" and composing.propose_places(edition_id=edition_id):
            composing.order(edition_id=edition_id)
