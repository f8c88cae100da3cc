"""A subscriber's whole life in a real browser: coupon and State, a declined card, another plan, another card, a pause,
two clicks to cancel and one back, a trial, a present, a renewal that fails and a link that pays it. Every page is looked
at on a light phone and on a dark desk, and by axe."""

import re
import time

import pytest
from tests.journeys.looks import DESKTOP, PHONE, look, sign_in, visit
from tests.journeys.test_the_whole_road import Demo

pytestmark = pytest.mark.browser
START = "2027-01-10T09:00:00+05:30"
RENEWAL = "2027-04-10T09:00:00+05:30"
OFFER = """
from datetime import date
from broadsheet.subscriptions.models import Coupon, Plan, Price, Product
def plan(code, name, months, amount, **more):
    row = Plan.objects.create(code=code, name=name, months=months, tax="news", position=9, **more)
    row.products.set(Product.objects.all())
    Price.objects.create(plan=row, amount_minor=amount, currency="INR", new_from=date(2000, 1, 1))
plan("monthly", "Monthly", 1, 39_900, trial_days=14)
plan("firm", "Newsroom", 12, 200_000, min_quantity=5, max_quantity=100)
Coupon.objects.create(code="HALF", percent_bp=5000)
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("subscriber") / "paper"
    folder.parent.joinpath("stderr.log").touch()
    made = Demo(folder, publisher_state="Delhi")
    made.open(START)
    made.python(OFFER)
    yield made
    made.stop()


def words(page):
    return page.locator("main").inner_text()


def fill_in(page, state="Karnataka", pin="560 001"):
    """Whom to bill; the total follows by itself."""
    page.get_by_label("State or Union Territory").select_option(state)
    page.get_by_label("PIN code").fill(pin)
    page.locator("#bill").get_by_text(re.compile("IGST|CGST")).first.wait_for()


def test_1_a_coupon_a_state_a_declined_card_and_a_paid_one(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        page.goto(f"http://localhost:{demo.port}/subscribe/")
        for said in ("₹2,700", "₹225/month, taxes included", "Free for 14 days, then", "5 to 100 seats, from ₹10,000"):
            assert said in words(page)
        look(page)
        sign_in(page, demo.port, "asha@reader.example", "/subscribe/quarterly/")
        look(page)
        assert page.locator("main input:checked").count() == 0
        page.get_by_label("Coupon").fill("HLAF")
        page.get_by_role("button", name="Apply").click()
        page.wait_for_selector("text=This coupon does not hold for this order")
        look(page)
        page.get_by_label("Coupon").fill("half")
        page.get_by_role("button", name="Apply").click()
        page.wait_for_selector("text=Coupon HALF is applied")
        assert page.locator("#coupon").evaluate("field => field === document.activeElement")
        assert page.locator("[data-said]").inner_text().strip() == "You pay today: ₹450.00"  # for whoever listens
        fill_in(page)
        bill = page.locator("#bill").inner_text()
        assert "IGST 18%" in bill
        assert re.search(r"You pay today\s+₹450\.00", bill)
        assert "₹900 on 10 April 2027 and ₹900 every 3 months from then, taxes included" in bill
        look(page)
        page.get_by_role("button", name="Pay ₹450 by card").click()
        look(page)
        page.get_by_role("button", name="Decline").click()
        assert "Nothing has been charged" in words(page)
        look(page)
        page.get_by_role("link", name="Try again").click()
        page.get_by_label("Coupon").fill("HALF")
        page.get_by_role("button", name="Apply").click()
        page.get_by_role("button", name="Pay ₹450 by card").click()
        page.get_by_role("button", name="Pay ₹450").click()
        assert "Next payment: ₹900 on 10 April 2027" in words(page)
        look(page)
        page.goto(f"http://localhost:{demo.port}/account/")
        assert "₹900 on 10 April 2027" in words(page)
        look(page)
        pdf = page.get_by_role("link", name="PDF of invoice").first.get_attribute("href")
        assert page.request.get(f"http://localhost:{demo.port}{pdf}").body().startswith(b"%PDF")


def test_2_another_plan_another_card_a_break(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "asha@reader.example")
        page.get_by_role("link", name="Change plan").click()
        look(page)
        page.get_by_role("link", name="See the invoice: Annual").click()
        assert re.search(r"You pay now\s+₹2,250\.00", words(page))
        look(page)
        page.get_by_role("button", name="Pay ₹2,250 and change").click()
        assert "Your plan is changed" in words(page)
        assert "₹2,700 on 10 January 2028" in words(page)
        page.get_by_role("link", name="Payment method").click()
        look(page)
        page.get_by_role("button", name="Use UPI").click()
        page.get_by_role("button", name="Allow").click()
        assert "asha@sandbox" in words(page)
        page.get_by_role("link", name="Pause").click()
        look(page)
        page.get_by_label("2 weeks").check()
        page.get_by_role("button", name="Pause from today").click()
        assert "It goes on by itself on 24 January 2027" in words(page)
        look(page)
        page.get_by_role("button", name="Go on now").click()
        assert "Your subscription goes on" in words(page)


def test_3_cancelling_takes_two_clicks_and_undoing_asks_the_bank_anew(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        sign_in(page, demo.port, "asha@reader.example")
        clicks = []
        page.expose_function("clicked", lambda text: clicks.append(text.strip()))
        page.add_init_script("addEventListener('click', event => clicked(event.target.textContent), true)")
        page.reload()
        page.get_by_role("link", name="Cancel subscription").click()
        look(page)
        page.get_by_role("button", name="Cancel my subscription").click()
        page.wait_for_selector("text=Your subscription is cancelled")
        assert clicks == ["Cancel subscription", "Cancel my subscription"]
        assert "to the end of 9 January 2028" in words(page)
        look(page)
        _wait_for(demo, "Mandate.objects.filter(reader__email='asha@reader.example', status='active').count() == 0")
        page.get_by_role("button", name="Keep my subscription").click()
        assert "it has to hear from you once again" in words(page)
        look(page)
        page.get_by_role("button", name="Use a card").click()
        page.get_by_role("button", name="Allow").click()
        assert "₹2,700 on 10 January 2028" in words(page)


def _wait_for(demo, condition):
    for _ in range(40):
        if demo.python(f"from broadsheet.payments.models import Mandate\nresult = {condition}"):
            return
        time.sleep(0.5)
    raise AssertionError(condition)


def test_4_a_trial_without_a_payment_method(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        sign_in(page, demo.port, "ravi@reader.example", "/subscribe/monthly/")
        look(page)
        fill_in(page, "Delhi", "110001")
        page.get_by_role("button", name="Start the free trial").click()
        assert "nothing is charged, and there is nothing to cancel" in words(page)
        look(page)
        page.goto(f"http://localhost:{demo.port}/account/")
        assert "None: your trial ends by itself" in words(page)
        look(page)


def test_4_and_without_any_script_the_order_is_the_same(chromium, demo):
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, demo.port, "plain@reader.example", "/subscribe/quarterly/")
    page.get_by_label("State or Union Territory").select_option("Karnataka")
    page.get_by_label("PIN code").fill("560001")
    page.get_by_label("Coupon").fill("half")
    page.get_by_role("button", name="Pay ₹900 by card").click()
    # The page showed another total than the coupon makes: it asks once more, and nothing is bought yet.
    assert "The total has changed" in words(page)
    assert "IGST 18%" in words(page)
    page.get_by_role("button", name="Pay ₹450 by card").click()
    page.get_by_role("button", name="Pay ₹450").click()
    assert "Thank you" in words(page)
    context.close()


def test_5_a_present_is_bought_and_opened(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "meera@reader.example", "/gift/")
        look(page)
        page.get_by_label("12 months of Annual").check()
        page.get_by_label("Their email").fill("tara@reader.example")
        page.get_by_label("Your words to them").fill("A newspaper at breakfast, every day.")
        page.get_by_label("State or Union Territory").select_option("Delhi")
        page.get_by_label("PIN code").fill("110001")
        page.get_by_role("button", name="See what it comes to").click()
        assert "CGST 9%" in words(page)
        look(page)
        page.get_by_role("button", name="Pay ₹2,700").click()
        page.get_by_role("button", name="Pay ₹2,700").click()
        assert "Your gift is ready" in words(page)
        look(page)
        link = page.locator("#link").input_value()
    with visit(chromium, demo.port, PHONE) as page:
        page.goto(link)
        assert "meera@reader.example gives you 12 months" in words(page)
        look(page)
        sign_in(page, demo.port, "tara@reader.example")
        page.get_by_role("link", name="Open it").click()
        page.get_by_role("button", name="Begin now").click()
        assert "to the end of 9 January 2028" in words(page)
        look(page)
        page.goto(f"http://localhost:{demo.port}/account/")
        assert "None: it ends by itself" in words(page)
        assert page.get_by_role("link", name="Cancel subscription").count() == 0


def test_6_a_group_and_its_seats(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "firm@reader.example", "/subscribe/firm/")
        fill_in(page)
        page.get_by_text("For a firm: name and GSTIN").click()
        page.get_by_label("Name of the firm").fill("Alder Mills")
        page.get_by_label("GSTIN").fill("29AAGCB7383J1Z4")
        page.get_by_label("Seats").fill("6")
        page.get_by_label("Seats").blur()
        page.wait_for_selector("text=₹12,000.00")
        page.get_by_role("button", name="Pay ₹12,000 by card").click()
        page.get_by_role("button", name="Pay ₹12,000").click()
        page.get_by_role("link", name="Invite people to your 6 seats").click()
        page.get_by_label("Their email").fill("colleague@reader.example")
        page.get_by_role("button", name="Invite").click()
        assert "colleague@reader.example" in words(page)
        look(page)
        page.get_by_label("Seats in all").fill("8")
        page.get_by_role("button", name="See what it costs").click()
        assert re.search(r"You pay now\s+₹4,000\.00", words(page))
        look(page)
        page.get_by_role("button", name="Pay ₹4,000 and add seats").click()
        assert "8, you included" in words(page)


def test_7_a_reader_of_the_union_withdraws_in_two_steps(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        sign_in(page, demo.port, "lena@reader.example", "/subscribe/annual/")
        page.get_by_label("Country").select_option("DE")
        page.wait_for_selector("#waive")
        look(page)
        page.get_by_role("button", name="by card").click()
        page.get_by_role("button", name="Pay ₹2,700").click()
        page.goto(f"http://localhost:{demo.port}/account/")
        page.get_by_role("link", name="Withdraw from the contract here").click()
        look(page)
        page.get_by_role("button", name="Withdraw from the contract here").click()
        look(page)
        page.get_by_role("button", name="Confirm withdrawal").click()
        assert re.search(r"on\s+10 January 2027, 09:\d\d:\d\d", words(page))
        assert "You get back ₹2,700" in words(page)
        look(page)


def test_8_a_renewal_that_fails_is_paid_by_its_link_without_signing_in(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        sign_in(page, demo.port, "nila@reader.example", "/subscribe/quarterly/")
        fill_in(page)
        page.get_by_role("button", name="Pay ₹900 by card").click()
        page.locator("#renewals_decline").check()
        page.get_by_role("button", name="Pay ₹900").click()
        assert "Thank you" in words(page)
    demo.stop()
    demo.open(RENEWAL)
    with visit(chromium, demo.port, PHONE) as page:
        sign_in(page, demo.port, "nila@reader.example")
        for _ in range(40):  # the jobs of the night run in the paper that has just been opened
            if "₹900 is to be paid" in words(page):
                break
            page.wait_for_timeout(500)
            page.reload()
        assert "₹900 is to be paid" in words(page)
        look(page)
        link = page.get_by_role("link", name="Pay now").get_attribute("href")
    with visit(chromium, demo.port, DESKTOP) as page:
        page.goto(f"http://localhost:{demo.port}{link}")
        assert "nila" not in page.content()
        look(page)
        page.get_by_role("button", name="Pay ₹900 by card").click()
        page.get_by_role("button", name="Pay ₹900").click()
        assert "The payment has arrived" in words(page)
        look(page)
