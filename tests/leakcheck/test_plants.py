"""The whole check on real servers is red for every kind of leak that is planted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tests.leakcheck.plants import PAGES, Proxy

from broadsheet.leakcheck.report import Effort, Outcome, check, tell
from broadsheet.leakcheck.twins import HOST, Twins, make_twins, serving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Twins, Any]]:
    """Twins, served honestly, for the plants to stand in front of."""
    twins = make_twins(tmp_path_factory.mktemp("planted"))
    with serving(twins) as servers:
        yield twins, servers


def planted_in(running: tuple[Twins, Any], *plants: str, effort: Effort) -> Outcome:
    twins, servers = running

    async def run() -> Outcome:
        pair = zip("ab", servers, strict=True)
        proxies = [Proxy(server, twins.papers[twin], twin, plants, HOST) for twin, server in pair]
        async with proxies[0] as first, proxies[1] as second:
            return await check(twins, [first, second], effort)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def planted(running: tuple[Twins, Any]) -> Outcome:
    rounds = ("walls", "surfaces", "tricks", "caches")
    groups = ("identity", "parameters")
    effort = Effort(only=rounds, groups=groups, guess=False, cached=100, crowd=0.05, seed=7)
    return planted_in(running, *PAGES, effort=effort)


def found(outcome: Outcome, **wanted: str) -> list[str]:
    return [
        leak.evidence for leak in outcome.leaks if all(text in getattr(leak, name) for name, text in wanted.items())
    ]


def test_a_body_in_json_ld_is_found(planted: Outcome) -> None:
    evidence = found(planted, story="premium-long", reader="visitor", trick="read")
    assert evidence
    assert evidence[0].startswith("words of premium-long, as sent")


def test_a_body_zipped_in_base64_in_a_comment_is_found(planted: Outcome) -> None:
    evidence = found(planted, story="premium-one", reader="visitor", trick="read")
    assert evidence
    assert "words of premium-one, as sent, base64, inflated" in evidence[0]


def test_a_header_that_depends_on_the_body_is_found_by_comparing_alone(planted: Outcome) -> None:
    evidence = found(planted, story="registered-long", reader="visitor", trick="read")
    assert evidence
    assert evidence[0].startswith("depends on hidden text: header x-reading-minutes: ")


def test_a_feed_with_the_body_is_found_by_crawling(planted: Outcome) -> None:
    evidence = found(planted, surface="/feed.xml", reader="visitor")
    assert evidence
    assert "words of premium-two" in evidence[0]


def test_a_wall_that_opens_for_googlebot_by_its_word_is_found(planted: Outcome) -> None:
    evidence = found(planted, story="metered-long", reader="visitor at the limit", trick="user agent Googlebot")
    assert evidence
    assert "words of metered-long" in evidence[0]
    assert found(planted, story="metered-long", trick="user agent bingbot") == []


def test_full_text_that_a_cache_may_keep_is_found(planted: Outcome) -> None:
    evidence = found(planted, story="premium-wire", reader="subscriber", trick="read")
    assert evidence
    assert evidence[0].startswith("full text that a cache may keep: Cache-Control: public")


def test_a_placeholder_on_a_wall_is_found(planted: Outcome) -> None:
    evidence = found(planted, story="premium-marked", reader="visitor", trick="read")
    assert evidence
    assert "{{free_limit}}" in evidence[0]


def test_leaks_are_told_one_object_a_probe_and_exit_1(planted: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(planted, as_json=True, quiet=True, seconds=1.0) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(planted.leaks)
    assert all(line.startswith('{"story": ') and len(line) < 700 for line in lines)


def test_a_parameter_that_opens_the_wall_is_found(planted: Outcome) -> None:
    evidence = found(planted, story="metered-two", reader="registered reader at the limit", trick="share=abc")
    assert evidence
    assert "words of metered-two" in evidence[0]


def test_an_address_that_a_careless_cache_takes_for_a_file_is_found(planted: Outcome) -> None:
    evidence = found(planted, surface="shared cache", trick="greedy keys", reader="visitor")
    assert any(text.startswith("out of the cache: words of premium-wire") for text in evidence)


def test_a_public_full_page_reaches_others_through_a_cache(planted: Outcome) -> None:
    evidence = found(planted, surface="shared cache", trick="raw keys")
    assert any("full text that a cache may keep" in text for text in evidence)


def test_a_payer_who_gets_half_a_story_is_found(planted: Outcome) -> None:
    evidence = found(planted, story="metered-list", reader="subscriber without premium", trick="read")
    assert evidence
    assert evidence[0].startswith("only ")
    assert {leak.reader for leak in planted.leaks if leak.evidence.startswith("only ")} == {
        "subscriber without premium"
    }


def test_a_meter_that_is_lost_on_the_way_is_found(running: tuple[Twins, Any]) -> None:
    outcome = planted_in(running, "forgetful", effort=Effort(only=("meters",)))
    evidence = found(outcome, surface="meter", reader="visitor", trick="read every story twice")
    assert evidence == ["14 stories opened instead of 3, then 14 again"]


def test_a_page_with_advertising_that_a_cache_gives_to_who_reads_without_is_found(running: tuple[Twins, Any]) -> None:
    outcome = planted_in(running, "one-for-all", effort=Effort(only=("caches",), cached=400, seed=5))
    assert "subscriber with every benefit" in {leak.reader for leak in outcome.leaks}
    evidence = found(outcome, surface="shared cache", trick="raw keys")
    assert "out of the cache: advertising for one who reads without" in evidence


def test_whatever_a_product_opens_is_found_when_visitors_get_it_too(running: tuple[Twins, Any]) -> None:
    outcome = planted_in(running, "open", effort=Effort(only=("benefits",), share=0.01, crowd=0.05))
    rows = running[0].papers["a"]["benefits"]["addresses"]
    wanted = {f"{product} {target.partition('?')[0]}" for target, product, _, owner in rows if not owner}
    assert {leak.surface for leak in outcome.leaks if leak.reader == "visitor" and leak.trick == "read"} == wanted
    assert {leak.reader for leak in outcome.leaks} <= {"visitor"}


def test_a_token_that_opens_what_its_reader_may_not_read_is_found(running: tuple[Twins, Any]) -> None:
    honest = planted_in(running, effort=Effort(only=("apps",), share=0.05))
    assert honest.leaks == ()
    assert honest.probes > 50
    outcome = planted_in(running, "token", effort=Effort(only=("apps",), share=0.05))
    tricks = {leak.trick for leak in outcome.leaks}
    assert {"a token that has expired", "a token of a closed account", "a token that may not read"} <= tricks
    evidence = found(outcome, story="premium-one", reader="former subscriber", trick="token")
    assert evidence
    assert evidence[0].startswith("words of premium-one")
    assert "subscriber" not in {leak.reader for leak in outcome.leaks}  # hers is hers


def test_drafts_that_take_longer_than_nothing_are_found(running: tuple[Twins, Any]) -> None:
    outcome = planted_in(running, "slow", effort=Effort(only=("timing",), share=0.3))
    assert {leak.story for leak in outcome.leaks} == {"draft-premium"}
    assert found(outcome, trick="timing", reader="visitor")[0].startswith("answers take ")


def test_text_that_outlives_the_right_to_it_is_found(running: tuple[Twins, Any]) -> None:
    """The last one: it withdraws and moves stories of these twins."""
    outcome = planted_in(running, "sticky", effort=Effort(only=("changes",)))
    assert found(outcome, trick="a right that ended") == ["nothing has changed after 3 s"]
    assert found(outcome, trick="a free story that became premium") == ["nothing has changed after 3 s"]
