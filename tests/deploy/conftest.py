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
def site(tmp_path_factory):
    """`.paper`, `.metered` (paths), `.free`, `.premium`, `.victim`; nginx in front of it answers on `.secure`."""
    if program("nginx") is None:
        pytest.skip("no nginx on this machine (on Debian: apt install nginx)")
    folder = tmp_path_factory.mktemp("front")
    paper = Paper(folder / "data", public_url="https://news.example", trusted_proxies="127.0.0.1").init()
    made = paper.stories(*STORIES)
    paper.ready_headers = TLS
    front = Front(folder / "nginx", paper)
    front.ids = [story["id"] for story in made]
    front.metered = [story["path"] for story in made[:7]]
    front.free, front.premium, front.victim = (story["path"] for story in made[7:])
    try:
        paper.start()
        front.start()
        yield front
    finally:
        front.stop()
        paper.stop()
