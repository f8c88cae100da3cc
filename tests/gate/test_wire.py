"""HTTP/1.1 on the wire: connections, order, validators, methods, names. The right answers are RFC 9110's and 9112's."""

from contextlib import suppress

import pytest
from tests.gate.raw_lines import HIDDEN, Closed, Line

SEEN = "harbour5x0"


@pytest.fixture(scope="module")
def stories(paper):
    made = paper.stories(
        *[{"headline": f"Metered story number {n}"} for n in range(1, 4)],
        {"headline": "A free story", "tier": "free"},
        {"headline": "A premium story", "tier": "premium"},
    )
    paper.start()
    return made


@pytest.fixture
def metered(stories):
    return stories[0]["path"]


@pytest.fixture
def free(stories):
    return stories[3]["path"]


@pytest.fixture
def premium(stories):
    return stories[4]["path"]


@pytest.fixture
def line(paper, stories):
    with Line(paper) as line:
        yield line


def lives(line):
    """Whether the connection takes another request."""
    return line.get("/healthz").body == b"ok\n"


# --- connections ------------------------------------------------------------------------------------------------------
def test_a_connection_serves_one_request_after_another(line, free, premium):
    for path, status in [(free, 200), ("/robots.txt", 200), (premium, 200), ("/national/never-was-987654321", 404), ("/me.json", 200),
                         (free, 200)]:  # fmt: skip
        answer = line.get(path)
        assert (answer.status, answer.version, answer.get("Connection")) == (status, b"HTTP/1.1", None), path


def test_who_asks_for_the_end_of_the_connection_gets_it(paper, stories, free):
    for path in (free, "/robots.txt", "/me.json", "/national/never-was-987654321"):
        with Line(paper) as line:
            answer = line.get(path, "Connection: close")
            assert answer.get("Connection") == "close", path
            assert line.rest() == b"", path


def test_http_1_0_gets_one_answer_unless_the_connection_is_said_to_stay(paper, stories, free):
    for path in (free, "/robots.txt"):
        with Line(paper) as line:
            answer = line.get(path, version="1.0")
            assert answer.status == 200
            assert answer.get("Transfer-Encoding") is None  # no such thing in HTTP/1.0
            assert line.rest() == b""
        with Line(paper) as line:
            answer = line.get(path, "Connection: keep-alive", version="1.0")
            assert answer.status == 200
            if answer.get("Connection") == "keep-alive":
                assert lives(line)
            else:
                assert line.rest() == b""


@pytest.mark.parametrize("request_line", [
    "GET {path}", "GET {path} HTTP/2.0", "GET {path} HTTP/9.9",
    "GET {path} HTTP/1.1 x", "{path}", "GET {path} ICE/1.0", "get {path} HTTP/1.1", "PRI * HTTP/2.0",
])  # fmt: skip
def test_what_is_not_http_1_is_refused_and_the_connection_ends(line, free, request_line):
    line.send(f"{request_line.format(path=free)}\r\nHost: {line.host}\r\n\r\n".encode())
    said = line.rest()
    assert said == b"" or said.split()[1] in (b"400", b"405", b"421", b"501", b"505"), said[:80]
    assert HIDDEN not in said


# --- pipelining -------------------------------------------------------------------------------------------------------
FORM = b"email=asha%40reader.example"


def ten(line, free, premium):
    """Requests of every road, and how each must be answered."""
    post = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(FORM)}")
    return [
        (line.request(free), 200, f"full|{SEEN}"),
        (line.request("/robots.txt"), 200, "|User-agent"),
        (line.request(premium), 200, "wall|"),
        (line.request("/account/sign-in/", *post, method="POST", body=FORM), 403, "|"),
        (line.request(free, method="HEAD"), 200, "full|"),
        (line.request("/me.json"), 200, '|"signed_in": false'),
        (line.request("/national/never-was-987654321"), 404, "|"),
        (line.request("/healthz"), 200, "|ok"),
        (line.request(free, method="DELETE"), 405, "|"),
        (line.request(free), 200, f"full|{SEEN}"),
    ]


@pytest.mark.parametrize("size", [1_000_000, 700, 61])
def test_ten_requests_are_answered_in_order_however_they_are_cut_into_packets(paper, stories, free, premium, size):
    with Line(paper) as line:
        asked = ten(line, free, premium)
        packet = b"".join(request for request, _, _ in asked)
        for start in range(0, len(packet), size):
            line.send(packet[start : start + size])
        for request, status, told in asked:
            answer = line.read(head=request.startswith(b"HEAD"))
            variant, _, words = told.partition("|")
            assert answer.status == status, request
            assert (answer.get("Broadsheet-Variant") or "") == variant, request
            assert words.encode() in answer.body, request
        assert lives(line)


def test_nothing_is_answered_behind_the_request_that_ends_the_connection(line, free):
    line.send(line.request(free) + line.request(free, "Connection: close") + line.request("/me.json") * 3)
    assert [line.read().status for _ in range(2)] == [200, 200]
    assert line.rest() == b""


# --- bodies where none belong -----------------------------------------------------------------------------------------
def chunked(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_body_on_a_storys_address_is_read_over_and_no_request_hides_in_it(line, stories, free, method, coding):
    hidden = line.request(stories[0]["path"], "X-Hidden: yes")
    if coding == "length":
        request = line.request(free, f"Content-Length: {len(hidden)}", method=method, body=hidden)
    else:
        request = line.request(free, "Transfer-Encoding: chunked", method=method, body=chunked(hidden[:9], hidden[9:]))
    line.send(request)
    answer = line.read(head=method == "HEAD")
    assert answer.status == (200 if method in ("GET", "HEAD") else 405)
    if answer.get("Connection") == "close":
        assert line.rest() == b""  # not read over: then nothing may follow
    else:
        assert lives(line)


def test_a_body_that_arrives_late_is_still_no_request(line, stories, free):
    hidden = line.request(stories[0]["path"])
    line.send(line.request(free, f"Content-Length: {len(hidden)}"))
    first = line.read()
    assert first.status == 200
    if first.get("Connection") == "close":
        return
    line.send(hidden[:20]).send(hidden[20:] + line.request("/healthz"))
    assert line.read().body == b"ok\n"


def test_expect_100_continue(paper, stories, free):
    with Line(paper) as line:
        form = (
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(FORM)}",
            "Expect: 100-continue",
        )
        line.send(line.request("/account/sign-in/", *form, method="POST"))
        line.send(FORM)
        answer = line.read()
        assert answer.status == 403
        assert answer.interim in ([], [100])
        assert answer.get("Connection") == "close" or lives(line)
    for lines in (("Expect: 100-continue",), ("Expect: 100-continue", "Content-Length: 0"), ("Expect: tea",)):
        with Line(paper) as line:
            answer = line.get(free, *lines)
            assert answer.status in (200, 417)
            assert answer.get("Connection") == "close" or lives(line)


@pytest.mark.parametrize("lines", [
    ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    ("Upgrade: h2c",), ("Connection: Upgrade", "Upgrade: TLS/1.0"),
], ids=["websocket", "h2c", "h2c alone", "tls"])  # fmt: skip
def test_nobody_is_upgraded_and_nobody_hangs(paper, stories, free, lines):
    for path, status in ((free, 200), ("/robots.txt", 200)):
        with Line(paper, timeout=4) as line:
            answer = line.get(path, *lines)
            assert answer.status == status, path
            line.send(line.request("/healthz"))
            with suppress(Closed, ConnectionError):  # closing is right as well; silence would be a TimeoutError
                assert line.read().body == b"ok\n"


def test_connect_opens_no_tunnel(line):
    line.send(line.request(line.host, method="CONNECT"))
    said = line.rest()
    assert said == b"" or said.split()[1] in (b"400", b"405", b"421", b"501")


# --- GET, HEAD and the rest -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["free", "premium", "/", "/feed.xml", "/me.json", "/healthz", "/robots.txt", "/nowhere/"]
)
def test_head_is_get_without_its_body(paper, stories, free, premium, path):
    path = {"free": free, "premium": premium}.get(path, path)
    with Line(paper) as line:
        line.get(path)  # printed now, if it was cold
        get, head = line.get(path), line.get(path, method="HEAD")
        line.send(line.request("/healthz"))
        assert line.read().body == b"ok\n"  # HEAD left nothing behind
    assert head.status == get.status
    assert head.body == b""
    without = ("date", "set-cookie")
    assert {n: v for n, v in head.headers if n not in without} == {n: v for n, v in get.headers if n not in without}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "LOCK"])
def test_a_story_answers_get_and_head_alone(line, stories, method):
    for story in stories:
        line.send(line.request(story["path"], "X-Trace-Me: harbour5x0", "Content-Length: 0", method=method))
        answer = line.read()
        assert answer.status == 405, method
        assert answer.get("Allow") == "GET, HEAD"
        assert HIDDEN not in answer.body
        assert answer.get("Set-Cookie") is None
        assert answer.get("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("method", ["FOO", "GETT", "G", "get", "GE\tT", "\xffET", "GET/", ""])
def test_a_verb_that_does_not_exist_is_refused(line, free, method):
    line.send(line.request(free, method=method))
    said = line.rest()
    assert said == b"" or said.split()[1] in (b"400", b"405", b"501")
    assert HIDDEN not in said


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_and_no_parameter_turns_one_method_into_another(line, free, metered, header):
    line.send(line.request(metered, f"{header}: GET", "Content-Length: 0", method="POST"))
    assert line.read().status == 405
    assert line.get(free, f"{header}: DELETE").body == line.get(free).body
    assert line.get(f"{free}?_method=DELETE").body == line.get(free).body


def test_parts_of_a_page_are_not_for_sale(line, free, premium, metered):
    for path in (free, premium, metered):
        whole = line.get(path)
        for lines in (("Range: bytes=0-9",), ("Range: bytes=0-9", f"If-Range: {whole.get('ETag')}"),
                      ("Range: bytes=0-1,5-6",), ("Range: bytes=-5",), ("Range: lines=1-2",)):  # fmt: skip
            answer = line.get(path, *lines)
            assert (answer.status, answer.get("Content-Range")) == (200, None)
            assert answer.body == whole.body or path == metered
        assert whole.get("Accept-Ranges") == "none", path


# --- validators -------------------------------------------------------------------------------------------------------
def test_a_validator_that_names_the_page_saves_its_bytes(line, free):
    etag = line.get(free).get("ETag")
    for value in (etag, f"W/{etag}", f'"x", {etag}', f'W/"x" ,W/{etag},"y"', f'"a,b",{etag}', f'"" , {etag}'):
        answer = line.get(free, f"If-None-Match: {value}")
        assert (answer.status, answer.get("ETag")) == (304, etag), value
        assert answer.get("Content-Length") is None
        assert answer.get("Content-Encoding") is None
        assert answer.get("Cache-Control").startswith("public")
        assert "accept-encoding" in answer.get("Vary").lower()
    assert lives(line)


def test_any_page_at_all_is_named_by_a_star(line, free):
    assert line.get(free, "If-None-Match: *").status == 304


@pytest.mark.parametrize("value", ['"x"', "{bare}", "{etag}x", '"{bare}', "{upper}", "", '"', "x" * 3000, '"*"', "** *",
                                   "'{bare}'", '"W/{bare}"'])  # fmt: skip
def test_a_validator_that_does_not_name_the_page_gets_it_whole(line, free, value):
    whole = line.get(free)
    etag = whole.get("ETag")
    value = value.format(etag=etag, bare=etag.strip('"'), upper=etag.upper())
    answer = line.get(free, f"If-None-Match: {value}")
    if '"x' in value[-4:] and etag in value:
        return  # a list that is not well formed: naming it is as good as not
    assert (answer.status, answer.body) == (200, whole.body)


def test_validators_other_than_ours_change_nothing(line, free):
    whole = line.get(free)
    for value in (
        "If-Modified-Since: Wed, 01 Jan 2031 00:00:00 GMT",
        "If-Unmodified-Since: Wed, 01 Jan 2003 00:00:00 GMT",
    ):
        answer = line.get(free, value)
        assert (answer.status, answer.body) == (200, whole.body)


def test_a_walls_validator_never_answers_for_the_full_page_nor_the_other_way_round(paper, stories, metered):
    with Line(paper) as line:
        wall = line.get(metered, "Sec-Purpose: prefetch")
        assert wall.get("Broadsheet-Variant") == "wall"
        full = line.get(metered, f"If-None-Match: {wall.get('ETag')}")
        assert (full.status, full.get("Broadsheet-Variant")) == (200, "full")
        assert full.get("ETag") != wall.get("ETag")
        again = line.get(metered, "Sec-Purpose: prefetch", f"If-None-Match: {full.get('ETag')}")
        assert (again.status, again.get("Broadsheet-Variant")) == (200, "wall")
