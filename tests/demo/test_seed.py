"""Filling a folder with the demo paper: everything is there, and doing it again changes nothing."""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta

import pytest
from django.conf import settings
from wagtail.images.models import Image
from wagtail.models import Page

from broadsheet.access.products import CODES
from broadsheet.access.queries import live_grants
from broadsheet.demo.actions import Seeded, seed
from broadsheet.newsroom import queries as newsroom
from broadsheet.readers.queries import reader_by_email
from broadsheet.subscriptions.queries import current_subscription, plan_cards
from tests.make import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "MEDIA_ROOT", str(tmp_path / "media"))
    monkeypatch.setattr(settings, "BROADSHEET", dataclasses.replace(settings.BROADSHEET, demo=True))
    return tmp_path / "media"


def snapshot():
    return (
        [(card.id, card.path, card.published_at) for card in newsroom.latest_cards(100)],
        list(Image.objects.order_by("pk").values_list("pk", "file")),
        list(Page.objects.order_by("path").values_list("path", "slug")),
        [section.slug for section in newsroom.sections()],
        [reader_by_email(f"{door}@meridian.example") for door in ("reader", "subscriber", "editor")],
        current_subscription(reader_by_email("subscriber@meridian.example").id),
    )


def test_the_whole_paper_is_there_and_seeding_again_changes_nothing(media):
    assert seed(now=NOW) == Seeded(stories=47, readers=3)
    cards = newsroom.latest_cards(100)
    assert len(cards) == 47
    assert cards[0].headline == "Aldex closes at a record as lenders and shipowners lead"
    assert cards[0].published_at == NOW - timedelta(hours=1)
    assert [card.headline for card in cards if card.priority == 1] == [
        "Alderport votes for the deep water: ₹18,400-crore harbour to rise at Gull Shoal"
    ]
    assert [section.slug for section in newsroom.sections()][0::10] == ["economy", "hindi"]
    assert set(Page.objects.values_list("slug", flat=True)) >= {"front", "about", "privacy", "economy", "hindi"}
    assert len(plan_cards("en")) == 3
    before = snapshot()
    assert seed(now=NOW + timedelta(hours=5)) == Seeded(stories=0, readers=0)
    assert snapshot() == before


def test_pictures_are_images_the_newsroom_can_pick(media):
    seed(now=NOW)
    [lead] = [card for card in newsroom.latest_cards(100) if card.priority == 1]
    assert lead.picture.src == "/media/original_images/harbour-cranes.svg"
    assert (lead.picture.width, lead.picture.height) == (1200, 800)
    assert lead.picture.alt.startswith("Ink drawing of four quay cranes")
    assert (media / "original_images" / "harbour-cranes.svg").is_file()
    assert Image.objects.count() == 27
    assert Image.objects.first().is_svg()


def test_the_personas_can_do_what_their_doors_say():
    seed(now=NOW)
    reader, subscriber, editor = (
        reader_by_email(f"{door}@meridian.example") for door in ("reader", "subscriber", "editor")
    )
    assert (reader.staff, reader.verified, list(live_grants(reader.id, NOW))) == (False, True, [])
    assert {row.product for row in live_grants(subscriber.id, NOW)} == set(CODES)
    assert current_subscription(subscriber.id).status == "active"
    assert (editor.staff, list(live_grants(editor.id, NOW))) == (True, [])


def test_a_story_an_editor_deleted_stays_deleted():
    seed(now=NOW)
    gone = newsroom.latest_cards(1)[0].id
    from broadsheet.newsroom.actions import withdraw_story

    withdraw_story(story_id=gone, reason="wrong", now=NOW)
    seed(now=NOW)
    assert len(newsroom.latest_cards(100)) == 46


def test_seeding_takes_a_moment():
    begin = time.process_time()
    seed(now=NOW)
    assert time.process_time() - begin < 3
