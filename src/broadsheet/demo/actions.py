"""Fills an empty data folder with the demo paper. Every step may be repeated; a repeated one changes nothing."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from wagtail.images.models import Image
from wagtail.models import Collection

from broadsheet.demo import queries, rules
from broadsheet.newsroom.actions import ensure_section, ensure_workflow, file_story
from broadsheet.newsroom.queries import latest_cards
from broadsheet.payments.actions import ensure_default_taxes
from broadsheet.payments.adapters import sandbox
from broadsheet.readers.actions import create_editor, ensure_reader, mark_verified
from broadsheet.readers.queries import ReaderCard, reader_by_email
from broadsheet.subscriptions.actions import complete_checkout, ensure_default_plans, start_checkout
from broadsheet.subscriptions.queries import current_subscription
from broadsheet.website.actions import ensure_site

SUBSCRIBED_AGO = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What `seed` added; zeros when everything was there."""

    stories: int
    readers: int


def seed(*, now: datetime) -> Seeded:
    """Sections, stories with pictures, fronts, standing pages, plans and the three personas who have an account."""
    with transaction.atomic():
        for position, section in enumerate(rules.SECTIONS):
            ensure_section(name=section.name, slug=section.slug, position=position, language=section.language)
        # A paper that has a story has all of the demo's: they come in one transaction, and editors may delete some.
        filed = 0 if latest_cards(1) else _file_stories(now)
        ensure_site(name=rules.NAME, standing=queries.standing_pages())
        ensure_workflow()
        ensure_default_taxes()
        ensure_default_plans(currency=settings.BROADSHEET.currency)
    return Seeded(stories=filed, readers=_ensure_personas(now))


def _file_stories(now: datetime) -> int:
    stories = queries.stories()
    images = _hang_pictures(stories)
    for story in stories:
        copy = replace(story.copy, picture_id=images.get(story.picture))
        file_story(copy=copy, now=now, publish=True, at=now - story.age)
    return len(stories)


def _hang_pictures(stories: Iterable[queries.DemoStory]) -> dict[str, int]:
    """Copy the drawings to where uploads lie and enter them as images. Returns the images' ids by file name."""
    folder = Path(settings.MEDIA_ROOT) / "original_images"
    folder.mkdir(parents=True, exist_ok=True)
    collection = Collection.get_first_root_node()
    rows = []
    for story in stories:
        if not story.picture:
            continue
        source = queries.picture_path(story.picture)
        shutil.copyfile(source, folder / source.name)
        rows.append(_image(source, story, collection))
    return {Path(image.file.name).name: image.pk for image in Image.objects.bulk_create(rows)}


def _image(source: Path, story: queries.DemoStory, collection: Collection) -> Image:
    content = source.read_bytes()
    width, height = rules.drawing_size(content.decode("utf-8"))
    return Image(
        title=story.copy.picture_caption[:255] or source.stem,
        file=f"original_images/{source.name}",
        description=story.copy.picture_alt[:255],
        width=width,
        height=height,
        file_size=len(content),
        file_hash=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        collection=collection,
    )


def _ensure_personas(now: datetime) -> int:
    made = 0
    for who in rules.PERSONAS:
        if not who.email or reader_by_email(who.email):
            continue
        made += 1
        if who.door == "editor":
            # Nobody needs the password: the door signs in without one, and it is not the same in two demos.
            create_editor(email=who.email, password=secrets.token_urlsafe(16), name=who.name, now=now)
        else:
            ensure_reader(email=who.email, now=now)
            mark_verified(reader_id=_card(who).id, now=now)
    _ensure_subscription(now)
    return made


def _card(who: rules.Persona) -> ReaderCard:
    card = reader_by_email(who.email)
    assert card is not None
    return card


def _ensure_subscription(now: datetime) -> None:
    """The subscriber bought the annual plan at the sandbox till a while ago, like anybody else."""
    who = rules.persona("subscriber")
    assert who is not None
    reader_id = _card(who).id
    if current_subscription(reader_id):
        return
    then = now - SUBSCRIBED_AGO
    checkout = start_checkout(reader_id=reader_id, plan_code=rules.SUBSCRIBER_PLAN, next_path="/", now=then)
    token = checkout.url.rstrip("/").rsplit("/", 1)[-1]
    sandbox.decide(token=token, pay=True, renewals_decline=False, now=then)
    complete_checkout(subscription_id=checkout.subscription_id, now=then)
