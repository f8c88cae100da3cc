"""The shipped nginx configuration in front of a real paper: what a publisher copies, with only paths and ports changed."""

import http.client
import subprocess
import time

import pytest

from tests.deploy.make_front import (
    NAME,
    SHIPPED,
    Front,
    cache_times,
    program,
    put_in,
    self_made_certificate,
    sign_in,
    tls_line,
)
from tests.papers import Browser

pytestmark = pytest.mark.nginx
FRESH, STALE = 60, 120  # seconds after which the cache asks again, and after which it shows nothing without asking


def outcome(reply):
    return reply.status, reply.headers.get("Location"), reply.body, reply.variant, reply.reason


def directly(site, path, headers=None, method="GET"):
    """What the gate answers to the one proxy it trusts."""
    told = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", **(headers or {})}
    return Browser(site.paper.port).request(method, path, told)


def raw(port, request):
    """One request as bytes over TLS; the status line and everything that follows."""
    with tls_line(port) as line:
        line.sendall(request)
        line.settimeout(20)
        received = b""
        try:
            while chunk := line.recv(65536):
                received += chunk
        except OSError:
            pass
    return received


# --- the file itself -------------------------------------------------------------------------------------------------
def test_nginx_is_content_with_the_file_as_shipped(site):
    said = site.check()
    assert "syntax is ok" in said
    assert "[warn]" not in said


def test_the_other_upstream_and_the_balancers_file_fit_in_too(site, tmp_path):
    other = Front(tmp_path / "nginx", site.paper)
    shipped = (SHIPPED / "upstream-other-machines.conf").read_text()
    (other.folder / "upstream.conf").write_text(
        put_in(shipped, **{"10.0.0.11:8000": f"127.0.0.1:{site.paper.port}", "10.0.0.12:8000": "127.0.0.1:1"})
        + put_in((SHIPPED / "behind-a-balancer.conf").read_text(), **{"10.0.0.2": "127.0.0.1"})
    )
    other.check()
    other.start()
    try:
        # One of the two gates is away: nobody notices.
        assert [other.browser().get(site.free).status for _ in range(6)] == [200] * 6
    finally:
        other.stop()


# --- TLS, names, redirects --------------------------------------------------------------------------------------------
def test_plain_http_moves_to_https_under_the_papers_own_name(site):
    for host in (NAME, NAME.upper(), f"{NAME}."):
        reply = Browser(site.clear).request("GET", f"{site.free}?utm_source=x", {"Host": host})
        assert (reply.status, reply.headers["Location"]) == (301, f"https://{NAME}{site.free}?utm_source=x")
    foreign = Browser(site.clear).request("GET", site.free, {"Host": "evil.example"})
    assert foreign.status == 421
    assert "Location" not in foreign.headers


def test_a_foreign_name_gets_no_handshake_and_no_page(site):
    with pytest.raises(OSError, match=r"(?i)unrecognized|alert|handshake"):
        tls_line(site.secure, "evil.example")
    for host in ("evil.example", "127.0.0.1", "localhost"):
        assert site.browser().request("GET", site.free, {"Host": host}).status == 421
    # Two names, or none: nobody's guess which one counts.
    twice = raw(site.secure, f"GET {site.free} HTTP/1.1\r\nHost: {NAME}\r\nHost: evil.example\r\n\r\n".encode())
    assert twice.split(b"\r\n")[0].split()[1] in (b"400", b"421")
    assert raw(site.secure, f"GET {site.free} HTTP/1.1\r\n\r\n".encode()).split()[1] in (b"400", b"421")


def test_the_second_name_moves_to_the_first(site):
    with tls_line(site.secure, f"www.{NAME}") as line:
        line.sendall(f"GET {site.free} HTTP/1.1\r\nHost: www.{NAME}\r\nConnection: close\r\n\r\n".encode())
        answer = line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 301")
    assert f"Location: https://{NAME}{site.free}".encode() in answer


def test_browsers_are_offered_http_2(site):
    with tls_line(site.secure, protocols=("h2", "http/1.1")) as line:
        assert line.selected_alpn_protocol() == "h2"


def test_the_papers_redirects_stay_on_https_or_name_no_scheme(site):
    moved = site.browser().get(f"/sport/another-slug-{site.ids[7]}")
    assert (moved.status, moved.headers["Location"]) == (301, site.free)
    closed = site.browser().get("/account/")
    assert closed.status == 302
    assert closed.headers["Location"].startswith(("/account/sign-in/", f"https://{NAME}/"))


def test_strict_transport_security_and_the_gates_own_headers_arrive(site):
    for path in (site.free, site.metered[0], "/", "/account/sign-in/", "/nowhere-at-all"):
        headers = site.browser().get(path).headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000", path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert "nginx/" not in headers["Server"], path


# --- readers ----------------------------------------------------------------------------------------------------------
def test_cookies_are_secure_and_host_only_and_the_meter_counts_through_the_proxy(site):
    browser = site.browser()
    seen = [browser.get(path).reason for path in site.metered]
    assert seen == ["meter"] * 5 + ["limit"] * 2
    assert browser.get(site.metered[0]).reason == "repeat"
    assert set(browser.cookies) == {"__Host-bsm"}
    assert all(line.startswith("__Host-bsm=") and line.endswith("; Secure") for line in browser.lines)


def test_a_reader_signs_in_through_the_proxy_and_never_meets_the_visitors_page(site):
    email = "asha@reader.example"
    reader, visitor = site.browser(), site.browser()
    assert sign_in(reader, site.paper, email).status == 302
    assert {"__Host-bss", "__Host-bsp", "__Host-bsc"} <= set(reader.cookies)
    site.paper.python(
        "from datetime import timedelta\nfrom broadsheet import clock\nfrom broadsheet.access.actions import grant\n"
        f"from broadsheet.readers.models import Reader\nr = Reader.objects.get(email={email!r})\nnow = clock.now()\n"
        "for product in ('unlimited', 'premium'):\n"
        "    grant(reader_id=r.id, product=product, starts_at=now, ends_at=now + timedelta(days=1), source='test')"
    )
    time.sleep(1)
    # Alternately, a few times: whatever one of them fills the cache with, the other is not sent it.
    for _ in range(3):
        for path in (site.premium, site.metered[6]):
            full = reader.get(path)
            assert (full.variant, full.reason) == ("full", "entitled"), path
            assert full.headers["Cache-Control"] == "private, no-store"
            assert full.headers["Broadsheet-Cache"] in ("BYPASS", "MISS")
        wall = visitor.get(site.premium)
        assert (wall.variant, wall.reason) == ("wall", "premium")
        assert "harbour5x0" in full.text
        assert "5x" not in wall.text
        assert reader.get("/account/").status == 200
        assert visitor.get("/account/").status == 302
    for browser, name in ((reader, email), (visitor, "")):
        assert f'"name": "{name}"' in browser.get("/me.json").text
    assert all(email.encode() not in entry and b"harbour5x0" not in entry
               for key, entry in site.stored().items() if site.free not in key and site.victim not in key)  # fmt: skip


# --- the cache --------------------------------------------------------------------------------------------------------
def test_what_every_visitor_gets_is_kept_and_nothing_else(site):
    for path in (site.free, site.premium, "/", "/feed.xml", "/national/"):
        first, again = site.browser().get(path), site.browser().get(path)
        assert again.headers["Broadsheet-Cache"] == "HIT", path
        assert again.body == first.body
        assert "Set-Cookie" not in again.headers
    for path in (site.metered[0], "/me.json", "/account/sign-in/", f"/national/never-was-{10**9}"):
        replies = [site.browser().get(path) for _ in range(3)]
        assert {reply.headers.get("Broadsheet-Cache", "") for reply in replies} <= {"MISS", ""}, path
    assert not [key for key in site.stored() if key.rsplit("|", 1)[1] in (*site.metered, "/me.json")]


@pytest.mark.parametrize("cookie", ["__Host-bsm=x", "__Host-bsp=x", "__Host-bss=x", "__Host-bsg=x", "a=b; __Host-bsp=x",
                                    "a=b;bsp=x"])  # fmt: skip
def test_a_request_with_one_of_our_cookies_is_the_gates(site, cookie):
    for path in (site.free, site.premium, "/"):
        site.browser().get(path)
        assert site.browser().get(path, Cookie=cookie).headers["Broadsheet-Cache"] == "BYPASS"


def test_other_peoples_cookies_and_known_addresses_with_trackers_share_one_entry(site):
    site.browser().get(site.free)
    for path, headers in [(site.free, {"Cookie": "_ga=GA1.1; consent=yes"}), (f"{site.free}?utm_source=x&fbclid=y", {}),
                          ("/?utm_source=x", {}), (site.free, {"User-Agent": "Googlebot/2.1"})]:  # fmt: skip
        site.browser().get(path.partition("?")[0])
        assert site.browser().request("GET", path, headers).headers["Broadsheet-Cache"] == "HIT", (path, headers)
    # A gift's parameter is the gate's to read, and a search is what was searched for.
    gift = site.browser().get(f"{site.free}?gift=nonsense")
    assert gift.headers["Broadsheet-Cache"] == "MISS"
    toll, ferry = (site.browser().get(f"/search?q={word}") for word in ("toll", "nosuchword"))
    assert toll.body != ferry.body


def test_every_encoding_is_kept_for_itself(site):
    sizes = {}
    for accept, encoding in [("br, gzip", "br"), ("gzip, deflate, br", "br"), ("gzip", "gzip"), ("gzip;q=0, *", None),
                             ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None), ("", None)]:  # fmt: skip
        for _ in range(2):
            reply = site.browser().get(site.free, Accept_Encoding=accept)
            assert reply.headers["Content-Encoding"] == encoding, accept
        sizes.setdefault(encoding, set()).add(reply.body)
    assert [len(bodies) for bodies in sizes.values()] == [1, 1, 1]


def test_a_validator_is_answered_from_the_cache_and_head_agrees_with_get(site):
    full = site.browser().get(site.free)
    again = site.browser().get(site.free, If_None_Match=full.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    head = site.browser().request("HEAD", site.free)
    for name in ("ETag", "Content-Length", "Cache-Control", "Content-Type"):
        assert head.headers[name] == full.headers[name]


def test_head_of_a_metered_story_does_not_count_through_the_proxy(site):
    browser = site.browser()
    for _ in range(3):
        head = browser.request("HEAD", site.metered[0])
        assert (head.status, head.variant, head.reason, head.body) == (200, "wall", "not_a_read", b"")
    assert browser.cookies == {}


def test_no_part_of_a_page_is_sent(site):
    for _ in range(2):
        reply = site.browser().get(site.free, Range="bytes=0-99")
        assert reply.status == 200
        assert len(reply.body) == int(reply.headers["Content-Length"]) > 1000


def test_asking_for_a_metered_story_with_a_style_sheets_name_stores_nothing(site):
    reader = site.browser()
    reader.get(site.metered[1])
    for tail in ("/x.css", ".css", ";.js", "%23.css", "%3f.css", "/..%2fx.css", "%0a.css", "/style.png", "%00.css"):
        reply = reader.get(site.metered[1] + tail)
        assert reply.status in (301, 400, 404), tail
        assert "1x0" not in reply.text.replace("harbour1x0", "") or "harbour2x0" not in reply.text, tail
        assert site.browser().get(site.metered[1] + tail).body.find(b"harbour5x0") == -1, tail
    assert not [key for key in site.stored() if "css" in key or ".js" in key or "png" in key]


# --- what clients invent ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("headers", [
    {"X-Forwarded-For": "66.249.66.1"}, {"X-Forwarded-Proto": "http"}, {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Port": "80"}, {"Forwarded": "for=66.249.66.1;proto=http;host=evil.example"},
    {"X-Original-URL": "/account/"}, {"X-Rewrite-URL": "/account/"}, {"X-Accel-Redirect": "/account/"},
    {"X-Accel-Expires": "86400"}, {"X-Accel-Buffering": "no"}, {"X-Real-IP": "66.249.66.1"},
    {"X-HTTP-Method-Override": "DELETE"}, {"Proxy": "evil.example:80"}, {"X-Forwarded-Prefix": "/evil"},
], ids=lambda headers: next(iter(headers)))  # fmt: skip
def test_headers_that_proxies_set_change_nothing_when_a_client_sends_them(site, headers):
    tracked = "?cold=" + next(iter(headers)).lower()  # an address that nobody asked for before
    for path in (site.premium, f"/sitemap.xml{tracked}", "/account/"):
        plain, tricky = (outcome(site.browser().request("GET", path, sent)) for sent in ({}, headers))
        assert tricky == plain, path
    # The meter does not follow an invented address either: the same browser keeps its one allowance.
    browser = site.browser()
    assert [browser.request("GET", path, headers).reason for path in site.metered] == ["meter"] * 5 + ["limit"] * 2


@pytest.mark.parametrize("change", [
    "/{path}", "{path}/", "/.{path}", "/x/..{path}", "/%2e%2e{path}", "{path}/.", "{path}/..", "{path}//", "{path};x=1",
    "{path}%00", "{path}%2f", "{path}%20", "{upper}", "{back}", "{encoded}", "{path}.json", "{path}/amp", "{path}%ff",
    "/static/..{path}", "/static/%2e%2e{path}", "/media/..%2f..{path}", "/admin/..{path}", "/account/../{path}",
])  # fmt: skip
def test_every_spelling_of_an_address_is_answered_as_the_gate_itself_would(site, change):
    path = site.metered[2]
    made = change.format(path=path, upper=path.upper(), back=path.replace("/", "\\"),
                         encoded="".join(f"%{ord(letter):02x}" for letter in path))  # fmt: skip
    through = raw(site.secure, f"GET {made} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
    told = f"Host: {NAME}\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
    straight = plain_raw(site.paper.port, f"GET {made} HTTP/1.1\r\n{told}".encode())
    status = int(through.split()[1])
    assert b"5x" not in through
    assert status == int(straight.split()[1]) or status == 400  # nginx refuses some spellings itself
    assert status in (301, 400, 404)
    if status == 301:
        assert location(through) == location(straight)
        assert location(through).startswith(b"/")
        assert not location(through).startswith((b"//", b"/\\"))


def plain_raw(port, request):
    import socket

    with socket.create_connection(("127.0.0.1", port), 20) as line:
        line.sendall(request)
        received = b""
        while chunk := line.recv(65536):
            received += chunk
    return received


def location(answer):
    lines = [line for line in answer.split(b"\r\n") if line.lower().startswith(b"location: ")]
    return lines[0].split(b": ", 1)[1]


def test_a_name_with_a_trailing_dot_a_port_or_capitals_is_answered_as_directly(site):
    for host in (f"{NAME}.", f"{NAME}:443", f"{NAME}:8443", NAME.upper()):
        through = site.browser().request("GET", site.metered[3], {"Host": host})
        straight = directly(site, site.metered[3], {"Host": host})
        assert (through.status, through.reason) == (straight.status, straight.reason), host
        assert through.status in (200, 421)


def test_two_requests_in_one_are_never_believed(site):
    """Whatever two parsers could read differently ends at nginx; the gate never sees the second half as a request."""
    smuggled = f"GET {site.metered[4]} HTTP/1.1\r\nHost: {NAME}\r\n\r\n"
    for lines in ("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
                  "Content-Length: 5\r\nContent-Length: 6\r\n", "Transfer-Encoding: chunked, identity\r\n"):  # fmt: skip
        request = f"POST /search HTTP/1.1\r\nHost: {NAME}\r\n{lines}\r\n0\r\n\r\n{smuggled}"
        answer = raw(site.secure, request.encode())
        statuses = [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
        assert statuses[0] in (b"400", b"501"), lines
        assert len(statuses) == 1, lines


def test_a_flood_of_forms_is_slowed_and_readers_read_on(site):
    statuses = [site.browser().get("/search?q=toll").status for _ in range(70)]
    assert 429 in statuses
    assert statuses[0] == 200
    assert site.browser().get(site.free).status == 200


def test_large_heads_and_bodies_end_at_nginx(site):
    assert site.browser().request("GET", site.free, {"Cookie": "a=" + "x" * 40_000}).status in (400, 431)
    assert site.browser().request("GET", site.free + "?" + "x" * 20_000).status == 414
    assert site.browser().request("POST", "/account/sign-in/", {}, "x" * 2_000_000).status == 413


# --- what is withdrawn ------------------------------------------------------------------------------------------------
def test_a_withdrawn_story_is_gone_everywhere_within_the_stated_time(site):
    surfaces = (site.victim, "/", "/national/", "/feed.xml")
    words = "A free story that is withdrawn"
    site.let_pass(STALE)  # so that all of them are fetched now
    for path in surfaces:
        assert words in site.browser().get(path).text, path
    # Nothing lies in the cache for longer than is stated, whatever happens to the gate.
    entries = site.stored()
    assert len(entries) >= len(surfaces)
    for key, entry in entries.items():
        valid, updating, error = cache_times(entry)
        shows_words = not (key.rsplit("|", 1)[1].startswith(("/static/", "/media/")) or b"\nHTTP/1.1 301 " in entry)
        if shows_words:
            assert valid <= time.time() + FRESH + 1, key
            assert max(updating, error) <= time.time() + STALE + 1, key
    site.paper.python(
        "from broadsheet import clock\nfrom broadsheet.newsroom.actions import withdraw_story\n"
        f"withdraw_story(story_id={site.ids[9]}, reason='Withdrawn by its agency', now=clock.now())"
    )
    time.sleep(1)
    # At the gate at once: whoever has a cookie of ours hears of it now.
    assert site.browser().get(site.victim, Cookie="__Host-bsm=x").status == 410
    assert words in site.browser().get(site.victim).text
    site.let_pass(FRESH + 1)
    # Each may be shown once more, while a new one is fetched.
    fetched = time.monotonic()
    while any(words in site.browser().get(path).text for path in surfaces[1:]):
        assert time.monotonic() - fetched < 5
        time.sleep(0.05)
    site.let_pass(STALE - FRESH)
    gone = site.browser().get(site.victim)
    assert (gone.status, gone.reason) == (410, "withdrawn")


def test_when_the_gate_is_away_nothing_stale_is_shown_for_longer_than_stated(site):
    site.browser().get(site.free)
    time.sleep(1)  # what was stale is new now
    fresh = site.browser().get(site.free)
    site.paper.stop()
    try:
        known, unknown = site.browser().get(site.free), site.browser().get(site.metered[0])
        assert (known.status, known.body) == (200, fresh.body)  # a cached page outlives a restart
        assert unknown.status in (502, 504)
        assert "Set-Cookie" not in unknown.headers
    finally:
        site.paper.start()
    assert site.browser().get(site.metered[0]).reason == "meter"


def test_the_file_speaks_to_the_default_nginx_of_debian(site):
    version = subprocess.run([program("nginx"), "-v"], capture_output=True, text=True, check=True).stderr
    assert tuple(int(part) for part in version.rsplit("/", 1)[1].split()[0].split(".")[:2]) >= (1, 22)


def test_certificates_are_read_where_they_are_said_to_lie(tmp_path):
    chain, key = self_made_certificate(tmp_path / NAME, NAME)
    assert chain.name in (SHIPPED / "broadsheet.conf").read_text()
    assert key.name in (SHIPPED / "broadsheet.conf").read_text()
    assert http.client.responses[421] == "Misdirected Request"
