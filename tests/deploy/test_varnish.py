"""The shipped VCL in a real Varnish in front of a real paper. TLS is taken to end before it, as the file says."""

import re
import subprocess
import time
from dataclasses import dataclass

import pytest

from tests.deploy.conftest import TLS
from tests.deploy.make_front import SHIPPED, form_token, program, put_in
from tests.papers import Browser, Reply, free_port

pytestmark = pytest.mark.varnish


@dataclass
class Behind(Browser):
    """A browser whose TLS ends on this machine, just before Varnish."""

    def request(self, method, path, headers=None, body=None) -> Reply:
        told = {**TLS, "Origin": "https://news.example", "Referer": "https://news.example/", **(headers or {})}
        return super().request(method, path, told, body)

    def post(self, path, form):
        text = "&".join(f"{name}={value.replace('@', '%40')}" for name, value in form.items())
        return self.request("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, text)


@pytest.fixture(scope="module")
def port(request, tmp_path_factory):
    """Where Varnish answers."""
    if program("varnishd") is None:
        pytest.skip("no Varnish on this machine (on Debian: apt install varnish)")
    paper, folder, port = request.getfixturevalue("https_paper"), tmp_path_factory.mktemp("varnish"), free_port()
    shipped = (SHIPPED.parent / "cdn" / "broadsheet.vcl").read_text()
    (folder / "broadsheet.vcl").write_text(put_in(shipped, **{'.port = "8000"': f'.port = "{paper.port}"'}))
    command = [program("varnishd"), "-F", "-j", "none", "-n", str(folder / "work"), "-a", f"127.0.0.1:{port}"]
    command += ["-f", str(folder / "broadsheet.vcl"), "-s", "malloc,32m", "-p", "thread_pool_min=10"]
    process = subprocess.Popen(command, stdout=(folder / "log").open("wb"), stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            try:
                if Behind(port).get("/healthz").status == 200:
                    break
            except OSError:
                time.sleep(0.1)
            assert process.poll() is None, (folder / "log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def paths(https_paper):
    made = [story["path"] for story in https_paper.stories_made]
    return {"metered": made[:7], "free": made[7], "premium": made[8]}


def test_what_every_visitor_gets_is_kept_and_nothing_else(port, paths):
    for path in (paths["free"], paths["premium"], "/", "/feed.xml"):
        first, again = Behind(port).get(path), Behind(port).get(f"{path}")
        assert (again.headers["Broadsheet-Cache"], again.body) == ("HIT", first.body), path
    tracked = Behind(port).get(f"{paths['free']}?utm_source=x")
    other = Behind(port).get(paths["free"], Cookie="_ga=GA1.1; consent=yes")
    assert (tracked.headers["Broadsheet-Cache"], other.headers["Broadsheet-Cache"]) == ("HIT", "HIT")
    for path in (paths["metered"][0], "/me.json", "/account/sign-in/"):
        assert {Behind(port).get(path).headers["Broadsheet-Cache"] for _ in range(3)} == {"MISS"}, path


def test_the_meter_counts_and_a_visitor_never_gets_anothers_page(port, paths):
    browser, other = Behind(port), Behind(port)
    assert [browser.get(path).reason for path in paths["metered"]] == ["meter"] * 5 + ["limit"] * 2
    assert [other.get(path).reason for path in reversed(paths["metered"])] == ["meter"] * 5 + ["limit"] * 2
    assert set(browser.cookies) == {"__Host-bsm"}


def test_head_counts_no_read(port, paths):
    head = Behind(port).request("HEAD", paths["metered"][0])
    assert (head.status, head.reason, head.body, head.headers.get("Set-Cookie")) == (200, "not_a_read", b"", None)


def test_a_subscriber_and_a_visitor_in_turn_each_get_their_own(port, paths, https_paper):
    reader, visitor = Behind(port), Behind(port)
    token = form_token(reader.get("/account/sign-in/").text)
    reader.post("/account/sign-in/", {"email": "vik@reader.example", "csrfmiddlewaretoken": token})
    letters = sorted((https_paper.folder / "letters").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    code = re.search(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", letters[-1].read_text()).group()
    token = form_token(reader.get("/account/sign-in/code/").text)
    assert reader.post("/account/sign-in/code/", {"code": code, "csrfmiddlewaretoken": token}).status == 302
    https_paper.python(
        "from datetime import timedelta\nfrom broadsheet import clock\nfrom broadsheet.access.actions import grant\n"
        "from broadsheet.readers.models import Reader\nr = Reader.objects.get(email='vik@reader.example')\n"
        "now = clock.now()\n"
        "grant(reader_id=r.id, product='premium', starts_at=now, ends_at=now + timedelta(days=1), source='test')"
    )
    time.sleep(1)
    for _ in range(3):
        assert (reader.get(paths["premium"]).variant, visitor.get(paths["premium"]).variant) == ("full", "wall")
        assert "vik@" in reader.get("/me.json").text
        assert "vik@" not in visitor.get("/me.json").text


def test_every_encoding_is_kept_for_itself(port, paths):
    for accept, encoding in [("gzip, br", "br"), ("gzip", "gzip"), ("identity", None), ("br;q=0, gzip", "gzip")]:
        for _ in range(2):
            assert Behind(port).get(paths["free"], Accept_Encoding=accept).headers["Content-Encoding"] == encoding


def test_what_did_not_come_over_tls_or_under_our_name_is_refused(port, paths):
    assert Behind(port).request("GET", paths["free"], {"X-Forwarded-Proto": "http"}).status == 403
    assert Behind(port).request("GET", paths["free"], {"Host": "evil.example"}).status == 421


@pytest.mark.parametrize("tail", ["/x.css", ".css", ";.js", "%23.css", "/..%2fx.css", "%00.css"])
def test_a_metered_story_under_a_style_sheets_name_is_not_there(port, paths, tail):
    reader = Behind(port)
    reader.get(paths["metered"][1])
    for browser in (reader, Behind(port)):
        reply = browser.get(paths["metered"][1] + tail)
        assert reply.status in (301, 400, 404)
        assert "5x" not in reply.text
