"""The e-paper in a real browser: a visitor and a registered reader at the wall; a subscriber leafs, zooms, searches, reads
a story as text, clips and shares, keeps an edition and reads it without a network; a plan without it walls it; the end of
the right ends it that day, also on the device. On a phone and on a desk, by keyboard too, with and without scripts."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from tests.journeys.looks import DESKTOP, PHONE, look, sign_in, visit
from tests.journeys.test_the_whole_road import Demo

pytestmark = pytest.mark.browser
START = "2027-01-10T09:00:00+05:30"
BASE = "/epaper/2027-01-10/"
WAIT = 180


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("epaper") / "paper"
    folder.parent.joinpath("stderr.log").touch()
    made = Demo(folder, epaper_clips_per_month="5", epaper_download="on")
    made.open(START)
    wait_for_the_edition(made)
    yield made
    made.stop()


def wait_for_the_edition(made):
    """The demo sets its edition in the background."""
    code = (
        "from broadsheet.epaper.queries import latest\nresult = [(str(e.date), e.state, e.has_pdf) for e in latest(5)]"
    )
    end = time.monotonic() + WAIT
    while ["2027-01-10", "published", True] not in made.python(code):
        assert time.monotonic() < end, "the demo's edition was not set"
        time.sleep(2)


def enter(page, demo, who):
    page.goto(f"http://localhost:{demo.port}/")
    page.get_by_role("button", name=who, exact=True).click()
    page.wait_for_load_state()


def go(page, demo, path):
    page.goto(f"http://localhost:{demo.port}{path}")


def opened(page):
    """The viewer has taken over, and the first page's picture is there."""
    page.wait_for_selector("html.js .leaf img")


def at(page):
    return page.locator("[data-at]").inner_text()


def is_walled(page):
    return (
        page.locator("aside.wall-benefit").is_visible() and "The whole paper" not in page.locator("main").inner_text()
    )


def a_word(demo):
    """A long word of page 2, with the headline of a story on page 1."""
    return demo.python(
        "from broadsheet.epaper.queries import areas, latest, page_words\n"
        "edition = next(e for e in latest(5) if str(e.date) == '2027-01-10')\n"
        "words = [w.text for w in page_words(edition.id, 2) if w.text.isascii() and w.text.isalpha() and w.text.islower()]\n"
        "first = next(a for a in areas(edition.id, 1, with_text=True) if a.kind == 'story' and len(a.text) > 300)\n"
        "result = [max(words, key=len), first.id, first.headline, edition.id, edition.pages_total]"
    )


def test_1_a_visitor_and_a_registered_reader_meet_the_wall(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        go(page, demo, "/epaper/")
        assert is_walled(page)
        assert "The e-paper: read it, save it, share from it" in page.locator("main").inner_text()
        picture = page.locator(".benefit-picture img")
        assert picture.evaluate("image => image.naturalWidth") <= 200
        look(page)
        sign_in(page, demo.port, "ravi@reader.example", "/epaper/")
        assert is_walled(page)
        go(page, demo, BASE)
        assert is_walled(page)
    demo.python(
        "from broadsheet import clock\nfrom broadsheet.access.actions import grant\n"
        "from broadsheet.readers.queries import reader_by_email\n"
        "who = reader_by_email('ravi@reader.example').id\n"
        "for product in ('unlimited', 'premium', 'archive'):\n"
        "    grant(reader_id=who, product=product, starts_at=clock.now(), ends_at=None, source='another plan')"
    )
    with visit(chromium, demo.port, DESKTOP) as page:
        sign_in(page, demo.port, "ravi@reader.example", BASE)
        assert is_walled(page)


def test_2_a_subscriber_leafs_on_a_desk_with_the_keyboard(chromium, demo):
    word, _, _, _, pages = a_word(demo)
    with visit(chromium, demo.port, DESKTOP) as page:
        enter(page, demo, "subscriber")
        page.get_by_role("link", name="E-paper").first.click()
        look(page)
        page.get_by_role("link", name="Read this edition").click()
        opened(page)
        assert page.locator(".leaf").count() == 1
        look(page)
        page.keyboard.press("ArrowRight")
        assert at(page) == f"Pages 2 and 3 of {pages}"
        assert page.url.endswith(f"{BASE}2/")
        look(page)
        page.keyboard.press("End")
        assert page.url.endswith(f"{BASE}{pages if pages % 2 == 0 else pages - 1}/") or page.url.endswith(
            f"{BASE}{pages}/"
        )
        page.keyboard.press("Home")
        page.get_by_role("button", name="Search").first.press("Enter")
        page.get_by_label("Words").fill(word)
        page.keyboard.press("Enter")
        page.locator(".hits button").first.press("Enter")
        page.wait_for_selector(".mark.current")
        assert word in page.locator(".hits [aria-current] mark").first.inner_text()
        look(page)
        page.keyboard.press("Escape")
        assert page.locator(".mark").count() == 0
        assert page.get_by_role("button", name="Search").first.evaluate("button => button === document.activeElement")
        go(page, demo, f"{BASE}2/")
        opened(page)
        before = page.locator(".canvas").evaluate("canvas => canvas.clientWidth")
        page.locator("[data-stage]").focus()
        for _ in range(3):
            page.keyboard.press("+")
            page.wait_for_timeout(300)
        assert page.locator(".canvas").evaluate("canvas => canvas.clientWidth") > 2.5 * before
        page.locator(".leaf img[data-wide='1600'], .leaf img[data-wide='2400']").first.wait_for()


def test_3_on_a_phone_a_story_is_tapped_and_read_as_text(chromium, demo):
    _, area, headline, _, pages = a_word(demo)
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2, reduced_motion="reduce"
    )
    page = context.new_page()
    enter(page, demo, "subscriber")
    go(page, demo, BASE)
    opened(page)
    page.locator(f".area[data-area='{area}'] span").first.tap()
    page.locator(".panel .prose p").first.wait_for()
    assert page.locator(".panel-headline").inner_text() == headline
    page.get_by_role("button", name="Close").tap()
    assert page.locator(".panel").is_hidden()
    swipe(page, -250)
    page.wait_for_timeout(300)
    assert at(page) == f"Page 2 of {pages}"
    swipe(page, 250)
    page.wait_for_timeout(300)
    assert at(page) == f"Page 1 of {pages}"
    small = page.locator(".canvas").evaluate("canvas => canvas.clientWidth")
    tap = "new MouseEvent('click', {bubbles: true, cancelable: true, detail: 1, clientX: 120, clientY: 300})"
    page.evaluate(f"for (const _ of [1, 2]) document.querySelector('[data-stage]').dispatchEvent({tap})")
    page.wait_for_timeout(500)
    assert page.locator(".canvas").evaluate("canvas => canvas.clientWidth") > 2 * small
    context.close()


def swipe(page, by):
    """A finger, as the browser's own protocol moves one."""
    session = page.context.new_cdp_session(page)
    x, y = 200, 400
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 6):
        point = {"x": x + by * step / 5, "y": y}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_4_without_scripts_each_page_is_a_page_of_its_own(chromium, demo):
    _, area, headline, _, pages = a_word(demo)
    with visit(chromium, demo.port, PHONE) as page:
        enter(page, demo, "subscriber")
        state = page.context.storage_state()
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, storage_state=state)
    page = context.new_page()
    go(page, demo, BASE)
    assert headline in page.locator("#text").inner_text()
    page.get_by_role("link", name="Next page").click()
    assert page.url.endswith(f"{BASE}2/")
    assert at(page) == f"Page 2 of {pages}"
    go(page, demo, f"{BASE}story/{area}/")
    assert page.locator("h1").inner_text() == headline
    page.get_by_role("button", name="Share it by link").click()
    assert "/epaper/clip/" in page.get_by_label("Link to send").input_value()
    page.get_by_role("button", name="Stop sharing").click()
    assert "No longer shared" in page.locator("main").inner_text()
    context.close()


def test_5_a_clipping_is_shared_and_shows_just_itself(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        enter(page, demo, "subscriber")
        go(page, demo, BASE)
        opened(page)
        page.get_by_role("button", name="Clip").first.press("Enter")
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("ArrowLeft")
        look(page)
        page.get_by_role("button", name="Clip this").press("Enter")
        page.get_by_role("button", name="Share it by link").press("Enter")
        link = page.get_by_label("Link to send").input_value()
        assert "You can share 3 more this month" in page.locator(".panel").inner_text()
        go(page, demo, "/epaper/clips/")
        look(page)
    with visit(chromium, demo.port, PHONE) as page:
        page.goto(link.replace(link.split("/epaper/")[0], f"http://localhost:{demo.port}"))
        picture = page.locator(".clipping img")
        assert picture.evaluate("image => image.complete && image.naturalWidth") > 300
        assert page.locator(".clipping img").count() == 1
        assert "The whole newspaper, every day" in page.locator("main").inner_text()
        look(page)


def test_6_the_last_clipping_of_a_month_is_shared_once(chromium, demo):
    _, area, _, edition, _ = a_word(demo)
    with visit(chromium, demo.port, DESKTOP) as page:
        enter(page, demo, "subscriber")
        go(page, demo, f"{BASE}story/{area}/")
        token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())

    def share(_):
        form = urlencode({"csrfmiddlewaretoken": token, "edition": edition, "area": area, "share": "1"})
        headers = {
            "Host": f"localhost:{demo.port}", "Cookie": cookies, "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        line = HTTPConnection("127.0.0.1", demo.port, timeout=60)
        line.request("POST", "/epaper/clips/new/", form, headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(share, range(8)))
    assert sorted(status for status, _ in answers) == [201] * 3 + [409] * 5
    assert len({made["link"] for status, made in answers if status == 201}) == 3
    assert {made["error"] for status, made in answers if status == 409} == {"quota"}


def test_7_kept_it_is_read_without_a_network_until_the_right_ends(chromium, demo):
    context = chromium.new_context(viewport=PHONE, reduced_motion="reduce")
    page = context.new_page()
    enter(page, demo, "subscriber")
    go(page, demo, BASE)
    opened(page)
    word, area, headline, _, pages = a_word(demo)
    keep(page)
    go(page, demo, "/epaper/kept/")
    page.get_by_role("link", name="Sunday, 10 January 2027").wait_for()
    context.set_offline(True)
    go(page, demo, f"{BASE}2/")
    opened(page)
    assert at(page) == f"Page 2 of {pages}"
    page.get_by_role("button", name="Search").first.click()
    page.get_by_label("Words").fill(word)
    page.keyboard.press("Enter")
    page.locator(".hits button").first.wait_for()
    go(page, demo, f"{BASE}story/{area}/")
    assert page.locator("h1").inner_text() == headline
    go(page, demo, "/epaper/kept/")
    page.get_by_role("link", name="Sunday, 10 January 2027").wait_for()
    # The device believes its until-date, and no clock that was put back.
    book = "async (change) => { const cache = await caches.open('epaper-book'); const note = await cache.match('/epaper/~kept');"
    book += " await cache.put('/epaper/~kept', new Response(JSON.stringify({...await note.json(), ...change}))); }"
    seen = page.evaluate("Date.now()")
    page.evaluate(book, {"seen": seen + 40 * 86_400_000})
    go(page, demo, f"{BASE}2/")
    assert "not kept on this device, or the right to read it here has ended" in page.content()
    context.set_offline(False)
    go(page, demo, "/epaper/kept/")
    page.evaluate(book, {"seen": seen, "until": "2020-01-01T00:00:00Z"})
    context.set_offline(True)
    go(page, demo, f"{BASE}2/")
    assert "the right to read it here has ended" in page.content()
    assert page.evaluate("caches.keys()") == []
    context.close()


def test_8_a_device_that_learns_of_the_end_throws_away_what_it_keeps(chromium, demo):
    context = chromium.new_context(viewport=PHONE, reduced_motion="reduce")
    page = context.new_page()
    enter(page, demo, "subscriber")
    go(page, demo, BASE)
    opened(page)
    keep(page)
    end_the_right(demo)
    go(page, demo, BASE)
    assert is_walled(page)
    for _ in range(50):
        if page.evaluate("caches.keys()") == []:
            break
        page.wait_for_timeout(100)
    assert page.evaluate("caches.keys()") == []
    context.set_offline(True)
    go(page, demo, f"{BASE}2/")
    assert "No network" in page.content()
    assert page.locator("img").count() == 0
    context.close()


def keep(page):
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Keep for reading without a network").click()
    page.get_by_role("button", name="Keep on this device").click()
    page.get_by_text("readable without a network until").wait_for(timeout=60_000)


def end_the_right(demo):
    """As when the subscription had ended a moment after it began: the paper's clock is far beyond that."""
    demo.python(
        "from datetime import timedelta\nfrom django.db.models import F\nfrom broadsheet.access.models import Grant\n"
        "Grant.objects.filter(product='epaper').update(ends_at=F('starts_at') + timedelta(seconds=1))"
    )


def test_9_after_the_end_the_links_show_nothing_and_every_door_is_a_wall(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        enter(page, demo, "subscriber")
        for path in ("/epaper/", BASE, f"{BASE}2/", "/epaper/clips/", "/epaper/kept/"):
            go(page, demo, path)
            assert is_walled(page)
