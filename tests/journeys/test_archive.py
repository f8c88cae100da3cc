"""The archive in a real browser: a visitor searches the open months and is told that there is more, a subscriber leafs
back to the first year, a plan without it walls it, and the end of the subscription ends it."""

import re
import time

import pytest
from tests.journeys.looks import DESKTOP, PHONE, look, sign_in, visit
from tests.journeys.test_partners import buy, rooms, words
from tests.journeys.test_the_whole_road import Demo

pytestmark = pytest.mark.browser
START = "2027-01-10T09:00:00+05:30"
PLAIN = """
from datetime import date
from broadsheet.subscriptions.models import Plan, Price, Product
row = Plan.objects.create(code="plain", name="Plain", months=1, tax="news", position=8)
row.products.set(Product.objects.exclude(code="archive"))
Price.objects.create(plan=row, amount_minor=9900, currency="INR", new_from=date(2000, 1, 1))
"""
END = """
from datetime import timedelta
from broadsheet import clock
from broadsheet.readers.queries import reader_by_email
from broadsheet.subscriptions import actions, queries
row = queries.current_subscription(reader_by_email("asha@reader.example").id)
clock.stand_at(row.started_at + timedelta(seconds=1))  # before what the paper's own clock says by now
actions.cancel(subscription_id=row.id, when="now", refund="none", actor="desk", now=clock.now())
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive") / "paper"
    folder.parent.joinpath("stderr.log").touch()
    made = Demo(folder, publisher_state="Delhi")
    made.open(START)
    until = time.monotonic() + 240
    while "archive" not in rooms(folder):  # furnished in the background
        assert time.monotonic() < until
        time.sleep(0.5)
    made.python(PLAIN)
    yield made
    made.stop()


def go(page, demo, path):
    page.goto(f"http://localhost:{demo.port}{path}")


def is_walled(page):
    return page.locator(".wall-benefit").count() == 1


def test_1_a_visitor_searches_the_open_months_alone(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        go(page, demo, "/search?q=mill")
        assert "You search what was published since 10 October 2026." in words(page)
        assert "Sonpar" not in words(page).replace("Sonpar’s", "")
        look(page)
        go(page, demo, "/search?q=looms+sonpar+four+hundred")
        assert "No story matches" in words(page)
        go(page, demo, "/archive/")
        assert page.locator(".years li").count() == 31
        look(page)
        page.get_by_role("link", name=re.compile("^1998")).click()
        assert is_walled(page)
        look(page)
        for path in ("/archive/1998/05/04/", "/archive/1998/05/05/", "/archive/1999/"):
            go(page, demo, path)
            assert is_walled(page), path
        go(page, demo, "/archive/2027/01/10/")
        assert page.locator(".day-stories li").count() > 0
        look(page)


def test_2_a_subscriber_leafs_back_to_the_first_year(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "asha@reader.example", "/archive/1998/")
        assert is_walled(page)
        buy(page, demo, "annual")
        go(page, demo, "/archive/")
        page.get_by_role("link", name=re.compile("^1998")).click()
        page.get_by_role("link", name=re.compile("^May")).click()
        page.wait_for_url("**/archive/1998/05/")
        look(page)
        page.get_by_role("link", name=re.compile("^4 1")).click()
        assert "Sonpar mill opens with four hundred looms" in words(page)
        look(page)
        go(page, demo, "/search?q=sonpar&order=oldest")
        assert page.locator(".results .headline").first.inner_text() == "Sonpar mill opens with four hundred looms"
        assert "Older years are for subscribers" not in words(page)
        look(page)
        page.get_by_role("link", name="2025").click()
        assert "Sonpar mill, now a library" in words(page)
        page.get_by_role("link", name="Without: 2025").click()
        assert "Sonpar mill opens" in words(page)


def test_3_a_plan_without_it_walls_it(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "ravi@reader.example", "/archive/")
        buy(page, demo, "plain")
        go(page, demo, "/archive/1998/05/04/")
        assert is_walled(page)
        go(page, demo, "/search?q=sonpar+looms")
        assert "Older years are for subscribers" in words(page)


def test_4_the_end_of_the_subscription_ends_it(chromium, demo):
    demo.python(END)
    with visit(chromium, demo.port, PHONE) as page:
        sign_in(page, demo.port, "asha@reader.example", "/archive/1998/05/04/")
        assert is_walled(page)
