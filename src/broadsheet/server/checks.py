"""Options that name what editors make: told as a warning, never as an error, since editors go on making it."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning

from broadsheet.access.queries import current_policy
from broadsheet.newsroom.queries import sections


@register(Tags.database)
def limits_name_sections(databases: Collection[str] | None = None, **_: object) -> list[CheckMessage]:
    """A ceiling for a section that the paper does not have limits nothing: most likely its name is misspelt."""
    if not databases:  # asked before there are tables
        return []
    known = {section.slug for section in sections()}
    named = {*settings.BROADSHEET.section_limits, *current_policy().section_limits}
    return [
        CheckWarning(
            f"section_limits names {slug!r}, and the paper has no such section.",
            hint=f"The paper's sections are {', '.join(sorted(known)) or 'not made yet'}.",
            id="broadsheet.server.W001",
        )
        for slug in sorted(named - known)
    ]
