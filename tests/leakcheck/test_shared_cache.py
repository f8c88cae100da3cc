"""The model of a shared cache: it keeps what RFC 9111 lets it keep, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from broadsheet.leakcheck.client import Ask, Response
from broadsheet.leakcheck.shared_cache import SharedCache, greedy, raw


class Origin:
    """Numbers its answers, so that a kept one is known by its number."""

    def __init__(self, *headers: tuple[str, str], status: int = 200) -> None:
        self.headers, self.status, self.asked = headers, status, []

    async def __call__(self, ask: Ask, jar) -> Response:
        self.asked.append((ask, dict(jar)))
        if dict(self.headers).get("ETag") and ("If-None-Match", dict(self.headers)["ETag"]) in ask.headers:
            return Response(304, self.headers)
        return Response(self.status, self.headers, str(len(self.asked)).encode())


def through(origin: Origin, *asks: tuple, normalise=raw) -> list[tuple[bytes, bool]]:
    """Each ask is (seconds since the last, Ask, jar); (body, whether the cache served it)."""

    async def run():
        cache, found = SharedCache(normalise, origin), []
        for seconds, ask, jar in asks:
            cache.now += seconds
            answer, hit = await cache.ask(ask, jar)
            found.append((answer.body, hit))
        return found

    return asyncio.run(run())


PLAIN = (0, Ask("/a"), {})


@pytest.mark.parametrize(
    ("control", "seconds", "served"),
    [
        ("public, max-age=60", 59, True),
        ("public, max-age=60", 60, False),
        ("public, max-age=60, stale-while-revalidate=60", 119, True),
        ("public, max-age=60, stale-while-revalidate=60", 120, False),
        ("max-age=60, s-maxage=5", 6, False),
        ("private, max-age=60", 0, False),
        ("no-store", 0, False),
        ("no-cache, max-age=60", 0, False),
        ("", 59, True),
    ],
)
def test_what_it_keeps_and_for_how_long(control, seconds, served):
    assert through(Origin(("Cache-Control", control)), PLAIN, (seconds, Ask("/a"), {}))[1][1] is served


def test_it_holds_to_vary():
    origin = Origin(("Cache-Control", "public, max-age=60"), ("Vary", "Accept-Encoding, Cookie"))
    payer = {"bsp": "x"}
    found = through(origin, PLAIN, (0, Ask("/a"), payer), (0, Ask("/a"), {}), (0, Ask("/a"), payer))
    assert found == [(b"1", False), (b"2", False), (b"1", True), (b"2", True)]
    assert not through(Origin(("Cache-Control", "public, max-age=60"), ("Vary", "*")), PLAIN, PLAIN)[1][1]


def test_it_asks_again_with_the_askers_own_cookies_and_keeps_what_is_confirmed():
    origin = Origin(("Cache-Control", "public, max-age=60"), ("ETag", '"v1"'))
    found = through(origin, PLAIN, (61, Ask("/a"), {"bsp": "x"}), (1, Ask("/a"), {}))
    assert found == [(b"1", False), (b"1", False), (b"1", True)]
    assert origin.asked[1] == (Ask("/a", headers=(("If-None-Match", '"v1"'),)), {"bsp": "x"})


def test_authorization_is_kept_out_unless_the_origin_allows_it():
    ask = (0, Ask("/a", headers=(("Authorization", "Basic eA=="),)), {})
    assert not through(Origin(("Cache-Control", "max-age=60")), ask, PLAIN)[1][1]
    assert through(Origin(("Cache-Control", "public, max-age=60")), ask, PLAIN)[1][1]


def test_a_greedy_key_takes_addresses_that_look_like_files_for_everyones():
    origin = Origin(("Cache-Control", "private, no-store"))
    payer = (0, Ask("/Harbour//x-1/x.css"), {"bsp": "x"})
    found = through(origin, payer, (0, Ask("/harbour/x-1/X.css"), {}), normalise=greedy)
    assert found == [(b"1", False), (b"1", True)]
    assert not through(origin, payer, (0, Ask("/Harbour//x-1/x.css"), {}), normalise=raw)[1][1]


def test_a_write_makes_it_forget_and_only_if_cached_never_asks():
    origin = Origin(("Cache-Control", "public, max-age=60"))
    only = (0, Ask("/a", headers=(("Cache-Control", "only-if-cached"),)), {})
    found = through(origin, only, PLAIN, only, (0, Ask("/a", "POST"), {}), only)
    assert [hit for _, hit in found] == [True, False, True, False, True]
    assert found[0][0] == found[4][0] == b""
    assert len(origin.asked) == 2
