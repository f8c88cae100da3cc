"""The Investor in a real browser: what a visitor sees of it, what a subscriber does with it on a phone and at a desk,
with scripts and without, a plan that lacks it, and the end of the subscription that ends it."""

import re
import time
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect
from tests.journeys.looks import DESKTOP, PHONE, look, sign_in, visit
from tests.journeys.test_partners import END, buy, words
from tests.journeys.test_the_whole_road import Demo

pytestmark = pytest.mark.browser
START = "2027-01-10T09:00:00+05:30"
AFTER = "2027-01-10T09:31:00+05:30"  # END cancels a minute before
PLAIN = """
from datetime import date
from broadsheet.subscriptions.models import Plan, Price, Product
row = Plan.objects.create(code="plain", name="Plain", months=1, tax="news", position=8)
row.products.set(Product.objects.exclude(code="investor"))
Price.objects.create(plan=row, amount_minor=9900, currency="INR", new_from=date(2000, 1, 1))
"""
SHARE = "/investor/alx-tidewater/"
TRADES = b"date,kind,instrument,units,price\n2026-12-01,buy,TIDEWATER,10,250.50\n2026-12-01,buy,NOBODY,1,1\n"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("markets") / "paper"
    folder.parent.joinpath("stderr.log").touch()
    made = Demo(folder, publisher_state="Delhi")
    made.open(START)
    made.python(PLAIN)
    _wait_for_prices(made)
    yield made
    made.stop()


def _wait_for_prices(demo):
    """The demo puts them in after its front is up, and then tags its stories."""
    for _ in range(240):
        try:
            with urlopen(f"http://localhost:{demo.port}/investor/") as answer:
                if b'id="named"' in answer.read():
                    return
        except HTTPError:
            pass
        time.sleep(0.5)
    pytest.fail("the demo has no prices")


def at(page, demo, path):
    answer = page.goto(f"http://localhost:{demo.port}{path}")
    assert answer.status == 200
    return answer


def painted(page, selector):
    picture = page.locator(selector).first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    return picture


def test_1_a_visitor_sees_the_markets_and_the_wall(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        at(page, demo, "/")
        painted(page, ".market-strip img").click()
        page.wait_for_url("**/investor/")
        said = words(page)
        assert "At the close of Friday, 8 January 2027" in said
        assert "Generated prices of invented companies." in said
        look(page)
        page.locator(".movers a").first.click()
        page.wait_for_url(re.compile(r"/investor/alx-"))
        assert "Closing prices, 1 year" in words(page)
        assert page.get_by_role("link", name="6 months").count() == 0
        assert page.locator(".wall").count() == 1
        look(page)
        for room in ("watch", "portfolio", "screener"):
            at(page, demo, f"/investor/{room}/")
            assert page.locator(".wall").count() == 1
            look(page)
        page.goto(f"http://localhost:{demo.port}/investor/find/?q=bank")
        look(page)


def test_2_a_registered_reader_sees_no_more(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "meera@reader.example", SHARE)
        assert "It is not part of what you have." in words(page)
        assert page.get_by_role("button", name=re.compile("^Add to")).count() == 0
        look(page)


def test_3_a_subscriber_follows_a_chart_by_pointer_and_by_keys(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "asha@reader.example", SHARE)
        buy(page, demo, "annual")
        page.get_by_text("Payment received").or_(page.get_by_text(re.compile("Welcome|Thank you"))).first.wait_for()
        at(page, demo, SHARE)
        look(page)
        readout, stage = page.locator("[data-readout]"), page.locator("[data-stage]")
        still = readout.inner_text()
        box = stage.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5)
        expect(readout).to_have_text(re.compile(r"^\s*\d+ [A-Z][a-z]{2} 2026"))
        page.mouse.move(box["x"] + 10, box["y"] - 200)
        expect(readout).to_have_text(still, use_inner_text=True)
        page.get_by_role("slider", name="A day on the chart").focus()
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        assert page.get_by_role("slider").get_attribute("aria-valuetext").startswith("7 Jan 2027, ")
        look(page)

        loads = []
        page.on("load", lambda _: loads.append(page.url))
        page.get_by_role("link", name="6 months").click()
        page.get_by_role("heading", name="Closing prices, 6 months").wait_for()
        assert page.url.endswith("?range=6m")
        page.get_by_label("Compare with").fill("Kosha Bank")
        page.get_by_role("button", name="Compare").click()
        page.get_by_role("heading", name="Beside Kosha Bank, 6 months").wait_for()
        assert page.evaluate("document.activeElement.id") == "with"
        look(page)
        page.get_by_role("link", name="Show alone").click()
        page.get_by_role("heading", name="Closing prices, 6 months").wait_for()
        assert loads == []
        page.get_by_text("The chart as a table").click()
        look(page)


def test_4_lists_alerts_trades_and_the_screener_on_a_phone(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        sign_in(page, demo.port, "asha@reader.example", SHARE)
        page.get_by_role("button", name="Add to a watch list").click()
        assert "It is on your list." in words(page)
        page.get_by_role("link", name="Set an alert").click()
        page.get_by_label("Price, or percent of a move").fill("300")
        page.get_by_role("button", name="Set the alert").click()
        assert "The alert is set." in words(page)
        page.get_by_label("Add to Watch list").fill("KOSHA")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("button", name="Move Kosha Bank up").click()
        assert page.locator(".watched tbody th").all_inner_texts()[0].startswith("Kosha Bank")
        look(page)
        at(page, demo, "/investor/portfolio/")
        look(page)
        page.get_by_label("Instrument", exact=True).fill("SAGARIKA")
        page.get_by_label("Day", exact=True).fill("2026-06-01")
        page.get_by_label("Units").fill("40")
        page.get_by_label("Price of one").fill("1,100.25")
        page.get_by_role("button", name="Note it").click()
        assert "The trade is noted." in words(page)
        page.get_by_label("File", exact=True).set_input_files(
            {"name": "t.csv", "mimeType": "text/csv", "buffer": TRADES}
        )
        page.get_by_role("button", name="Send it").click()
        assert "1 trade was noted, 1 line was not taken." in words(page)
        look(page)
        at(page, demo, "/investor/screener/?near_high=20&order=-1y")
        assert page.locator(".screened tbody tr").count() > 3
        look(page)


def test_5_a_story_shows_the_price_in_place_and_is_marked_on_the_chart(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "asha@reader.example", SHARE)
        page.locator("[data-story] a").first.click()
        card = painted(page, ".named img")
        assert card.get_attribute("width") == "480"
        look(page)


def test_6_without_scripts_every_range_is_a_page(chromium, demo):
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"http://localhost:{demo.port}{SHARE}")
    assert page.locator("svg.chart-narrow").is_visible()
    assert not page.locator("svg.chart-wide").is_visible()
    context.close()


def test_7_a_plan_without_it_walls_it(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "ravi@reader.example", SHARE)
        buy(page, demo, "plain")
        at(page, demo, SHARE)
        assert "It is not part of what you have." in words(page)
        look(page)


def test_8_the_end_of_the_subscription_ends_it(chromium, demo):
    demo.python(END)
    demo.stop()
    demo.open(AFTER)
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "asha@reader.example", SHARE)
        assert page.locator(".wall").count() == 1
        at(page, demo, "/investor/portfolio/")
        assert "Sagarika" not in words(page)
