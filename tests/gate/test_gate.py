"""The gate over real HTTP: one process, real sockets, real cookies."""

import gzip
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import brotli
import pytest
from tests import papers

LAST_WORDS = "signal5x"  # words that only the fifth, hidden paragraph holds


@pytest.fixture(scope="module")
def stories(paper):
    made = paper.stories(
        *[{"headline": f"Metered story number {n}"} for n in range(1, 9)],
        {"headline": "A free story", "tier": "free"},
        {"headline": "A premium story", "tier": "premium"},
        {"headline": "A story for the registered", "tier": "registered"},
        {"headline": "A draft", "publish": False},
    )
    paper.start()
    return made


def paths(stories):
    return [story["path"] for story in stories[:8]]


def is_full(reply):
    return reply.variant == "full" and "harbour5x0" in reply.text


def is_wall(reply):
    return reply.variant == "wall" and "5x" not in reply.text


def test_a_visitor_reads_exactly_the_limit_reads_again_and_meets_the_wall(paper, stories):
    browser = paper.browser()
    for path in paths(stories)[:5]:
        assert is_full(browser.get(path))
    assert (browser.get(paths(stories)[0]).reason, browser.get(paths(stories)[4]).reason) == ("repeat", "repeat")
    walled = browser.get(paths(stories)[5])
    assert (walled.status, walled.reason) == (200, "limit")
    assert is_wall(walled)
    assert "5 free" in walled.text
    assert is_full(browser.get(paths(stories)[2]))


def test_the_meter_can_be_neither_edited_nor_forged_nor_put_back(paper, stories):
    browser = paper.browser()
    browser.get(paths(stories)[0])
    first = browser.cookies["bsm"]
    for path in paths(stories)[1:5]:
        browser.get(path)
    # An older cookie of the same meter does not give its reads back.
    browser.cookies = {"bsm": first}
    assert is_wall(browser.get(paths(stories)[5]))
    # A forged one is worth as much as none: a new meter, never more than its limit.
    for value in ("x" * 80, first[:-2] + "zz", first[::-1], "", "0", "../../etc"):
        forged = paper.browser()
        forged.cookies = {"bsm": value}
        assert forged.get(paths(stories)[0]).reason == "meter"
        assert [forged.get(path).variant for path in paths(stories)] == ["full"] * 5 + ["wall"] * 3


def test_parallel_requests_with_one_cookie_share_one_allowance(paper, stories):
    browser = paper.browser()
    for path in paths(stories)[:4]:
        browser.get(path)
    held = dict(browser.cookies)

    def read(path):
        return papers.Browser(paper.port, dict(held)).get(path).variant

    with ThreadPoolExecutor(8) as pool:
        variants = list(pool.map(read, paths(stories)[4:] * 4))
    opened = {path for path, variant in zip(paths(stories)[4:] * 4, variants, strict=True) if variant == "full"}
    assert len(opened) == 1


def test_what_is_no_read_neither_counts_nor_gets_the_story(paper, stories):
    browser = paper.browser()
    for headers in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"},
                    {"Sec-Fetch-Dest": "image"}):  # fmt: skip
        reply = browser.request("GET", paths(stories)[0], headers)
        assert (reply.variant, reply.reason) == ("wall", "not_a_read")
    head = browser.request("HEAD", paths(stories)[0])
    assert (head.status, head.variant, head.body) == (200, "wall", b"")
    assert "bsm" not in browser.cookies
    assert browser.get("/me.json").text.startswith('{"signed_in": false')


def test_head_of_a_story_already_read_answers_as_get_would(paper, stories):
    browser = paper.browser()
    full = browser.get(paths(stories)[0])
    head = browser.request("HEAD", paths(stories)[0])
    assert head.headers["Content-Length"] == full.headers["Content-Length"]
    assert head.headers["ETag"] == full.headers["ETag"]


@pytest.mark.parametrize(("number", "reason"), [(9, "premium"), (10, "register")])
def test_premium_and_registered_stories_are_never_opened_by_the_meter(paper, stories, number, reason):
    reply = paper.browser().get(stories[number]["path"])
    assert (reply.status, reply.reason) == (200, reason)
    assert is_wall(reply)
    assert reply.headers["Cache-Control"].startswith("public")


def test_a_free_story_is_open_public_and_uncounted(paper, stories):
    browser = paper.browser()
    reply = browser.get(stories[8]["path"])
    assert is_full(reply)
    assert reply.headers["Cache-Control"].startswith("public")
    assert browser.cookies == {}


def test_metered_answers_are_never_for_a_shared_cache(paper, stories):
    browser = paper.browser()
    for path in paths(stories)[:6]:
        assert browser.get(path).headers["Cache-Control"] == "private, no-store"


def test_a_draft_and_a_story_that_never_was_look_the_same(paper, stories):
    draft = paper.browser().get(stories[11]["path"])
    never = paper.browser().get("/national/a-draft-987654")
    assert draft.status == never.status == 404
    assert draft.body == never.body


def test_an_old_slug_and_any_other_decoration_redirect_to_the_one_address(paper, stories):
    reply = paper.browser().get(f"/sport/anything-at-all-{stories[0]['id']}?utm_source=newsletter")
    assert (reply.status, reply.headers["Location"]) == (301, paths(stories)[0])


@pytest.mark.parametrize(
    "change",
    ["{path}/", "{path}.json", "{path}.md", "{path}/amp", "{path};x=1", "/{path}", "/.{path}", "{upper}", "{path}%00",
     "{path}%2f", "/national/../{path}"],
)  # fmt: skip
def test_no_other_spelling_of_an_address_sends_a_story(paper, stories, change):
    path = paths(stories)[0]
    reply = paper.browser().get(change.format(path=path, upper=path.upper()))
    assert reply.status in (301, 404)
    assert "5x" not in reply.text


@pytest.mark.parametrize("headers", [
    {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
    {"Referer": "https://www.google.com/"}, {"X-Forwarded-For": "66.249.66.1"},
    {"X-Original-URL": "/"}, {"X-HTTP-Method-Override": "GET"}, {"Accept": "application/json"},
    {"Range": "bytes=0-100"},
])  # fmt: skip
def test_headers_a_client_can_invent_change_no_byte(paper, stories, headers):
    path = stories[9]["path"]
    plain, tricky = paper.browser().get(path), paper.browser().request("GET", path, headers)
    assert tricky.body == plain.body
    assert {**tricky.headers, "date": ""} == {**plain.headers, "date": ""}


@pytest.mark.parametrize("query", ["?amp=1", "?print=1", "?outputType=json", "?free=1", "?_escaped_fragment_="])
def test_unknown_parameters_are_inert(paper, stories, query):
    path = stories[9]["path"]
    assert paper.browser().get(path + query).body == paper.browser().get(path).body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
def test_a_story_takes_no_other_method(paper, stories, method):
    reply = paper.browser().request(method, paths(stories)[0])
    assert reply.status in (400, 405)
    assert "5x" not in reply.text


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:1", "news.example:80", ""])
def test_a_foreign_host_gets_nothing(paper, stories, host):
    reply = paper.browser().request("GET", paths(stories)[0], {"Host": host})
    assert reply.status in (400, 421)
    assert "5x" not in reply.text


@pytest.mark.parametrize(("accept", "decode"), [("br", brotli.decompress), ("gzip", gzip.decompress),
                                                ("gzip;q=0, br", brotli.decompress), ("identity", bytes)])  # fmt: skip
def test_every_encoding_holds_the_same_page(paper, stories, accept, decode):
    path = stories[8]["path"]
    plain = paper.browser().get(path)
    assert decode(paper.browser().get(path, Accept_Encoding=accept).body) == plain.body


def test_a_validator_saves_the_bytes_but_never_a_count(paper, stories):
    free = stories[8]["path"]
    etag = paper.browser().get(free).headers["ETag"]
    again = paper.browser().get(free, If_None_Match=etag)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    # Whoever claims to hold the full page is sent it whole, and it counts.
    full = paper.browser().get(paths(stories)[0]).headers["ETag"]
    claim = paper.browser().get(paths(stories)[0], If_None_Match=full)
    assert (claim.status, claim.reason) == (200, "meter")


def raw(paper, *parts, pause=0.0):
    with socket.create_connection(("127.0.0.1", paper.port), 10) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        connection.settimeout(10)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_pipelined_requests_are_answered_in_order(paper, stories):
    host = f"Host: localhost:{paper.port}\r\n".encode()
    free, premium = stories[8]["path"].encode(), stories[9]["path"].encode()
    wanted = [(b"/healthz", b""), (free, b""), (b"/robots.txt", b""), (premium, b"Connection: close\r\n")]
    got = raw(paper, b"".join(b"GET " + path + b" HTTP/1.1\r\n" + host + extra + b"\r\n" for path, extra in wanted))
    marks = (b"\r\n\r\nok\n", b"broadsheet-reason: free", b"user-agent:", b"broadsheet-reason: premium")
    order = [got.lower().find(mark) for mark in marks]
    assert -1 not in order
    assert order == sorted(order)


def test_a_slow_head_and_a_body_on_a_story_path_do_no_harm(paper, stories):
    path = stories[9]["path"].encode()
    host = f"Host: localhost:{paper.port}\r\nConnection: close\r\n".encode()
    slow = raw(paper, b"GET " + path[:5], path[5:] + b" HTTP/1.1\r\n", host + b"\r\n", pause=0.05)
    assert b"Broadsheet-Variant: wall" in slow
    body = raw(paper, b"GET " + path + b" HTTP/1.1\r\nContent-Length: 5\r\n" + host + b"\r\nhello")
    assert b"broadsheet-variant: wall" in body.lower()


def test_two_host_headers_are_refused(paper, stories):
    mine = f"Host: localhost:{paper.port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode()
    assert raw(paper, b"GET " + paths(stories)[0].encode() + b" HTTP/1.1\r\n" + mine).startswith(b"HTTP/1.1 421")


def test_a_kill_is_off_every_surface_within_a_second(paper, stories):
    victim = stories[7]
    assert "Metered story number 8" in paper.browser().get("/").text
    assert is_full(paper.browser().get(victim["path"]))
    # Another process withdraws it, and dies before any job has run: the notice alone must do.
    began = time.monotonic()
    paper.python(
        "import os\nfrom broadsheet import clock\nfrom broadsheet.newsroom.actions import withdraw_story\n"
        f"withdraw_story(story_id={victim['id']}, reason='Withdrawn by its agency', now=clock.now())\n"
        "import time, sys\nprint(json.dumps(time.time())); sys.stdout.flush(); os._exit(0)",
        dies=True,
    )
    deadline = time.monotonic() + 1
    while paper.browser().get(victim["path"]).status != 410 and time.monotonic() < deadline:
        time.sleep(0.02)
    gone = paper.browser().get(victim["path"])
    assert gone.status == 410
    assert "harbour1x0" not in gone.text
    for surface in ("/", "/national/", "/feed.xml", "/national/feed.xml", "/sitemap.xml", "/news-sitemap.xml",
                    "/search?q=metered", paths(stories)[0]):  # fmt: skip
        assert "Metered story number 8" not in paper.browser().get(surface).text, surface
    assert time.monotonic() - began < 20
