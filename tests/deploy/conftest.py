"""The paper behind the shipped nginx, once a module."""

import pytest

from tests.deploy.make_front import Front, program
from tests.papers import Paper

STORIES = [
    *[{"headline": f"Metered story number {n}"} for n in range(1, 8)],
    {"headline": "A free story", "tier": "free"},
    {"headline": "A premium story", "tier": "premium"},
    {"headline": "A free story that is withdrawn", "tier": "free"},
]
TLS = {"Host": "news.example", "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def https_paper(tmp_path_factory):
    """A paper whose address is https and which trusts this machine: `.stories_made` is id and path of each of STORIES."""
    paper = Paper(
        tmp_path_factory.mktemp("front") / "data", public_url="https://news.example", trusted_proxies="127.0.0.1"
    ).init()
    paper.stories_made = paper.stories(*STORIES)
    paper.ready_headers = TLS
    yield paper.start()
    paper.stop()


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """nginx in front of `.paper`: `.metered` (paths), `.free`, `.premium`, `.victim`, `.ids`."""
    if program("nginx") is None:
        pytest.skip("no nginx on this machine (on Debian: apt install nginx)")
    front = Front(tmp_path_factory.mktemp("nginx") / "nginx", request.getfixturevalue("https_paper"))
    made = front.paper.stories_made
    front.ids = [story["id"] for story in made]
    front.metered = [story["path"] for story in made[:7]]
    front.free, front.premium, front.victim = (story["path"] for story in made[7:])
    yield front.start()
    front.stop()
