"""Bytes that no honest client sends: refused, never misread, and never a second request inside the first."""

import pytest
from tests.gate.raw_lines import HIDDEN, Line, statuses


@pytest.fixture(scope="module")
def stories(paper):
    made = paper.stories({"headline": "A metered story"}, {"headline": "A free story", "tier": "free"})
    paper.start()
    yield made
    # Whatever was sent, the server answered it on purpose: nothing was raised and caught at the edge.
    log = (paper.folder / "stderr.log").read_text()
    assert "Traceback" not in log, log[-3000:]


@pytest.fixture
def metered(stories):
    return stories[0]["path"]


@pytest.fixture
def free(stories):
    return stories[1]["path"]


@pytest.fixture
def line(paper, stories):
    with Line(paper, timeout=6) as line:
        yield line


def everything(line, data):
    """All that comes back for `data` once we have said that we are done."""
    line.send(data)
    line.socket.shutdown(1)
    return line.rest()


def refused(said, *codes):
    return said == b"" or statuses(said) in [[code] for code in codes]


# --- who is meant -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:1", "localhost:{port}.", "localhost.:{port}",
                                  "localhost:0{port}", "localhost:{port}@evil.example", "evil.example@localhost:{port}",
                                  "localhost:{port},evil.example", "localhost:{port} evil.example", "[::ffff:127.0.0.1]",
                                  "localhost:{port}/", "localhost:{port}#", "%6cocalhost:{port}", "", " ", "127.1:{port}"])  # fmt: skip
def test_a_host_that_is_not_ours_gets_nothing(line, free, host):
    host = host.format(port=line.paper.port)
    said = everything(line, f"GET {free} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert refused(said, 400, 421), said[:200]


def test_our_host_is_ours_in_capitals_and_between_spaces(line, free):
    for host in (line.host.upper(), f"  {line.host}"):
        line.send(f"GET {free} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert line.read().status == 200


def test_no_host_and_two_hosts_are_refused(paper, stories, free):
    ours, evil = f"Host: localhost:{paper.port}", "Host: evil.example"
    for lines in ([], [ours, evil], [evil, ours], [ours, ours], [ours, "host : evil.example"], [ours, "HOST: x"]):
        with Line(paper) as line:
            said = everything(line, "\r\n".join([f"GET {free} HTTP/1.1", *lines, "", ""]).encode())
            assert refused(said, 400, 421), (lines, said[:200])


def test_a_whole_address_in_the_request_line_must_be_ours_as_well(paper, stories, free):
    for address in ("http://evil.example", "https://evil.example:{port}", "http://localhost:1", "ftp://evil.example",
                    "http://user:pass@evil.example", "//evil.example", "http:/", "http://"):  # fmt: skip
        with Line(paper) as line:
            said = everything(line, line.request(address.format(port=paper.port) + free))
            assert refused(said, 301, 400, 404, 421), (address, said[:200])
            assert b"evil.example" not in said.lower(), address


def test_a_host_in_pieces_over_two_lines_is_refused(line, free):
    said = everything(line, f"GET {free} HTTP/1.1\r\nHost: {line.host}\r\n evil.example\r\n\r\n".encode())
    assert refused(said, 400, 421)


# --- lines that are none ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("bad", [
    b"X y: 1", b"X-A : 1", b" X-A: 1", b": 1", b"X-A", b"X\x00A: 1", b"X-A: 1\x00", b"X-A: 1\rX-B: 2", b"X-A: 1\r", b"X\xc3\xa9: 1",
    b"X-A: \x01", b"(X): 1", b"X-A: 1\x0b\x0c",
], ids=repr)  # fmt: skip
def test_a_header_line_that_is_none_is_refused(line, free, bad):
    said = everything(line, line.request(free)[:-2] + bad + b"\r\n\r\n")
    assert refused(said, 400), said[:200]
    assert HIDDEN not in said


def test_lines_that_end_in_a_bare_newline_make_no_second_request(paper, stories, free, metered):
    with Line(paper) as line:
        said = everything(line, f"GET {free} HTTP/1.1\nHost: {line.host}\n\n".encode())
        assert len(statuses(said)) <= 1
    with Line(paper) as line:
        inner = f"X: y\n\nGET {metered} HTTP/1.1\nHost: {line.host}\n\n"
        said = everything(line, line.request(free)[:-2] + inner.encode())
        assert refused(said, 400), said[:200]


def test_a_folded_line_is_one_header_or_none(line, free, metered):
    folded = f"X-A: 1\r\n \r\n GET {metered} HTTP/1.1\r\n\tX-B: 2"
    said = everything(line, line.request(free, folded))
    assert statuses(said) in ([400], [200])


# --- two requests in one ----------------------------------------------------------------------------------------------
SMUGGLED = [
    "Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4",
    "Content-Length: 4\r\nContent-Length: 5", "Content-Length: 4, 5", "Content-Length: +4", "Content-Length: -1",
    "Content-Length: 0x4", "Content-Length: 4 4", "Content-Length: 4_0", "Content-Length:", "Content-Length: a",
    "Content-Length: 99999999999999999999999", "Content-Length: ٤",
    "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: gzip",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: identity, chunked, identity",
    "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Transfer-Encoding: chunked\x0b", "Transfer-Encoding:\x0cchunked",
    "Transfer-Encoding: chunked\x00", "X: y\rTransfer-Encoding: chunked", 'Transfer-Encoding: "chunked"',
    "Transfer-Encoding: chunk\r\n ed", "Content-Length: 4\r\n Transfer-Encoding: chunked\r\nContent-Length: 5",
]  # fmt: skip


@pytest.mark.parametrize("lines", SMUGGLED, ids=repr)
@pytest.mark.parametrize("where", ["a story", "a form"])
def test_a_length_two_parsers_could_read_differently_ends_the_connection(line, free, metered, lines, where):
    hidden = line.request(metered)
    path, method = (free, "GET") if where == "a story" else ("/account/sign-in/", "POST")
    head = f"{method} {path} HTTP/1.1\r\nHost: {line.host}\r\n{lines}\r\n\r\n"
    said = everything(line, head.encode() + b"0\r\n\r\n" + hidden)
    assert refused(said, 400, 411, 413, 501), said[:300]
    assert b"Broadsheet-Reason: meter" not in said


@pytest.mark.parametrize("body", [b"+5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n", b"-1\r\n\r\n",
                                  b"5\nhello\n0\n\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"ffffffffffffffffff\r\nx",
                                  b"5;a\nb\r\nhello\r\n0\r\n\r\n", b"\r\n\r\n", b"g\r\n\r\n"], ids=repr)  # fmt: skip
def test_a_chunk_that_is_none_ends_the_connection(line, metered, body):
    head = line.request("/account/sign-in/", "Transfer-Encoding: chunked", method="POST")
    said = everything(line, head + body + line.request(metered))
    assert len(statuses(said)) <= 1, said[:300]
    assert b"Broadsheet-Reason: meter" not in said


def test_the_same_length_twice_is_one_length_or_refused(line, free):
    said = everything(
        line, line.request(free, "Content-Length: 2", "Content-Length: 2") + b"ab" + line.request("/healthz")
    )
    assert statuses(said) in ([400], [200, 200])


# --- addresses --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("change", [
    "/{p}", "//{p}", "{p}/", "{p}//", "/.{p}", "/x/..{p}", "/x/../..{p}", "/%2e{p}", "/%2e%2e{p}", "{p}/.", "{p}/..", "{p}/../{last}",
    "{p};x", "{p};.css", "{p}.css", "{p}/x.css", "{p}%00", "{p}%00.css", "{p}%0a", "{p}%0d%0aX-A:%201", "{p}%20", "{p}%09", "{p}%23.css",
    "{p}%3f.css", "{p}%2f", "{p}%5c", "{p}\\", "{back}", "{upper}", "{encoded}", "{twice}", "{p}.json", "{p}.md", "{p}/amp", "{p}+",
    "{p}0", "{p}-", "{head}-0{id}", "{head}-+{id}", "{head}-{id}.0", "{head}-{id}e0", "{head}--{id}", "{head}-{wide}", "{p}\xff",
    "{p}%ff", "{p}%c0%ae", "{p}%u002e", "{p}%", "{p}%2", "*", "", "{p}{long}", "/static/..{p}", "/media/..{p}", "/admin/..{p}",
    "/media/..%2f..{p}", "http:{p}", "{p}`", "{p}'", '{p}"', "{p}<", "{p}|", "{p}^", "{p}~", "/national/{nfd}-{id}",
])  # fmt: skip
def test_another_spelling_of_an_address_is_moved_or_not_found_and_shows_nothing(line, stories, metered, change):
    head, _, number = metered.rpartition("-")
    made = change.format(
        p=metered, last=metered.rpartition("/")[2], back=metered.replace("/", "\\"), upper=metered.upper(), head=head, id=number,
        encoded="".join(f"%{ord(letter):02x}" for letter in metered), twice="".join(f"%25{ord(c):02x}" for c in metered),
        wide="".join(chr(0xFF10 + int(digit)) for digit in number), nfd="cafe\u0301", long="x" * 10_000,
    )  # fmt: skip
    said = everything(line, f"GET {made} HTTP/1.1\r\nHost: {line.host}\r\n\r\n".encode())
    assert refused(said, 301, 400, 404, 414, 431), said[:200]
    assert HIDDEN not in said
    assert b"X-A" not in said.partition(b"\r\n\r\n")[0]
    if statuses(said) == [301]:
        (target,) = [part[10:] for part in said.split(b"\r\n") if part.lower().startswith(b"location: ")]
        assert target.startswith(b"/")
        assert not target.startswith((b"//", b"/\\"))


@pytest.mark.parametrize("query", ["?", "??", "?a=b", "?gift=", "?gift=%00", "?gift=../..", "?" + "gift=x&" * 50, "?%", "?\\", "?a=b#c",
                                   "#x", "?utm_source=" + "x" * 2000])  # fmt: skip
def test_parameters_change_no_byte_of_a_page(line, free, query):
    plain = line.get(free)
    answer = line.get(free + query)
    assert answer.status in (200, 303)
    if answer.status == 200:
        assert answer.body == plain.body
    else:
        assert answer.get("Location") == free
        assert "no-store" in answer.get("Cache-Control")


# --- cookies and letters of the whole world ---------------------------------------------------------------------------
@pytest.mark.parametrize("value", [
    "bsm=a\r\nSet-Cookie: x=y", "bsm=%0d%0aSet-Cookie:%20x=y", "bsm=a\\r\\nX: y", "bsm=;bsm=;bsm", "=", ";;;;=;=", 'bsm="a; bsp=b"', "bsm=" + "A" * 4000,
    "bsp=" + "A" * 4000, "bsp=AAAA; bss=zzzz", "bsg=AAAA", "bss=' or 1=1 --", "bsm=\xff\xfe", "bsp=\xc3\xa9", "bsp==" * 300,
    "bsm=Infinity", "bsm=null", "bsp=[]", "bsm=" + "=" * 64, "bsm=\U0001f4f0",
], ids=lambda value: repr(value[:24]))  # fmt: skip
def test_no_cookie_breaks_an_answer_or_comes_back_in_it(paper, stories, free, metered, value):
    for path, statuses_allowed in ((free, (200,)), (metered, (200,)), ("/me.json", (200,)), ("/account/", (302,))):
        with Line(paper) as line:
            line.send(f"GET {path} HTTP/1.1\r\nHost: {line.host}\r\nCookie: ".encode() + value.encode() + b"\r\n\r\n")
            answer = line.read()
            assert answer.status in statuses_allowed, path
            assert "x=y" not in str(answer.headers)
            assert b"x=y" not in answer.body
            names = {cookie.partition("=")[0] for name, cookie in answer.headers if name == "set-cookie"}
            assert names <= {"bsm", "bsp", "bsg", "bss"}, names


def test_white_space_at_the_end_of_a_header_is_no_part_of_it(line):
    for value in ("a=b; ", "a=b\t", "   "):
        assert line.get("/account/", f"Cookie: {value}").status == 302
        assert line.get("/robots.txt", f"User-Agent: {value}").status == 200


@pytest.mark.parametrize("header", ["User-Agent", "Referer", "Accept-Encoding", "If-None-Match", "Accept", "X-Forwarded-For", "Cookie",
                                    "Sec-Fetch-Dest", "Authorization", "Origin", "Accept-Language"])  # fmt: skip
def test_any_byte_in_a_header_is_borne(line, free, header):
    plain = line.get(free)
    for value in (
        bytes(range(0x80, 0x100)),
        "Zürich, मुंबई, 東京 📰".encode(),
        b"\t a \t",
        b"," * 500,
        b"q=;;q=,;=q",
        b"br;q=x, gzip;q=-1",
    ):
        line.send(line.request(free)[:-2] + header.encode() + b": " + value + b"\r\n\r\n")
        answer = line.read()
        assert answer.status == 200, value
        if header != "Sec-Fetch-Dest" and answer.get("Content-Encoding") is None:
            assert answer.body == plain.body


@pytest.mark.parametrize("path", ["/é-1", "/मुंबई/", "/%E0%A4%AE/", "/national/%f0%9f%93%b0-1", "/\xff\xfe", "/search?q=मुंबई", "/search?q=%ff",
                                  "/search?q=%00", "/account/invoices/%00/", "/media/%00", "/media/%f0%9f", "/static/%00", "/admin/%ff/"])  # fmt: skip
def test_addresses_in_any_script_are_found_or_not_and_break_nothing(line, path):
    said = everything(line, f"GET {path} HTTP/1.1\r\nHost: {line.host}\r\n\r\n".encode("utf-8", "surrogateescape"))
    assert refused(said, 200, 301, 302, 400, 404), said[:200]
