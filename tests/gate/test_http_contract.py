"""The header table (tests/vectors/http.json) held against a running paper: every row x encoding x method x validator."""

import gzip
import itertools
import json
import time
from datetime import timedelta
from pathlib import Path

import brotli
import pytest
from tests.deploy.make_front import sign_in
from tests.gate.raw_lines import Line

from broadsheet import clock

TABLE = json.loads((Path(__file__).parent.parent / "vectors" / "http.json").read_text())
ROWS = TABLE["answers"]
ENCODINGS = {"": bytes, "identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress, "gzip, br;q=0.5": brotli.decompress,
             "br;q=0, gzip": gzip.decompress, "zstd": bytes}  # fmt: skip
CONDITIONS = ("none", "own", "weak", "list", "star", "nobody's", "another variant's", "another encoding's")
CHANGE = ("date", "expires", "set-cookie")
STORY = ("free", "premium", "registered", "metered", "another")


class Town:
    """A paper with a story of each kind and somebody of each class who asks for them."""

    def __init__(self, paper):
        self.paper = paper
        kinds = ("free", "premium", "registered", "metered", "metered", "free")
        made = paper.stories(*[{"headline": f"A {tier} story", "tier": tier} for tier in kinds],
                             {"headline": "A draft", "publish": False})  # fmt: skip
        names = ("free", "premium", "registered", "metered", "another", "withdrawn", "draft")
        self.paths = {name: story["path"] for name, story in zip(names, made, strict=True)}
        self.paths |= {"front": "/", "section": "/national/", "feed": "/feed.xml", "me": "/me.json", "account": "/account/",
                       "sign_in": "/account/sign-in/", "never": "/national/never-was-987654321",
                       "old_slug": f"/national/an-old-slug-{made[0]['id']}", "foreign": self.paths["free"]}  # fmt: skip
        paper.start()
        self.hold("withdraw_story", made[5]["id"])
        visitor, reader, subscriber = paper.browser(), paper.browser(), paper.browser()
        visitor.get(self.paths["metered"])
        sign_in(reader, paper, "asha@reader.example")
        reader.get(self.paths["metered"])
        sign_in(subscriber, paper, "vik@reader.example")
        self.entitle("vik@reader.example")
        for path in (self.paths["premium"], "/me.json"):
            subscriber.get(path)  # the passport is issued anew, now that there is something to put into it
        self.cookies = {
            "visitor": "",
            "prefetch": "",
            "stranger": "_ga=GA1.1.2; consent=yes",
            "forged": "bsp=AAAA; bsm=zzzz",
        }
        for who, browser in (("counted", visitor), ("reader", reader), ("subscriber", subscriber)):
            self.cookies[who] = "; ".join(f"{name}={value}" for name, value in browser.cookies.items() if name != "bsc")
        self.line = Line(paper)
        for path in (*self.paths.values(), "/national/feed.xml"):
            self.line.get(path)  # whatever is cold is printed now

    def hold(self, verb, story):
        self.paper.python(
            f"from broadsheet import clock\nfrom broadsheet.newsroom.actions import {verb}\n"
            f"{verb}(story_id={story}, reason='Withdrawn by its agency', now=clock.now())"
        )
        time.sleep(1)

    def entitle(self, email):
        until = (clock.now() + timedelta(days=1)).isoformat()
        self.paper.python(
            "from datetime import datetime\nfrom broadsheet import clock\nfrom broadsheet.access.actions import grant\n"
            f"from broadsheet.readers.models import Reader\nr = Reader.objects.get(email={email!r})\n"
            "for product in ('unlimited', 'premium'):\n    grant(reader_id=r.id, product=product, starts_at=clock.now(), "
            f"ends_at=datetime.fromisoformat({until!r}), source='test')"
        )
        time.sleep(1)

    def ask(self, row, accept="", method="GET", match=""):
        lines = [f"Accept-Encoding: {accept}"] if accept else []
        lines += [f"Cookie: {self.cookies[row['who']]}"] if self.cookies[row["who"]] else []
        lines += [f"If-None-Match: {match}"] if match else []
        lines += ["Sec-Purpose: prefetch"] if row["who"] == "prefetch" else []
        host = "evil.example" if row["what"] == "foreign" else ""
        return self.line.get(self.paths[row["what"]], *lines, method=method, host=host)


@pytest.fixture(scope="module")
def town(paper):
    paper.env["BROADSHEET_FREE_LIMIT"] = "1"
    return Town(paper)


def name_of(row):
    return f"{row['what']}, {row['who']}"


def told(row, method):
    return {**row, **row.get("head", {})} if method == "HEAD" else row


def check_headers(row, answer, method):
    """Everything that the row says of any answer to it, whatever its encoding and its validator."""
    expected = told(row, method)
    cache = answer.get("Cache-Control")
    assert cache == TABLE["cache"][expected["cache"]]
    assert (answer.get("Broadsheet-Variant"), answer.get("Broadsheet-Reason")) == (
        expected.get("variant"),
        expected.get("reason"),
    )
    for header, value in TABLE["security"].items():
        assert answer.get(header) == value, header
    assert "frame-ancestors 'none'" in answer.get("Content-Security-Policy")
    assert answer.get("Access-Control-Allow-Origin") is None
    vary = {part.strip().lower() for part in (answer.get("Vary") or "").split(",")}
    assert ("accept-encoding" in vary) >= (row["what"] in STORY or row.get("sheet", False))
    assert ("cookie" in vary) >= expected.get("vary_cookie", False)
    cookies = [value for header, value in answer.headers if header == "set-cookie"]
    assert not (cookies and cache.startswith("public"))
    for cookie in cookies:
        assert all(part in cookie for part in ("; Path=/", "HttpOnly", "SameSite=Lax"))
    if method == "GET":
        assert {cookie.partition("=")[0] for cookie in cookies} == set(expected.get("cookies", []))


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_encoding_of_an_answer_is_the_same_page_under_the_same_headers(town, row):
    pages, names = set(), {}
    for accept, decode in ENCODINGS.items():
        get, head = town.ask(row, accept), town.ask(row, accept, "HEAD")
        for method, answer in (("GET", get), ("HEAD", head)):
            assert answer.status == row["status"], (accept, method)
            check_headers(row, answer, method)
            if row["what"] in STORY:
                assert answer.get("Accept-Ranges") == "none"
        if "head" not in row:
            assert {n: v for n, v in head.headers if n not in CHANGE} == {
                n: v for n, v in get.headers if n not in CHANGE
            }
        assert get.get("Content-Length") in (str(len(get.body)), None)
        if row.get("etag"):
            assert (
                get.get("Content-Encoding") == {bytes: None, gzip.decompress: "gzip", brotli.decompress: "br"}[decode]
            )
            pages.add(decode(get.body))
            # A strong validator names one sequence of bytes.
            etag = get.get("ETag")
            assert etag.startswith('"')
            assert names.setdefault(etag, get.body) == get.body
    if row.get("etag"):
        assert len(pages) == 1
        assert len(names) == 3


def validators(town, row):
    """What a client may hold: of this answer, of this page in another encoding, of another answer at this address."""
    here = {name: town.ask(row, name).get("ETag") for name in ("br", "gzip")}
    others = [town.ask(other, "br").get("ETag") for other in ROWS if other["what"] == row["what"] and other.get("etag")]
    other = next((etag for etag in others if etag != here["br"]), '"none"')
    return {"none": "", "own": here["br"], "weak": f"W/{here['br']}", "list": f'"x", {here["br"]}', "star": "*",
            "nobody's": '"x"', "another variant's": other, "another encoding's": here["gzip"]}  # fmt: skip


@pytest.mark.parametrize("row", [row for row in ROWS if row.get("etag")], ids=name_of)
def test_a_validator_saves_bytes_only_where_it_names_them(town, row):
    held = validators(town, row)
    for condition, method in itertools.product(CONDITIONS, ("GET", "HEAD")):
        answer = town.ask(row, "br", method, held[condition])
        plain = town.ask(row, "br", method)
        counts = row.get("counts") and method == "GET"
        names_it = condition in ("own", "weak", "list", "star") and (method == "GET" or "head" not in row)
        if condition == "star":
            names_it = True
        if condition == "another variant's" and method == "HEAD" and "head" in row:
            continue  # HEAD's own variant may be the other one
        assert answer.status == (304 if names_it and not counts else 200), (condition, method)
        check_headers(row, answer, method)
        assert answer.get("ETag") == plain.get("ETag")
        if answer.status == 304:
            assert answer.body == b""
            assert {n for n, _ in answer.headers} & {"content-encoding", "content-type", "content-range"} == set()
            assert answer.get("Content-Length") in (None, plain.get("Content-Length"))
        else:
            assert answer.body == plain.body


def test_no_two_answers_at_one_address_share_a_validator_unless_they_are_the_same(town):
    seen = {}
    for row in ROWS:
        if row.get("etag"):
            for accept in ("br", "gzip", "identity"):
                answer = town.ask(row, accept)
                key = (row["what"], answer.get("ETag"))
                assert seen.setdefault(key, answer.body) == answer.body, key


def test_what_depends_on_a_reader_is_never_public(town):
    """The same address, asked by two classes of readers with different answers: then none of those may be kept."""
    for what in {row["what"] for row in ROWS}:
        rows = [row for row in ROWS if row["what"] == what]
        answers = {row["who"]: town.ask(row, "identity") for row in rows if row["who"] != "prefetch"}
        public = {who: a for who, a in answers.items() if a.get("Cache-Control").startswith("public")}
        assert len({(a.status, a.body) for a in public.values()}) <= 1, what
        if public:
            assert answers["visitor"].body == next(iter(public.values())).body, what


def test_a_draft_and_what_never_was_are_told_apart_by_nothing(town):
    draft, never = (town.ask(row) for row in ROWS if row["what"] in ("draft", "never") and row["who"] == "visitor")
    assert draft.body == never.body
    assert {n: v for n, v in draft.headers if n != "date"} == {n: v for n, v in never.headers if n != "date"}


def test_the_table_names_every_class_of_reader_and_every_cache_word():
    assert {row["who"] for row in ROWS} == {
        "visitor",
        "stranger",
        "counted",
        "reader",
        "subscriber",
        "forged",
        "prefetch",
    }
    assert {row["cache"] for row in ROWS} == set(TABLE["cache"])
    assert len({name_of(row) for row in ROWS}) == len(ROWS)
