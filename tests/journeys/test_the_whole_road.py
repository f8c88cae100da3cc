"""Visitor -> wall -> sign-up by code -> checkout -> full story -> account -> cancel -> readable until the period's end,
walled after: the demo paper, in a real browser, with the clock started where the story needs it."""

import re
import subprocess
import sys

import pytest
from tests.papers import Paper

pytestmark = pytest.mark.browser
START = "2027-01-10T09:00:00+05:30"
LAST_DAY = "2027-04-09T23:00:00+05:30"
DAY_AFTER = "2027-04-10T00:00:05+05:30"
EMAIL = "asha@reader.example"


class Demo(Paper):
    def open(self, now: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "broadsheet",
                "--data",
                str(self.folder),
                "demo",
                "--port",
                str(self.port),
                "--now",
                now,
            ],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder.parent / "stderr.log").open("ab"),
        )
        self.wait_ready()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "paper"
    folder.parent.joinpath("stderr.log").touch()
    # Registered readers get nothing free here: whatever opens after signing in was opened by the subscription.
    made = Demo(folder, registered_limit="0")
    made.open(START)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def metered(demo):
    return demo.python(
        "from broadsheet.newsroom.queries import latest_cards, full_story, public_story\n"
        "cards = [c for c in latest_cards(60, language='en') if c.tier == 'metered'][:8]\n"
        "result = [[c.path, full_story(c.id).body_html[-220:-140]] for c in cards]"
    )


@pytest.fixture(scope="module")
def premium(demo):
    return demo.python(
        "from broadsheet.newsroom.queries import latest_cards, full_story\n"
        "card = next(c for c in latest_cards(60, language='en') if c.tier == 'premium')\n"
        "result = [card.path, full_story(card.id).body_html[-220:-140]]"
    )


@pytest.fixture(scope="module")
def context(chromium):
    made = chromium.new_context(viewport={"width": 390, "height": 844})
    yield made
    made.close()


@pytest.fixture
def page(context, demo):
    page = context.new_page()
    page.foreign = []
    page.on(
        "request",
        lambda r: (
            None if f"localhost:{demo.port}/" in r.url or r.url.startswith("data:") else page.foreign.append(r.url)
        ),
    )
    page.failed = []
    page.on("pageerror", lambda error: page.failed.append(str(error)))
    page.on("console", lambda message: page.failed.append(message.text) if message.type == "error" else None)
    yield page
    assert page.foreign == []
    assert page.failed == []
    page.close()


def go(page, demo, path):
    page.goto(f"http://localhost:{demo.port}{path}")
    return page


def is_walled(page):
    return page.locator("aside.wall, aside[data-nosnippet]").count() > 0


def test_1_a_visitor_reads_five_and_meets_the_wall(page, demo, metered):
    for path, hidden in metered[:5]:
        assert hidden in go(page, demo, path).content()
        assert not is_walled(page)
    path, hidden = metered[5]
    go(page, demo, path)
    assert is_walled(page)
    assert hidden not in page.content()
    wall = page.locator("aside[data-nosnippet]").inner_text()
    assert "5 free" in wall
    for words in ("₹900", "₹2,700", "₹3,900", "₹300/month", "₹225/month", "₹162/month", "cancel anytime"):
        assert words in wall, words


def test_2_the_wall_leads_to_a_code_and_back_to_the_till(page, demo, metered):
    go(page, demo, metered[5][0])
    page.locator("aside[data-nosnippet] a[href^='/subscribe/']").first.click()
    page.get_by_label("Your email").fill(EMAIL)
    page.get_by_role("button", name="Send me a code").click()
    mailbox = page.context.new_page()
    mailbox.goto(f"http://localhost:{demo.port}/demo/mail")
    letter = mailbox.locator("body").inner_text()
    mailbox.close()
    code = re.search(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", letter).group()
    page.locator("#code").fill(code)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/subscribe/**")
    assert "Your order" in page.locator("h1").inner_text()


def test_3_a_declined_card_opens_nothing_and_a_paid_one_opens_at_once(page, demo, metered):
    order = go(page, demo, f"/subscribe/quarterly/?next={metered[5][0]}")
    order.get_by_label("State or Union Territory").select_option("Delhi")
    order.get_by_label("PIN code").fill("110001")
    order.locator("#bill").get_by_text(re.compile("of which [CI]GST")).first.wait_for()
    order.get_by_role("button", name="Pay ₹900 by card").click()
    order.get_by_role("button", name="Decline").click()
    go(page, demo, metered[6][0])
    assert is_walled(page)
    assert metered[6][1] not in page.content()
    go(page, demo, f"/subscribe/quarterly/?next={metered[5][0]}")
    page.get_by_role("button", name="Pay ₹900 by card").click()
    page.get_by_role("button", name="Pay ₹900").click()
    page.get_by_role("link", name="Read on").click()
    assert page.url.endswith(metered[5][0])
    for path, hidden in metered:
        assert hidden in go(page, demo, path).content()
        assert not is_walled(page)
        assert "₹900" not in page.content()


def test_4_two_clicks_cancel_and_the_account_says_until_when(page, demo):
    go(page, demo, "/account/")
    page.get_by_role("link", name="Cancel subscription").click()
    page.get_by_role("button", name="Cancel my subscription").click()
    words = page.locator("main").inner_text()
    assert "9 April 2027" in words
    assert page.get_by_role("button", name="Keep my subscription").is_visible()


def test_5_what_was_paid_for_stays_readable_to_its_last_evening(page, demo, metered, premium):
    demo.stop()
    demo.open(LAST_DAY)
    for path, hidden in [*metered, premium]:
        assert hidden in go(page, demo, path).content()


def test_6_and_is_walled_on_the_day_after_with_no_second_charge(page, demo, metered, premium):
    demo.stop()
    demo.open(DAY_AFTER)
    for path, hidden in [*metered, premium]:
        go(page, demo, path)
        assert is_walled(page), path
        assert hidden not in page.content()
    paid = demo.python(
        "from broadsheet.payments.models import Invoice\n"
        f"rows = Invoice.objects.filter(reader__email={EMAIL!r}, status='paid')\n"
        "result = list(rows.values_list('total_minor', flat=True))"
    )
    assert paid == [90000]
