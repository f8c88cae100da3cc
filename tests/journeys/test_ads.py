"""Advertising as a visitor, a payer and a reader without it meet it, in a real browser: what is requested, what moves,
and what the question about other people's scripts does."""

import re
import time

import pytest
from tests.journeys.looks import DESKTOP, PHONE, look
from tests.papers import Paper

pytestmark = pytest.mark.browser
ANY_AD = re.compile(rb"\bads?\b|\bad-|advert|sponsor|slots|consent", re.IGNORECASE)
TAG = "https://tags.example/paper.js"
SETUP = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from datetime import timedelta
from broadsheet import clock
from broadsheet.access.actions import grant
from broadsheet.ads.actions import file_campaign
from broadsheet.ads.values import CampaignPlan, CreativePlan
from broadsheet.demo.ads import EVERYWHERE, _pictures
from broadsheet.newsroom.queries import story_facts
from tests import make

def session(reader):
    made = import_module(settings.SESSION_ENGINE).SessionStore()
    made[SESSION_KEY], made[BACKEND_SESSION_KEY] = str(reader.pk), "django.contrib.auth.backends.ModelBackend"
    made[HASH_SESSION_KEY] = reader.get_session_auth_hash()
    made.save()
    return made.session_key

now = clock.now()
holds = {"free": ("unlimited", "premium", "ad_free"), "payer": ("unlimited", "premium"), "only": ("ad_free",)}
readers = {name: make.reader(f"{name}@reader.example") for name in holds}
for name, products in holds.items():
    for product in products:
        grant(reader_id=readers[name].pk, product=product, starts_at=now, ends_at=None, source=f"test:{name}:{product}")
stories = [
    make.story(now=now, tier=tier, headline=f"The {tier} toll {n}", body_html=make.body(14))
    for tier in ("metered", "premium", "free") for n in range(4)
]
start = now - timedelta(days=1)
sold = dict(slots=EVERYWHERE, starts_at=start)
words = CreativePlan("https://harbour.example/", headline="Who owns a coastline?", text="Six Thursdays.", action="Look")
file_campaign(plan=CampaignPlan("P", "Railway", _pictures("night-mail", "Night Mail", "https://rail.example/"), **sold), now=now)
file_campaign(plan=CampaignPlan("W", "Trust", (words,), **sold), now=now)
later = dict(slots=EVERYWHERE, starts_at=now + timedelta(days=1), weight=1000)
file_campaign(plan=CampaignPlan("L", "Later", (CreativePlan("https://later.example/", headline="Later"),), **later), now=now)
paths = [story_facts(one).path for one in stories]
result = {
    "sessions": {name: session(reader) for name, reader in readers.items()},
    "ids": {name: reader.pk for name, reader in readers.items()},
    "metered": paths[:4], "premium": paths[4:8], "free": paths[8:],
}
"""
SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; })
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 300);
})"""


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    made = Paper(tmp_path_factory.mktemp("ads") / "paper", ads="true", ads_sample="1", ads_tag_manager=TAG).init()
    made.found = made.python(SETUP)
    made.start()
    yield made
    made.stop()


class Visit:
    """A browser of somebody's own, and everything it asked for."""

    def __init__(self, chromium, paper, who="", size=DESKTOP, **more):
        self.base = f"http://localhost:{paper.port}"
        self.context = chromium.new_context(viewport=size, reduced_motion="reduce", **more)
        self.page, self.asked, self.wrong = self.context.new_page(), [], []
        tag = "window.tagRan = (window.tagRan || 0) + 1;"
        self.context.route(re.compile("^https://"), lambda r: r.fulfill(content_type="text/javascript", body=tag))
        self.page.on("request", lambda request: self.asked.append(request.url.removeprefix(self.base)))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)
        if who:
            self.context.add_cookies([{"name": "bss", "value": paper.found["sessions"][who], "url": self.base}])
            self.page.goto(f"{self.base}/account/")

    def goto(self, path):
        del self.asked[:]
        answer = self.page.goto(self.base + path, wait_until="networkidle")
        return answer.body()

    def boxes(self):
        return self.page.eval_on_selector_all(
            ".ad",
            "all => all.filter(a => a.offsetHeight).map(a => [a.dataset.ad, a.querySelector('.ad-box').clientWidth])",
        )

    def close(self):
        assert self.wrong == []
        self.context.close()


def expect_once(page, script):
    """Asked again and again: the pages' policy lets nobody wait for a word of JavaScript inside them."""
    until = time.monotonic() + 5
    while page.evaluate(script) != 1 and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert page.evaluate(script) == 1


def chosen(visit):
    return {one["name"]: one["value"] for one in visit.context.cookies()}.get("ads")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_visitor_meets_discreet_labelled_advertising_and_nothing_moves(chromium, paper, size):
    visit, desk = Visit(chromium, paper, size=size), size == DESKTOP
    wide, tall = (728, 300) if desk else (320, 300)
    expected = {
        "/": [["top", wide], ["feed", 728 if desk else 300]],
        paper.found["metered"][0]: [["top", wide], ["story", tall], ["story", tall]]
        + ([["side", 300]] if desk else [])
        + [["end", 728 if desk else 300]],
        paper.found["premium"][0]: [["top", wide]]
        + ([["side", 300]] if desk else [])
        + [["end", 728 if desk else 300]],
    }
    for path, slots in expected.items():
        visit.goto(path)
        assert visit.boxes() == slots, path
        visit.page.mouse.wheel(0, 4000)
        visit.page.wait_for_timeout(150)
        assert visit.page.evaluate(SHIFTS) == 0, path
        assert "/ads/running.json" in visit.asked
        assert visit.page.locator(".ad:visible .ad-label").all_inner_texts() == ["Advertisement"] * len(slots)
        assert visit.page.locator(".ad-box a[href*='/ads/go/']").count() >= 1
        assert visit.page.get_by_text("Later").count() == 0
        assert {link.get_attribute("rel") for link in visit.page.locator(".ad-box a").all()} <= {
            "sponsored nofollow", "sponsored nofollow noopener",
        }  # fmt: skip
        visit.page.locator("[data-choice=no]").click() if visit.page.locator("[data-consent]").is_visible() else None
        if desk:
            look(visit.page)
    visit.close()


def test_without_javascript_the_papers_own_words_stand_in_the_slots(chromium, paper):
    visit = Visit(chromium, paper, java_script_enabled=False)
    visit.goto("/")
    assert visit.page.locator(".ad-top .ad-text").get_attribute("href") == "/subscribe/"
    assert not any(url.startswith("/ads/") for url in visit.asked)
    assert visit.page.locator("[data-consent]").is_hidden()
    visit.close()


def test_a_reader_without_advertising_gets_no_byte_of_it_and_asks_for_none(chromium, paper):
    for who in ("free", "only"):
        visit = Visit(chromium, paper, who)
        found = paper.found
        pages = [
            "/",
            "/national/",
            found["metered"][1],
            found["premium"][1],
            found["free"][1],
            "/account/",
            "/subscribe/",
        ]
        for path in pages:
            body = visit.goto(path)
            words = re.sub(rb"Reading without advertising", b"", body)  # the benefit's own name, on its plan card
            assert not ANY_AD.search(words), (who, path, ANY_AD.search(words))
            assert not [url for url in visit.asked if "/ads/" in url or "tags.example" in url]
        answer = visit.page.request.get(visit.base + "/")
        assert answer.headers["cache-control"] == "private, no-store"
        walled = visit.page.request.get(visit.base + found["premium"][1])
        assert walled.headers["broadsheet-variant"] == ("full" if who == "free" else "wall")
        visit.close()


def test_a_payer_without_that_product_reads_everything_beside_advertising(chromium, paper):
    visit = Visit(chromium, paper, "payer")
    for path in ("/", paper.found["premium"][2]):
        visit.goto(path)
        assert visit.page.locator(".ad-top a").count() == 1
    assert visit.page.locator(".wall").count() == 0
    visit.close()


def test_when_the_right_ends_the_next_page_carries_advertising(chromium, paper):
    visit, page = Visit(chromium, paper, "free"), paper.found["metered"][2]
    assert not ANY_AD.search(visit.goto(page))
    paper.python(
        "from broadsheet import clock\nfrom broadsheet.access.actions import end_grants\n"
        "result = end_grants(source='test:free:ad_free', ends_at=clock.now())"
    )
    until = time.monotonic() + 5
    while not ANY_AD.search(visit.goto(page)) and time.monotonic() < until:
        time.sleep(0.1)
    for path in (page, "/"):
        visit.goto(path)
        assert visit.page.locator(".ad-top").count() == 1
    visit.close()


def test_nothing_of_others_is_loaded_before_the_reader_says_so(chromium, paper):
    visit, ran = Visit(chromium, paper), "window.tagRan || 0"
    page, box = visit.page, visit.page.locator("[data-consent]")
    visit.goto("/")
    assert box.is_visible()
    assert (page.evaluate(ran), chosen(visit)) == (0, None)
    look(page)
    refuse, allow = page.locator("[data-choice=no]").bounding_box(), page.locator("[data-choice=yes]").bounding_box()
    assert (refuse["width"], refuse["height"]) == (allow["width"], allow["height"])
    page.get_by_role("button", name="Refuse").click()
    assert (box.is_visible(), chosen(visit)) == (False, "no")
    visit.goto(paper.found["metered"][3])
    assert (box.is_visible(), page.evaluate(ran)) == (False, 0)
    assert TAG not in visit.asked
    page.get_by_role("button", name="Advertising choices").click()
    page.get_by_role("button", name="Allow").click()
    expect_once(page, ran)
    assert (chosen(visit), TAG in visit.asked) == ("yes", True)
    visit.goto("/national/")
    expect_once(page, ran)
    page.get_by_role("button", name="Advertising choices").click()
    with page.expect_navigation(wait_until="networkidle"):
        page.get_by_role("button", name="Refuse").click()
    assert (chosen(visit), page.evaluate(ran)) == ("no", 0)
    visit.close()


def test_a_reader_who_asks_not_to_be_tracked_is_not_asked_either(chromium, paper):
    visit = Visit(chromium, paper)
    visit.context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    visit.goto("/")
    assert visit.page.locator("[data-consent]").is_hidden()
    assert TAG not in visit.asked
    visit.close()


def test_what_is_seen_and_clicked_on_is_counted_without_anybodys_name(chromium, paper):
    visit = Visit(chromium, paper)
    visit.goto("/")
    visit.page.locator("[data-choice=no]").click()
    visit.page.wait_for_timeout(1300)
    with visit.page.expect_request("**/ads/go/**") as clicked:
        visit.page.locator(".ad-top a").click()
    assert "referer" not in clicked.value.headers or "?" not in clicked.value.headers["referer"]
    counts = "from broadsheet.ads.models import DayCount\nresult = list(DayCount.objects.filter(slot='top').values_list('seen', 'clicks'))"
    until = time.monotonic() + 15
    while not any(seen and clicks for seen, clicks in paper.python(counts)) and time.monotonic() < until:
        time.sleep(0.5)
    assert any(seen and clicks == 1 for seen, clicks in paper.python(counts))
    visit.close()
