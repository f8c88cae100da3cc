import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache

from broadsheet import clock
from broadsheet.access.actions import end_grants, grant, switch_policy
from broadsheet.access.models import MeterRead
from broadsheet.newsroom import actions as newsroom
from tests import make
from tests.api import outside
from tests.api.outside import HOST

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def asha():
    return make.reader(name="Asha Rao")


def app_of(reader, **fields):
    oauth = outside.session(*outside.app(**fields), scope=" ".join(fields.get("scopes", outside.ALL)))
    outside.signed_in(oauth, outside.browser(reader))
    return lambda path, **more: oauth.request(more.pop("method", "GET"), f"{HOST}/api/v1{path}", **more)


def hidden(number):
    return make.paragraph(5).replace("5x", f"5y{number}x")


def story(number=1, **fields):
    return make.story(body_html=make.body() + f"<p>{hidden(number)}</p>", now=clock.now(), **fields)


def entitle(reader, *products, until=None):
    now = clock.now()
    for product in products:
        grant(reader_id=reader.pk, product=product, starts_at=now, ends_at=until or now + timedelta(days=9), source="t")


def test_everybody_gets_the_public_part_alone(client):
    for tier in ("metered", "registered", "premium"):
        number = story(tier=tier)
        answer = client.get(f"/api/v1/stories/{number}")
        told = answer.json()
        assert (answer.status_code, told["access"]["variant"], told["body_html"]) == (200, "wall", None), tier
        assert hidden(1) not in answer.content.decode()
        assert told["lead_in_html"].startswith("<p>")
        assert answer.headers["Cache-Control"].startswith("public"), tier
        assert answer.headers["Vary"] == "Authorization"
    free = client.get(f"/api/v1/stories/{story(tier='free')}")
    assert hidden(1) in free.json()["body_html"]
    assert free.headers["Broadsheet-Reason"] == "free"


def test_a_cookie_means_nothing(asha):
    entitle(asha, "premium", "unlimited")
    answer = outside.browser(asha).get(f"/api/v1/stories/{story(tier='premium')}")
    assert answer.json()["body_html"] is None


def test_a_subscriber_reads_until_the_very_moment_it_ends(asha):
    entitle(asha, "premium", "unlimited")
    ask, number = app_of(asha), story(tier="premium")
    full = ask(f"/stories/{number}")
    assert full.json()["access"] == {"variant": "full", "reason": "entitled", "limit": None, "used": None}
    assert hidden(1) in full.json()["body_html"]
    assert full.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in full.headers
    end_grants(source="t", ends_at=clock.now())
    after = ask(f"/stories/{number}")
    assert (after.json()["body_html"], after.json()["wall"]["kind"]) == (None, "subscribe")
    assert hidden(1) not in after.text
    assert ask("/entitlements").json()["products"] == []


def test_reading_counts_as_on_the_page(asha):
    switch_policy(values={"registered_limit": 2}, by=None, now=clock.now())
    ask, numbers = app_of(asha), [story(n, tier="metered") for n in (1, 2, 3)]
    first = ask(f"/stories/{numbers[0]}").json()["access"]
    assert first == {"variant": "full", "reason": "meter", "limit": 2, "used": 1}
    again = ask(f"/stories/{numbers[0]}").json()["access"]
    assert again == {"variant": "full", "reason": "repeat", "limit": 2, "used": 1}
    assert ask(f"/stories/{numbers[1]}", method="HEAD").headers["Broadsheet-Reason"] == "not_a_read"
    assert MeterRead.objects.count() == 1
    assert ask(f"/stories/{numbers[1]}", headers={"Sec-Purpose": "prefetch"}).json()["access"]["variant"] == "wall"
    assert ask(f"/stories/{numbers[1]}").json()["access"]["used"] == 2
    walled = ask(f"/stories/{numbers[2]}")
    assert walled.json()["access"] == {"variant": "wall", "reason": "limit", "limit": 2, "used": 2}
    assert walled.json()["wall"]["kind"] == "limit"
    assert hidden(3) not in walled.text
    assert MeterRead.objects.count() == 2
    assert ask(f"/stories/{numbers[0]}").json()["access"]["variant"] == "full"


def test_a_ceiling_of_a_section_holds_here_too(asha):
    switch_policy(values={"section_limits": {"national": 1}}, by=None, now=clock.now())
    ask, numbers = app_of(asha), [story(n, tier="metered") for n in (1, 2)]
    assert [ask(f"/stories/{n}").json()["access"]["variant"] for n in numbers] == ["full", "wall"]
    assert MeterRead.objects.count() == 1


def test_an_app_that_may_not_read_reads_as_nobody(asha):
    entitle(asha, "premium")
    ask, number = app_of(asha, scopes=("openid", "saved")), story(tier="premium")
    answer = ask(f"/stories/{number}")
    assert (answer.json()["body_html"], answer.headers["Cache-Control"]) == (None, "private, no-store")
    assert ask("/entitlements").status_code == 403
    assert ask("/entitlements").headers["Content-Type"] == "application/problem+json"


def test_what_is_not_in_the_paper(client, asha):
    draft = make.story(publish=False, now=clock.now())
    gone = story()
    newsroom.withdraw_story(story_id=gone, reason="Retracted", now=clock.now())
    unknown = client.get("/api/v1/stories/999999")
    assert unknown.status_code == 404
    assert client.get(f"/api/v1/stories/{draft}").content == unknown.content.replace(b"999999", str(draft).encode())
    assert client.get(f"/api/v1/stories/{gone}").status_code == 410
    assert client.get("/api/v1/nothing").json()["status"] == 404
    assert client.get("/api/v2/stories").status_code == 404


def test_lists_page_through_everything_once(client):
    numbers = [
        make.story(headline=f"Story {n}", now=clock.now(), at=clock.now() - timedelta(hours=n // 2)) for n in range(7)
    ]
    seen, path = [], "/api/v1/stories?limit=3"
    while path:
        answer = client.get(path)
        told = answer.json()
        assert answer.headers["Cache-Control"].startswith("public")
        seen += [one["id"] for one in told["stories"]]
        path = f"/api/v1/stories?limit=3&before={told['next']}" if told["next"] else ""
    assert sorted(seen) == sorted(numbers)
    assert len(seen) == 7
    assert client.get("/api/v1/stories?section=national").json()["stories"][0]["section"]["slug"] == "national"
    assert client.get("/api/v1/stories?section=nowhere").status_code == 404
    assert set(client.get("/api/v1/front").json()) == {"lead", "seconds", "latest", "premium", "opinion", "blocks"}
    assert "national" in [one["slug"] for one in client.get("/api/v1/sections").json()["sections"]]


def test_what_has_not_changed_is_not_sent_again(client):
    story()
    first = client.get("/api/v1/stories")
    again = client.get("/api/v1/stories", headers={"if-none-match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    story(2)
    assert client.get("/api/v1/stories", headers={"if-none-match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=1&limit=2", "before=x", "before=99999999T000000Z-1", "page=2",
     "section=../x", "section=%00", "limit=%D9%A1", "access_token=x"],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_by_name(client, query):
    answer = client.get(f"/api/v1/stories?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert query.split("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize("head", ["Bearer x", "Bearer", "Basic eDp5", "bearer  ", "Bearer " + "y" * 5000, "Bearer é"])
def test_a_token_that_is_none_is_never_taken_for_nobody(client, head):
    answer = client.get("/api/v1/stories", headers={"authorization": head})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_methods_that_are_none(client):
    answer = client.post("/api/v1/stories")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_saved_stories(asha):
    ask = app_of(asha)
    numbers = [story(n) for n in (1, 2, 3)]
    for number in (*numbers, numbers[0]):
        assert ask("/saved", method="POST", json={"story": number}).status_code == 204
    told = ask("/saved?limit=2").json()
    assert [one["id"] for one in told["stories"]] == [numbers[2], numbers[1]]
    assert [one["id"] for one in ask(f"/saved?limit=2&before={told['next']}").json()["stories"]] == [numbers[0]]
    newsroom.withdraw_story(story_id=numbers[1], reason="Retracted", now=clock.now())
    assert ask(f"/saved/{numbers[2]}", method="DELETE").status_code == 204
    assert ask(f"/saved/{numbers[2]}", method="DELETE").status_code == 204
    assert [one["id"] for one in ask("/saved").json()["stories"]] == [numbers[0]]
    other = app_of(make.reader("other@reader.example"))
    assert other("/saved").json()["stories"] == []
    for body in (
        {},
        {"story": numbers[0], "more": 1},
        {"story": "1"},
        {"story": True},
        {"story": 0},
        {"story": 10**30},
        [],
        7,
    ):
        assert ask("/saved", method="POST", json=body).status_code == 422, body
    assert ask("/saved", method="POST", data="{", headers={"Content-Type": "application/json"}).status_code == 400
    assert ask("/saved", method="POST", data="story=1").status_code == 415
    assert ask("/saved", method="POST", json={"story": 999999}).status_code == 422
    assert [one["id"] for one in ask("/saved").json()["stories"]] == [numbers[0]]


def test_too_many_are_told_when_to_come_again(client, settings, asha):
    settings.BROADSHEET = _with(settings.BROADSHEET, api_rate=3, partner_rate=5)
    answers = [client.get("/api/v1/sections") for _ in range(5)]
    assert [one.status_code for one in answers] in ([200, 200, 200, 429, 429], [200] * 5)  # a minute may have turned
    assert 1 <= int(answers[-1].headers.get("Retry-After", 1)) <= 60
    ask = app_of(asha)
    assert ask("/me").status_code == 200


def _with(options, **changes):
    return replace(options, **changes)


def test_pages_of_other_origins(client, settings):
    asked = {"origin": "https://web.example"}
    assert "Access-Control-Allow-Origin" not in client.get("/api/v1/sections", headers=asked).headers
    settings.BROADSHEET = _with(settings.BROADSHEET, api_origins=("https://web.example",))
    answer = client.get("/api/v1/sections", headers=asked)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://web.example"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]
    assert (
        "Access-Control-Allow-Origin"
        not in client.get("/api/v1/sections", headers={"origin": "https://x.example"}).headers
    )
    ahead = client.options("/oauth/token", headers={**asked, "access-control-request-method": "POST"})
    assert (ahead.status_code, ahead.headers["Access-Control-Allow-Origin"]) == (204, "https://web.example")


def test_the_document_says_what_is_there(client):
    told = client.get("/api/v1/openapi.json").json()
    assert told["openapi"] == "3.1.0"
    text = json.dumps(told)
    for name in set(re.findall(r"#/components/schemas/(\w+)", text)):
        assert name in told["components"]["schemas"], name
    story(tier="free")
    for path in ("/paper", "/sections", "/front", "/stories"):
        shape = told["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        _fits(client.get(f"/api/v1{path}").json(), shape, told, path)
    number = client.get("/api/v1/stories").json()["stories"][0]["id"]
    _fits(client.get(f"/api/v1/stories/{number}").json(), {"$ref": "#/components/schemas/Story"}, told, "story")
    page = client.get("/api/")
    assert page.status_code == 200
    for path in told["paths"]:
        assert path in page.content.decode(), path


def _fits(value, shape, document, where):
    """A small judge of the few words of JSON Schema that the document uses."""
    if "$ref" in shape:
        shape = document["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in shape:
        if value is not None:
            _fits(value, shape["anyOf"][0], document, where)
        return
    kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
    names = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    assert isinstance(value, tuple(names[kind] for kind in kinds)), (where, value, kinds)
    if "enum" in shape:
        assert value in shape["enum"], where
    if isinstance(value, dict):
        assert set(shape.get("required", ())) <= set(value) <= set(shape["properties"]), (
            where,
            set(value) ^ set(shape["properties"]),
        )
        for name, one in value.items():
            _fits(one, shape["properties"][name], document, f"{where}.{name}")
    if isinstance(value, list):
        for one in value:
            _fits(one, shape["items"], document, where)
