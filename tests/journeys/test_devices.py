"""One account on every device: an app let in on a phone, a television by a code, stories saved, and each of them ended
from the account page, at once, in the gate and in the API. The app is Authlib's, over real connections."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from tests.journeys.looks import DESKTOP, PHONE, look, sign_in, visit
from tests.journeys.test_the_whole_road import Demo

pytestmark = pytest.mark.browser
START = "2027-01-10T09:00:00+05:30"
BACK = "https://app.example/callback"
SCOPE = "openid email entitlements stories saved"
SETUP = f"""
from broadsheet import clock
from broadsheet.api.actions import Draft, add_client
from broadsheet.dates import parse_instant
from broadsheet.newsroom.queries import latest_cards
from broadsheet.readers.actions import ensure_reader
clock.stand_at(parse_instant("{START}"))
ensure_reader(email="asha@reader.example", now=clock.now())
app, _ = add_client(draft=Draft("The Courier for Android", redirect_uris=["{BACK}"], scopes="{SCOPE}".split(), tv=True), now=clock.now())
premium = next(card for card in latest_cards(80) if card.tier == "premium")
result = {{"client": app.id, "id": premium.id, "path": premium.path, "headline": premium.headline}}
"""
GRANT = """
from datetime import timedelta
from broadsheet import clock
from broadsheet.access.actions import end_grants, grant
from broadsheet.dates import parse_instant
from broadsheet.readers.queries import reader_by_email
clock.stand_at(parse_instant("2027-01-10T09:10:00+05:30"))
reader = reader_by_email("asha@reader.example").id
"""
BEGIN = (
    GRANT
    + """
for product in ("unlimited", "premium"):
    grant(reader_id=reader, product=product, starts_at=parse_instant("2027-01-10T08:00:00+05:30"), ends_at=None, source="test")
"""
)
END = GRANT + 'end_grants(source="test", ends_at=parse_instant("2027-01-10T08:00:01+05:30"))\n'


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices") / "paper"
    folder.parent.joinpath("stderr.log").touch()
    made = Demo(folder)
    made.open(START)
    made.story = made.python(SETUP)
    made.python(BEGIN)
    yield made
    made.stop()


def words(page):
    return page.locator("main").inner_text()


def client(demo):
    base = f"http://localhost:{demo.port}"
    made = OAuth2Session(
        demo.story["client"], scope=SCOPE, redirect_uri=BACK, code_challenge_method="S256",
        token_endpoint_auth_method="none", token_endpoint=f"{base}/oauth/token",
    )  # fmt: skip
    return made, base


def body_of(app, base, demo):
    answer = app.get(f"{base}/api/v1/stories/{demo.story['id']}")
    return answer.status_code, answer.json().get("body_html")


def test_1_an_app_is_let_in_on_a_phone_and_reads_what_its_reader_may(chromium, demo):
    app, base = client(demo)
    verifier = generate_token(48)
    url, state = app.create_authorization_url(f"{base}/oauth/authorize", code_verifier=verifier)
    context = chromium.new_context(viewport=PHONE, reduced_motion="reduce")
    page = context.new_page()
    came_back = []
    page.route("https://app.example/**", lambda route: (came_back.append(route.request.url), route.fulfill(body="app")))
    page.goto(url)
    assert "/account/sign-in/" in page.url
    sign_in(page, demo.port, "asha@reader.example", "/account/")
    page.goto(url)
    assert "The Courier for Android" in words(page)
    assert "asha@reader.example" in words(page)
    look(page)
    page.get_by_label("Your email address").uncheck()
    page.get_by_role("button", name="Yes, let it in").click()
    page.wait_for_url("https://app.example/**")
    assert parse_qs(urlsplit(came_back[0]).query)["state"] == [state]
    token = app.fetch_token(authorization_response=came_back[0], code_verifier=verifier)
    assert token["scope"] == SCOPE.replace("email ", "")
    status, body = body_of(app, base, demo)
    assert (status, len(body) > 500) == (200, True)
    demo.app, demo.cookies = app, context.cookies()
    context.close()


def test_2_a_television_is_let_in_by_a_code_typed_on_a_phone(chromium, demo):
    tv, base = client(demo)
    asked = {"client_id": demo.story["client"], "scope": "openid stories"}
    told = tv.post(f"{base}/oauth/device", asked, withhold_token=True).json()
    with visit(chromium, demo.port, PHONE) as page:
        page.context.add_cookies(demo.cookies)
        page.goto(f"{base}/device/")
        look(page)
        page.get_by_label("The code on the other screen").fill(told["user_code"].lower())
        page.get_by_role("button", name="Go on").click()
        assert told["user_code"] in words(page)
        look(page)
        page.get_by_role("button", name="Yes, that is my screen").click()
        assert "You are logged in there" in words(page)
        look(page)
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": told["device_code"], **asked}
    token = tv.post(f"{base}/oauth/token", grant, withhold_token=True).json()
    tv.token = token
    assert body_of(tv, base, demo)[0] == 200
    demo.tv = tv


def test_3_a_story_is_saved_without_leaving_it(chromium, demo):
    with visit(chromium, demo.port, DESKTOP) as page:
        page.context.add_cookies(demo.cookies)
        page.goto(f"http://localhost:{demo.port}/account/saved/")
        assert "not saved a story yet" in words(page)
        look(page)
        page.goto(f"http://localhost:{demo.port}{demo.story['path']}")
        page.get_by_role("link", name="Save this story").click()
        page.get_by_role("link", name="Saved: your list").wait_for()
        assert page.url.endswith(demo.story["path"])
        page.get_by_role("link", name="Saved: your list").click()
        assert demo.story["headline"] in words(page)
        look(page)
        saved = demo.app.get(f"http://localhost:{demo.port}/api/v1/saved").json()["stories"]
        assert [one["id"] for one in saved] == [demo.story["id"]]
        page.get_by_role("button", name=f"Remove {demo.story['headline']}").click()
        assert "not saved a story yet" in words(page)


def test_4_each_is_ended_from_the_account_at_once_in_the_gate_too(chromium, demo):
    base = f"http://localhost:{demo.port}"
    with visit(chromium, demo.port, DESKTOP) as desk, visit(chromium, demo.port, PHONE) as phone:
        phone.context.add_cookies(demo.cookies)
        phone.goto(base + demo.story["path"])
        assert phone.locator(".paywall").count() == 1
        sign_in(desk, demo.port, "asha@reader.example", "/account/devices/")
        look(desk)
        assert desk.locator(".device-here").count() == 1
        assert desk.get_by_role("heading", name="The Courier for Android").count() == 2
        assert demo.tv.get(f"{base}/api/v1/me").status_code == 200
        desk.get_by_role("button", name="Log out The Courier for Android").first.click()
        assert "It is logged out." in words(desk)
        alive = [one.get(f"{base}/api/v1/me").status_code for one in (demo.app, demo.tv)]
        assert alive == [200, 401]  # the newest stands first
        desk.get_by_role("button", name="Log out everywhere else").click()
        assert demo.app.get(f"{base}/api/v1/me").status_code == 401
        assert len(re.findall("Log out", desk.locator(".devices").inner_text())) == 1
        for _ in range(20):
            phone.goto(base + demo.story["path"])
            if phone.locator(".paywall").count() == 0:
                break
            phone.wait_for_timeout(100)
        assert phone.locator(".wall").count() == 1
        desk.goto(base + demo.story["path"])
        assert desk.locator(".paywall").count() == 1
        demo.cookies = desk.context.cookies()


def test_5_the_end_of_the_subscription_ends_it_in_the_app_with_the_next_question(chromium, demo):
    app, base = client(demo)
    verifier = generate_token(48)
    url, _ = app.create_authorization_url(f"{base}/oauth/authorize", code_verifier=verifier)
    context = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce")
    page, came_back = context.new_page(), []
    page.route("https://app.example/**", lambda route: (came_back.append(route.request.url), route.fulfill(body="app")))
    context.add_cookies(demo.cookies)
    page.goto(url)
    page.get_by_role("button", name="Yes, let it in").click()
    page.wait_for_url("https://app.example/**")
    app.fetch_token(authorization_response=came_back[0], code_verifier=verifier)
    held = app.get(f"{base}/api/v1/entitlements").json()["products"]
    assert [one["product"] for one in held] == ["premium", "unlimited"]
    assert body_of(app, base, demo)[1]
    demo.python(END)
    assert app.get(f"{base}/api/v1/entitlements").json()["products"] == []
    assert body_of(app, base, demo) == (200, None)
    assert app.refresh_token(f"{base}/oauth/token")["access_token"]  # the account is still theirs
    context.close()


def test_6_what_everybody_may_see(chromium, demo):
    with visit(chromium, demo.port, PHONE) as page:
        page.goto(f"http://localhost:{demo.port}/api/")
        look(page)
        page.goto(f"http://localhost:{demo.port}/account/devices/")
        assert "/account/sign-in/" in page.url
