"""What every page of the admin says while the whole paper is open."""

from __future__ import annotations

from typing import Any

from django import template

from broadsheet.access.queries import emergency_since

register = template.Library()


@register.inclusion_tag("desk/admin/emergency_banner.html")
def emergency_banner() -> dict[str, Any]:
    return {"began": emergency_since()}
