"""Stories of past years for the demo's archive. All of it is invented: places, people and events."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings

from broadsheet.archive.actions import write_pending
from broadsheet.archive.transfer import bring_in_rows
from broadsheet.archive.transfer_rows import Line
from broadsheet.newsroom.actions import Copy
from broadsheet.newsroom.importing import OldStory

# A line each: day, section, headline, standfirst.
OLD = Path(__file__).with_name("old_years.txt")
SECOND = "This story is invented for the demo, like all of them, and what it resembles it resembles from afar."
THIRD = (
    "Those who were there tell it differently now, and two of them tell it better. Their letters are in the box in our "
    "cellar, with the date on it and a ribbon."
)
FOURTH = (
    "The paper of that day cost two rupees, had fourteen pages and a hole where an advertisement had been withdrawn at "
    "midnight."
)


def furnish(now: datetime) -> None:
    """Put the old stories in, as an import would, unless they are there."""
    zone = settings.BROADSHEET.zone
    rows = [line.split("|") for line in OLD.read_text("utf-8").splitlines()]
    lines = []
    for place, (day, section, headline, standfirst) in enumerate(rows):
        at = datetime.fromisoformat(f"{day}T06:00").replace(tzinfo=zone)
        if at < now:
            copy = Copy(
                headline=headline,
                standfirst=standfirst,
                body_html="".join(f"<p>{words}</p>" for words in (standfirst, SECOND, THIRD, FOURTH)),
                section=section,
                tier="metered" if place % 3 else "premium",
                bylines=("From our archive",),
            )
            lines.append(Line(f"demo:{day}", OldStory(copy, at), (), "demo"))
    bring_in_rows(lines, now=now)
    write_pending()
