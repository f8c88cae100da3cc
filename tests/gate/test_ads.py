"""Pages with advertising and without: each to whom it belongs, over both roads, on fronts, and through a shared cache."""

import asyncio
import gzip
import json
import random
from datetime import timedelta

import pytest
from tests.gate.test_quick import (
    NAMES,
    OFFICE,
    POLICIES,
    SITE,
    START,
    STORIES,
    FarBook,
    LocalBook,
    Pair,
    cookie_header,
)

from broadsheet.access.meter import pack, section_code
from broadsheet.gate.ads import ad_policy
from broadsheet.gate.answers import PRIVATE, SECURITY_HEADERS, Answer, Needs
from broadsheet.gate.app import Gate
from broadsheet.gate.asked import ENCODINGS, read_request
from broadsheet.gate.options import GateOptions
from broadsheet.gate.told import Told
from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.shared_cache import SharedCache, greedy, raw
from broadsheet.press.store import make_sheet
from broadsheet.readers.passport import Passport, Right

TODAY = SECURITY_HEADERS[0]
TEN_READS = tuple(pack(100 + number, section_code("world")) for number in range(10))
PRODUCTS = ["unlimited", "premium", "ad_free"]


def is_free_of_ads(cookies, at):
    """Said in other words than the gate's: who holds a live passport that the gate believes, with a live `ad_free`."""
    held = dict(reversed([pair.strip().split("=", 1) for pair in cookies.split(";") if "=" in pair]))
    passport = OFFICE.open(held.get(NAMES.passport, ""), at.now)
    if passport is None or at.short.is_stale(passport.reader, passport.epoch, passport.session):
        return False
    now = at.now.timestamp()
    return any(right.product == "ad_free" and right.start <= now < (right.end or 9e9) for right in passport.rights)


def bearer(at, draw):
    """A believed passport with some rights, each of them live, ended or still to begin."""
    now = int(at.now.timestamp())
    spans = [(1, None), (1, now + 9), (1, now), (now + 1, None), (now, now + 1)]
    return passport(at, *((product, *draw.choice(spans)) for product in draw.sample(PRODUCTS, draw.randint(1, 3))))


@pytest.mark.parametrize("book", [LocalBook, FarBook])
@pytest.mark.parametrize("policy", POLICIES[:4], ids=range(4))
def test_over_both_roads_only_who_holds_ad_free_is_sent_a_page_without(tmp_path, policy, book):
    at, draw, jar, met = Pair(tmp_path, policy, book, ads=True), random.Random(7), [""], {}
    for gate in (at.short, at.plain):
        gate.knows_reads(5, None, TEN_READS)
    for _ in range(1500):
        story = draw.choice(list(STORIES))
        cookies = bearer(at, draw) if draw.random() < 0.3 else cookie_header(at, draw, jar)
        given = at.ask(story, cookies, draw.choice(ENCODINGS), f"192.0.{draw.randint(1, 60)}.7")
        if isinstance(at.general, Answer):
            headers = dict(at.general.headers)
            words = at.general.body if headers.get("Content-Encoding") != "gzip" else gzip.decompress(at.general.body)
            without, variant = is_free_of_ads(cookies, at), headers["Broadsheet-Variant"]
            if headers.get("Content-Encoding") == "gzip":
                assert words.startswith(b"ads/") is not without, (cookies, words)
                assert (words.removeprefix(b"ads/") == f"full {story}".encode()) is (variant == "full")
                met[variant, without] = met.get((variant, without), 0) + 1
            if headers["Cache-Control"] != PRIVATE:
                assert ("Vary", "Cookie") in at.general.headers
                assert not without
        if given:
            jar = [given, *jar][:12]
        at.tick += 1
        at.now += timedelta(seconds=draw.choice((0, 0.2, 1, 60)))
    assert min(met[key] for key in (("full", True), ("full", False), ("wall", True), ("wall", False))) > 20, met
    short, plain = at.recorded()
    assert short == plain


def passport(at, *rights, staff=False, age=0):
    now = int(at.now.timestamp())
    return f"{NAMES.passport}=" + OFFICE.seal(
        Passport(5, 1, "session5", staff, now - age, now - age + 600, tuple(Right(*right) for right in rights), "Asha")
    )


@pytest.fixture
def paper(tmp_path):
    at = Pair(tmp_path, POLICIES[0], ads=True)
    for path in ("/", "/world/"):
        for variant in ("", "ads/"):
            at.stores.public.put(make_sheet(f"{variant}page{path}", f"{variant}front {path}", version=1, edition=1))
    at.stores.public.put(make_sheet("page/feed.xml", "feed", version=1, edition=1, content_type="application/rss+xml"))
    return at


def ask(at, path, cookies="", told=None, method=b"GET", **headers):
    lines = [(b"host", SITE.encode()), (b"accept-encoding", b"gzip"), (b"cookie", cookies.encode())]
    lines += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return at.short.answer(read_request(method, path.encode(), lines, NAMES), told or Told())


def words(answer):
    assert isinstance(answer, Answer)
    return gzip.decompress(answer.body).decode()


def test_a_front_is_public_with_advertising_and_private_without(paper):
    plain = ask(paper, "/")
    assert words(plain) == "ads/front /"
    assert plain.headers.count(("Vary", "Cookie")) == 1
    assert dict(plain.headers)["Cache-Control"].startswith("public")
    free = ask(paper, "/world/", passport(paper, ("ad_free", 1, None)))
    assert words(free) == "front /world/"
    assert dict(free.headers)["Cache-Control"] == PRIVATE
    other = ask(paper, "/", passport(paper, ("unlimited", 1, None), ("premium", 1, None)))
    assert words(other) == "ads/front /"
    assert dict(other.headers)["Cache-Control"] == PRIVATE
    assert words(ask(paper, "/", passport(paper, staff=True))) == "ads/front /"
    assert words(ask(paper, "/feed.xml")) == "feed"


def test_a_right_that_ends_at_midnight_ends_with_the_next_request(paper):
    midnight = int(paper.now.timestamp()) + 60
    cookies = passport(paper, ("unlimited", 1, None), ("ad_free", 1, midnight))
    for path, without, with_ads in (("/", "front /", "ads/front /"), (paper.path(1), "full 1", "ads/full 1")):
        paper.now = START + timedelta(seconds=1)
        assert words(ask(paper, path, cookies)) == without
        paper.now = START + timedelta(seconds=59.9)
        assert words(ask(paper, path, cookies)) == without
        paper.now = START + timedelta(seconds=60)
        assert words(ask(paper, path, cookies)) == with_ads
    paper.now = START + timedelta(seconds=60)
    held = paper.short.shelf.at(paper.path(1).encode())
    assert gzip.decompress(paper.road.page(held, cookies, 0, "192.0.2.1", 9.0)[2]) == b"ads/full 1"


def test_a_front_asks_for_a_passport_that_has_grown_old_and_shows_no_advertising_while_nobody_answers(paper):
    old = passport(paper, ("ad_free", 1, None), age=700) + f"; {NAMES.session}=s"
    needs = ask(paper, "/", old)
    assert needs == Needs("passport", ("s",))
    fresh = passport(paper, ("ad_free", 1, None)).partition("=")[2]
    answer = ask(paper, "/", old, Told(issued=fresh))
    assert words(answer) == "front /"
    assert answer.extra[0][1].startswith(f"{NAMES.passport}={fresh}; ")
    assert words(ask(paper, "/", old, Told(issued=""))) == "ads/front /"
    assert words(ask(paper, "/", f"{NAMES.passport}=forged; {NAMES.session}=s", Told(away=True))) == "front /"
    assert words(ask(paper, "/", f"{NAMES.passport}=forged")) == "ads/front /"


def test_a_conditional_request_is_answered_for_its_own_variant(paper):
    with_ads = dict(ask(paper, "/").headers)["ETag"]
    free = passport(paper, ("ad_free", 1, None))
    without = dict(ask(paper, "/", free).headers)["ETag"]
    assert with_ads != without
    assert ask(paper, "/", free, if_none_match=with_ads).status == 200
    assert ask(paper, "/", if_none_match=without).status == 200
    same = ask(paper, "/", if_none_match=with_ads)
    assert same.status == 304
    assert ("Vary", "Cookie") in same.headers


def test_only_pages_with_advertising_let_a_tag_manager_in_and_only_where_there_is_one(tmp_path, paper):
    policy = ad_policy("https://tags.example/a.js", ("cdn.tags.example",))
    gate = Gate(
        GateOptions(POLICIES[0], NAMES, frozenset({SITE.encode()}), secure=False, ads=True, ad_policy=policy),
        paper.short.shelf, paper.short.seals, book=LocalBook(tmp_path / "x", limit=5, meters=400), recorder=paper.short.recorder,
        now=lambda: paper.now,
    )  # fmt: skip
    assert TODAY in ask(paper, "/").headers
    paper.short = gate
    for path in ("/", paper.path(1), paper.path(6), paper.path(7)):
        held = gate.shelf.at(path.encode())
        if held:
            held.dressed.clear()
        answer = ask(paper, path)
        assert ("Content-Security-Policy", policy) in answer.headers
        assert ("Content-Security-Policy", policy) in ask(
            paper, path, if_none_match=dict(answer.headers)["ETag"], sec_purpose="prefetch"
        ).headers
        free = passport(paper, ("ad_free", 1, None), ("unlimited", 1, None), ("premium", 1, None))
        assert TODAY in ask(paper, path, free).headers
    assert "script-src 'self' https://tags.example https://cdn.tags.example" in policy
    assert "unsafe" not in policy
    assert ad_policy("", ("cdn.tags.example",)) == ""


def test_with_advertising_off_nothing_is_known_of_it(tmp_path):
    at = Pair(tmp_path, POLICIES[0])
    at.stores.public.put(make_sheet("page/", "front /", version=1, edition=1))
    answer = ask(at, "/", passport(at, ("ad_free", 1, None)))
    assert words(answer) == "front /"
    assert ("Vary", "Cookie") not in ask(at, "/").headers
    assert ask(at, "/ads/running.json") is None
    assert TODAY in answer.headers


CAMPAIGN = {
    "id": 1, "kind": "direct", "weight": 1, "cap": 0, "slots": ["top"], "sections": [], "devices": [], "creatives": [],
}  # fmt: skip


def test_what_runs_changes_by_the_second_and_no_cache_keeps_it_longer(paper):
    begin = int(paper.now.timestamp())
    paper.short.standing("ads", {"sample": 4, "campaigns": [{**CAMPAIGN, "start": begin + 30, "end": begin + 45}]})

    def look(seconds):
        paper.now = START + timedelta(seconds=seconds)
        answer = ask(paper, "/ads/running.json")
        return dict(answer.headers)["Cache-Control"], json.loads(gzip.decompress(answer.body))

    assert look(0) == ("public, max-age=30", {"sample": 4, "campaigns": []})
    age, listed = look(30)
    assert (age, [one["id"] for one in listed["campaigns"]]) == ("public, max-age=15", [1])
    assert "start" not in listed["campaigns"][0]
    assert look(45) == ("public, max-age=60", {"sample": 4, "campaigns": []})
    assert dict(ask(paper, "/ads/running.json", passport(paper)).headers)["Cache-Control"] == PRIVATE


@pytest.mark.parametrize("normalise", [raw, greedy])
def test_no_shared_cache_mixes_them_up(paper, normalise):
    draw, rights = random.Random(3), [("ad_free", 1, None), ("unlimited", 1, None), ("premium", 1, None)]
    readers = {
        "visitor": "", "met": "other=1", "free": passport(paper, *rights), "payer": passport(paper, *rights[1:]),
        "only": passport(paper, rights[0]),
    }  # fmt: skip

    paper.short.knows_reads(5, None, TEN_READS)

    async def send(request, jar):
        answer = ask(
            paper, request.target, jar["cookies"], **{k.lower().replace("-", "_"): v for k, v in request.headers}
        )
        return Response(answer.status, tuple(answer.headers), answer.body)

    async def run():
        cache, seen = SharedCache(normalise, send), 0
        for _ in range(1200):
            cache.now += draw.choice((*(0,) * 200, 31, 70))
            who = draw.choice(list(readers))
            path = draw.choice(["/", "/world/", *(paper.path(story) for story in STORIES)])
            request = Ask(path, instead=readers[who])
            answer, _ = await cache.ask(request, {"cookies": readers[who]})
            assert gzip.decompress(answer.body).startswith(b"ads/") is (who not in ("free", "only")), (who, path)
            seen += 1
        return cache.served, seen

    served, seen = asyncio.run(run())
    assert served > 50
    assert seen == 1200
