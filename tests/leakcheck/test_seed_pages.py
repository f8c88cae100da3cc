"""The two faults of the pages this paper was built against, on pages with the same faults: the whole text above the wall,
and a wall that says `{{free_limit}}`. Such a page goes in as agency copy; what comes out is walled and says its number."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.papers import Paper, free_port

from broadsheet.leakcheck.canaries import Canaries, words
from broadsheet.leakcheck.client import Response
from broadsheet.leakcheck.oracles import faults

PAGES = Path(__file__).parent.parent / "wire" / "samples" / "saved_page"
WHOLE_TEXT = PAGES / "constructed__twin_also_read.txt"
PLACEHOLDER = PAGES / "constructed__twin_wall.txt"
# A sentence of each from beyond the first two paragraphs.
DEEP = {
    WHOLE_TEXT: "clearly stated that the light would not be handed back",
    PLACEHOLDER: "more than 200 ships have been waiting off the northern sound",
}


def as_saved(page: Path) -> Response:
    """The page as it stood on the web: every line a paragraph, above the wall."""
    body = "".join(f"<p>{line}</p>" for line in page.read_text("utf-8").splitlines())
    return Response(200, (("Content-Type", "text/html"),), body.encode())


def test_the_faults_of_the_saved_pages_are_seen() -> None:
    canaries = Canaries()
    for page, sentence in DEEP.items():
        canaries.hide(page.name, sentence)
    for page in DEEP:
        assert [find.story for find in canaries.find(as_saved(page).content)] == [page.name]
    assert any("{{free_limit}}" in fault for fault in faults(as_saved(PLACEHOLDER)))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory):
    """(a running paper with a limit of one story, the addresses of the two stories)."""
    paper = Paper(tmp_path_factory.mktemp("seeds") / "data", free_limit="1")
    paper.init()
    told = paper.run("wire", "import", str(WHOLE_TEXT), str(PLACEHOLDER), "--publish", "--json", "--tier", "metered")
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert [row["status"] for row in rows] == ["published", "published"]
    paper.start()
    yield paper, {page: next(row["url"] for row in rows if page.name in row["file"]).split("/", 3)[3] for page in DEEP}
    paper.stop()


@pytest.mark.parametrize(("first", "second"), [(WHOLE_TEXT, PLACEHOLDER), (PLACEHOLDER, WHOLE_TEXT)])
def test_the_published_page_leaks_nothing_and_says_the_real_limit(published, first: Path, second: Path) -> None:
    paper, paths = published
    browser = paper.browser()
    full, wall = (browser.get("/" + paths[page]) for page in (first, second))
    assert (full.variant, wall.variant) == ("full", "wall")
    assert DEEP[first] in " ".join(words(full.text))
    assert "wall-title" not in full.text
    canaries = Canaries()
    canaries.hide("second", DEEP[second])
    assert canaries.find(wall.body) == []
    assert "read your 1 free article this month" in " ".join(words(wall.text))
    for page in (full, wall):
        assert "{{" not in page.text
        assert "free_limit" not in page.text
        assert "Harbour Quarterly" not in page.text


def test_the_live_check_finds_nothing_on_it(published) -> None:
    paper, _ = published
    url = f"http://localhost:{paper.port}"
    done = paper.run("leakcheck", "--url", url, "--json", "--rate", "400", "--seconds", "25", check=False)
    assert done.stdout == ""
    assert done.returncode == 0
    assert "2 stories" in done.stderr
    assert "no leaks" in done.stderr


class Overlay(BaseHTTPRequestHandler):
    """The site both pages were saved from: whatever is asked for, the whole text, and a wall painted over it."""

    def do_GET(self) -> None:
        page = WHOLE_TEXT if self.path.endswith("1") else PLACEHOLDER
        body = as_saved(page).body
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def test_the_live_check_finds_both_faults_on_a_site_that_has_them(published) -> None:
    paper, _ = published
    server = ThreadingHTTPServer(("127.0.0.1", 0), Overlay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    done = paper.run("leakcheck", "--url", url, "--json", "--rate", "400", "--seconds", "8", check=False)
    server.shutdown()
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(list(row) == ["story", "surface", "reader", "trick", "evidence"] for row in rows)
    pages = [row["evidence"] for row in rows if row["surface"] == "story page" and row["trick"] == "read"]
    assert len(pages) == 2
    assert all(evidence.startswith("words of ") for evidence in pages)
    assert any(row["surface"] != "story page" for row in rows)


def test_a_site_that_refuses_us_has_not_passed(published) -> None:
    paper, _ = published
    done = paper.run("leakcheck", "--url", f"http://127.0.0.2:{paper.port}", check=False)
    assert done.returncode == 3
    assert "broadsheet: http://127.0.0.2" in done.stderr


def test_a_site_that_does_not_answer_is_exit_3(published) -> None:
    paper, _ = published
    done = paper.run("leakcheck", "--url", f"http://localhost:{free_port()}", check=False)
    assert done.returncode == 3
    assert done.stdout == ""
