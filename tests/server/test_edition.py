"""What is printed is of the edition that the gates believe in, whoever prints and whenever the frame changed."""

import dataclasses

import pytest
from tests import make
from tests.django_up import kept_database  # noqa: F401 - its tests commit

from broadsheet.bus import actions as bus
from broadsheet.bus.models import Notice
from broadsheet.gate.shelf import Shelf
from broadsheet.press.queries import chrome, stores
from broadsheet.server.jobs import renew_edition
from broadsheet.server.wiring import gate_ports

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shelf():
    renew_edition()
    Notice.objects.all().delete()
    return Shelf(stores())


def rename(settings, name):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, name=name)


def editions_announced():
    return list(Notice.objects.filter(kind="edition").values_list("value", flat=True))


def test_a_story_asked_for_right_after_the_frame_changed_is_printed_so_that_it_may_be_served(shelf, settings):
    story = make.story()
    rename(settings, "The Later Post")
    assert gate_ports().print_story(story)
    shelf.look_at_edition()
    held = shelf.story(story)
    assert b"The Later Post" in shelf.sheet(held, "full").plain
    assert b"The Later Post" in shelf.sheet(held, "limit").plain
    assert editions_announced() == [chrome().edition]
    assert gate_ports().print_story(story)
    assert len(editions_announced()) == 1


def test_an_address_of_nothing_costs_no_look_at_the_edition(shelf, settings, django_assert_num_queries):
    rename(settings, "The Never Post")
    with django_assert_num_queries(1):
        assert not gate_ports().print_story(999_999)
    assert editions_announced() == []


def test_a_front_too(shelf, settings):
    rename(settings, "The Later Front")
    assert gate_ports().print_page("/")
    shelf.look_at_edition()
    assert b"The Later Front" in shelf.page(b"/").sheets["page"].plain


def test_an_edition_that_could_not_be_announced_is_announced_at_the_next_look(shelf, settings, monkeypatch):
    before = shelf.edition
    rename(settings, "The Silent Post")

    def broken(*_):
        raise OSError("the database is away")

    with monkeypatch.context() as broken_bus:
        broken_bus.setattr(bus, "announce", broken)
        with pytest.raises(OSError):
            renew_edition()
    assert (stores().public.note("edition"), editions_announced()) == (before, [])
    renew_edition()
    assert stores().public.note("edition") == chrome().edition != before
    assert editions_announced() == [chrome().edition]
