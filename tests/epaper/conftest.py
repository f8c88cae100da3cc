from datetime import timedelta

import pytest

import tests.django_up  # noqa: F401
from broadsheet import clock
from tests import make
from tests.epaper import make_editions as editions


@pytest.fixture
def standing_clock():
    clock.stand_at(make.NOW)
    yield
    clock.stand_at(None)


@pytest.fixture
def story():
    return make.story(headline="Board raises the toll", now=make.NOW - timedelta(hours=3))


@pytest.fixture
def paper(story):
    """Two pages: a story that goes on overleaf, and beside it another."""
    row = editions.edition(
        editions.page(
            editions.area(editions.HARBOUR, 500, headline="Toll rises", story=story),
            editions.area(editions.FERRY, 4000, headline="Ferry board"),
        ),
        editions.page(editions.area(editions.JUMPED, 500), number=2),
    )
    editions.jump(row, 1, 2)
    return row
