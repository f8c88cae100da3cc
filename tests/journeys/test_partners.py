"""A partner's title in a real browser: two clicks to a code on a phone, nothing for who has no plan with it, the end of
the subscription that ends it, and a voucher of the partner's own."""

import re
import time

import pytest
from tests.journeys.looks import DESKTOP, PHONE, look, sign_in, visit
from tests.journeys.test_the_whole_road import Demo

pytestmark = pytest.mark.browser
START = "2027-01-10T09:00:00+05:30"
PLAIN = """
from datetime import date
from broadsheet.subscriptions.models import Plan, Price, Product
row = Plan.objects.create(code="plain", name="Plain", months=1, tax="news", position=8)
row.products.set(Product.objects.exclude(code="partner"))
Price.objects.create(plan=row, amount_minor=9900, currency="INR", new_from=date(2000, 1, 1))
"""
END = """
from datetime import timedelta
from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.readers.queries import reader_by_email
from broadsheet.subscriptions import actions, queries
row = queries.current_subscription(reader_by_email("asha@reader.example").id)
clock.stand_at(row.started_at + timedelta(seconds=1))  # before what the paper's own clock says by now
actions.cancel(subscription_id=row.id, when="now", refund="none", actor="desk", now=clock.now())
run_due_jobs()
"""
VOUCHER = """
from broadsheet import clock
from broadsheet.dates import parse_instant
from broadsheet.partners.inward import make_vouchers
clock.stand_at(parse_instant("2027-01-10T09:30:00+05:30"))
result = list(make_vouchers(partner="ardenwick-post", welcome="month", count=1, expires_on=None, now=clock.now()))
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("partners") / "paper"
    folder.parent.joinpath("stderr.log").touch()
    made = Demo(folder, publisher_state="Delhi")
    made.open(START)
    until = time.monotonic() + 240
    while "partners" not in rooms(folder):  # furnished in the background
        assert time.monotonic() < until
        time.sleep(0.5)
    made.python(PLAIN)
    yield made
    made.stop()


def rooms(folder):
    state = folder / "demo-rooms.json"
    return state.read_text() if state.exists() else ""


def words(page):
    return page.locator("main").inner_text()


def buy(page, demo, plan):
    page.goto(f"http://localhost:{demo.port}/subscribe/{plan}/")
    page.get_by_label("State or Union Territory").select_option("Karnataka")
    page.get_by_label("PIN code").fill("560 001")
    page.locator("#bill").get_by_text(re.compile("IGST|CGST")).first.wait_for()
    page.get_by_role("button", name=re.compile("^Pay .* by card")).click()
    page.get_by_role("button", name=re.compile("^Pay ₹")).click()
    page.get_by_text("Next payment").wait_for()


def test_1_two_clicks_to_a_code_on_a_phone(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        page.goto(f"http://localhost:{demo.port}/account/partners/")
        assert "/account/sign-in/" in page.url
        sign_in(page, demo.port, "asha@reader.example", "/account/partners/")
        assert "Included with a subscription" in words(page)
        assert page.get_by_role("link", name="Get my code").count() == 0
        look(page)
        buy(page, demo, "annual")
        page.goto(f"http://localhost:{demo.port}/account/")
        page.get_by_role("link", name="Complimentary access to our partner titles").click()
        look(page)
        page.get_by_role("link", name="Get my code").click()
        look(page)
        page.get_by_role("button", name="Get my code").click()
        code = page.locator("[data-code]").inner_text()
        assert re.fullmatch(r"POST(-[0-9A-F]{4}){3}", code)
        look(page)
        page.reload()
        assert page.locator("[data-code]").inner_text() == code
        page.goto(f"http://localhost:{demo.port}/account/partners/")
        page.get_by_role("link", name="Get my access").click()
        page.get_by_role("button", name="Get my access").click()
        look(page)
        sent = page.request.get(
            f"http://localhost:{demo.port}/account/partners/ardenwick-post/reading-room/go/", max_redirects=0
        )
        assert sent.headers["location"].startswith("https://post.example/reading-room?token=ey")


def test_2_a_plan_without_it_walls_it(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "ravi@reader.example", "/account/partners/")
        buy(page, demo, "plain")
        page.goto(f"http://localhost:{demo.port}/account/partners/ardenwick-post/all-access/")
        assert "Your plan does not include partner titles." in words(page)
        assert page.get_by_role("button", name="Get my code").count() == 0
        look(page)


def test_3_the_end_of_the_subscription_ends_it(chromium, demo):
    demo.python(END)
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "asha@reader.example", "/account/partners/ardenwick-post/all-access/")
        assert "POST-" not in words(page)
        assert "Your plan does not include partner titles." in words(page)
    told = demo.run("partners", "revocations", "--partner", "ardenwick-post").stdout.splitlines()
    assert [line.split(",")[1] for line in told[1:]] == ["all-access", "reading-room"]
    assert all(line.endswith("subscription_ended") for line in told[1:])


def test_4_a_partners_own_subscriber_reads_here(chromium, demo):
    (voucher,) = demo.python(VOUCHER)
    with visit(chromium, demo.port, PHONE) as page:
        sign_in(page, demo.port, "meera@reader.example", "/partners/redeem/")
        look(page)
        page.get_by_label("Your code").fill(voucher.lower())
        page.get_by_role("button", name="Redeem").click()
        assert "Welcome, reader of The Ardenwick Post" in words(page)
        look(page)
