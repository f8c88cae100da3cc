"""The busy reader's browser: back, forward and the browser's own caches never show a page of who one was before."""

import re
import shutil
import time

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright
from tests.journeys.conftest import ARGUMENTS

pytestmark = pytest.mark.browser
EMAIL = "asha@reader.example"
HIDDEN = "harbour5x0"  # a word that no wall holds
SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value; }))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 300);
})"""


@pytest.fixture(scope="module", params=["kept alive", "from the disk"])
def browser(request):
    """Chromium as people run it, which keeps whole pages alive for going back, and one that has only its disk cache."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine (on Debian: apt install chromium)")
    kept = ["--disable-back-forward-cache"] if request.param == "kept alive" else None
    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=path, args=ARGUMENTS, ignore_default_args=kept)
        made.keeps_pages = request.param == "kept alive"
        yield made
        made.close()


@pytest.fixture(scope="module")
def stories(paper):
    made = paper.stories(
        *[{"headline": f"Metered story number {n}"} for n in range(1, 8)],
        {"headline": "A premium story", "tier": "premium"},
    )
    paper.start()
    return [story["path"] for story in made]


@pytest.fixture
def premium(stories):
    return stories[7]


@pytest.fixture
def page(browser, paper, stories):
    context = browser.new_context(base_url=f"http://localhost:{paper.port}", viewport={"width": 1100, "height": 800})
    context.set_default_timeout(10_000)
    made = context.new_page()
    yield made
    context.close()


def sign_in(page, paper, email=EMAIL):
    page.goto("/account/sign-in/")
    page.get_by_label("Your email").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    page.wait_for_selector("#code")
    letters = sorted((paper.folder / "letters").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    page.locator("#code").fill(re.search(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", letters[-1].read_text()).group())
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_load_state()


def pay(paper, email=EMAIL):
    """What a payment leaves behind: a right, from now on."""
    paper.python(
        "from datetime import timedelta\nfrom broadsheet import clock\nfrom broadsheet.access.actions import grant\n"
        f"from broadsheet.readers.models import Reader\nr = Reader.objects.get(email={email!r})\nnow = clock.now()\n"
        "for product in ('unlimited', 'premium'):\n"
        "    grant(reader_id=r.id, product=product, starts_at=now, ends_at=now + timedelta(days=1), source=f'test {r.id}')"
    )
    time.sleep(1)


def sign_out(page):
    page.goto("/account/")
    with page.expect_navigation(url=re.compile(r":\d+/$")):
        page.evaluate("() => { document.querySelector(\"form[action='/account/sign-out/']\").submit(); }")


def place(page):
    """Which page of its history the browser shows; None between two pages."""
    try:
        return page.evaluate("() => navigation.currentEntry.index")
    except PlaywrightError:
        return None


def go(page, steps):
    """Press back or forward. A page that was kept alive loads nothing, so there is no load to wait for."""
    wanted = place(page) + steps
    page.evaluate("steps => { setTimeout(() => history.go(steps), 0); }", steps)
    deadline = time.monotonic() + 5
    while place(page) != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    page.wait_for_timeout(400)


def shows(page, words, *, there=True):
    """Whether the page comes to show words (or to lose them) without anybody doing anything."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if (words in page.content()) is there:
            return True
        page.wait_for_timeout(100)
    return False


def test_the_wall_before_the_payment_is_not_behind_the_back_button(page, paper, premium):
    email = f"reader{time.monotonic_ns()}@reader.example"
    page.goto(premium)
    assert HIDDEN not in page.content()
    page.goto("/")
    page.goto(premium)  # now it lies in the browser's cache
    sign_in(page, paper, email)
    pay(paper, email)
    page.goto("/account/")
    page.goto(premium)
    assert HIDDEN in page.content()
    # Back through the account and the forms, to the wall of the visitor this reader was.
    for _ in range(8):
        go(page, -1)
        if page.url.endswith(premium):
            break
    assert page.url.endswith(premium)
    assert shows(page, HIDDEN)
    assert page.locator("aside.wall").count() == 0
    go(page, 1)
    go(page, -1)
    assert shows(page, HIDDEN)


def test_the_full_text_is_not_behind_the_back_button_after_signing_out(page, paper, premium):
    email = f"reader{time.monotonic_ns()}@reader.example"
    sign_in(page, paper, email)
    pay(paper, email)
    page.goto("/account/")
    page.goto(premium)
    assert HIDDEN in page.content()
    sign_out(page)
    for _ in range(3):
        go(page, -1)
        if page.url.endswith(premium):
            break
    assert page.url.endswith(premium)
    assert shows(page, HIDDEN, there=False)
    page.goto(premium)
    assert HIDDEN not in page.content()


def test_a_metered_story_read_once_stays_open_and_the_wall_stays_a_wall(page, stories):
    for path in stories[:6]:
        page.goto(path)
    assert HIDDEN not in page.content()
    go(page, -1)
    assert shows(page, HIDDEN)  # the fifth, read before
    go(page, 1)
    assert shows(page, HIDDEN, there=False)


def test_the_words_on_the_masthead_follow_the_reader_through_back_and_forward(page, paper, stories):
    page.goto(stories[0])
    page.get_by_text("4 of 5 free articles left").wait_for()
    page.goto(stories[1])
    page.get_by_text("3 of 5 free articles left").wait_for()
    go(page, -1)
    page.get_by_text("3 of 5 free articles left").wait_for(timeout=5000)
    sign_in(page, paper, f"reader{time.monotonic_ns()}@reader.example")
    page.goto("/")
    page.locator("[data-account]", has_text="My account").wait_for()
    sign_out(page)
    page.locator("[data-account]", has_text="Log in").wait_for()
    go(page, -1)
    assert page.locator("[data-account]", has_text="My account").count() == 0 or "/account/sign-in/" in page.url


def test_personal_words_arrive_without_moving_the_page(page, stories):
    def slowly(route):
        time.sleep(0.4)
        route.continue_()

    page.route("**/me.json", slowly)
    for size in ({"width": 1100, "height": 800}, {"width": 390, "height": 844}):
        page.set_viewport_size(size)
        for path in ("/", stories[0]):
            page.goto(path)
            page.locator("[data-allowance]:not(:empty)").wait_for(state="attached")
            assert page.evaluate(SHIFTS) < 0.01, (path, size)


def test_the_page_itself_is_the_same_bytes_for_everybody_who_may_read_it(browser, paper, stories):
    bodies = set()
    for before in (0, 2):
        context = browser.new_context(base_url=f"http://localhost:{paper.port}")
        page = context.new_page()
        for path in stories[1 : 1 + before]:
            page.goto(path)
        bodies.add(page.goto(stories[0]).body())
        page.get_by_text(f"{4 - before} of 5 free articles left").wait_for()
        context.close()
    assert len(bodies) == 1
