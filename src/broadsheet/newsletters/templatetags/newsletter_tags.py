"""What staff templates ask of newsletters."""

from __future__ import annotations

from typing import Any

from django import template

from broadsheet.newsletters.admin_views import EDITS
from broadsheet.newsletters.queries import troubles

register = template.Library()


@register.inclusion_tag("newsletters/admin/banner.html", takes_context=True)
def newsletter_banner(context: template.Context) -> dict[str, Any]:
    """Sendings in trouble, on every staff page of whoever can do something about them."""
    request = context.get("request")
    user = getattr(request, "user", None)
    return {"troubles": troubles() if user is not None and user.has_perm(EDITS) else ()}
