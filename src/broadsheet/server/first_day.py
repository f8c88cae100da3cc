"""What an empty paper starts with: an editor, a few sections, its fronts and standing pages, its plans."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from broadsheet import clock
from broadsheet.newsletters.actions.issues import ensure_default_lists
from broadsheet.newsroom.actions import ensure_section, ensure_workflow
from broadsheet.payments.actions import ensure_default_taxes
from broadsheet.readers.actions import create_editor
from broadsheet.subscriptions.actions import ensure_default_plans
from broadsheet.website.actions import ensure_site

SECTIONS = (("National", "national"), ("World", "world"), ("Business", "business"), ("Sport", "sport"))


@transaction.atomic
def open_paper(*, editor: str, password: str) -> None:
    """Idempotent but for the password, which is set anew."""
    now = clock.now()
    create_editor(email=editor, password=password, name="Editor", now=now)
    for position, (name, slug) in enumerate(SECTIONS):
        ensure_section(name=name, slug=slug, position=position)
    ensure_workflow()
    ensure_default_taxes()
    ensure_default_plans(currency=settings.BROADSHEET.currency)
    ensure_default_lists()
    ensure_site(name=settings.BROADSHEET.name)
