"""The whole check on real servers: clean as the paper is, and red for every kind of leak that is planted."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from broadsheet.leakcheck.report import Outcome, check, tell
from broadsheet.leakcheck.twins import Running, Twins, make_twins, serving

PLANTS = Path(__file__).parent / "plants.py"


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    return make_twins(tmp_path_factory.mktemp("twins"))


@pytest.fixture(scope="module")
def planted(twins: Twins, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    copy = twins.copy_to(tmp_path_factory.mktemp("planted") / "twins")
    with Running() as running:
        servers = [running.start(copy.data(twin), command=(sys.executable, str(PLANTS))) for twin in ("a", "b")]
        running.wait()
        return asyncio.run(
            check(copy, servers, only=("walls", "surfaces", "tricks"), groups=("identity",), guess=False)
        )


def found(outcome: Outcome, **wanted: str) -> list[str]:
    return [
        leak.evidence for leak in outcome.leaks if all(text in getattr(leak, name) for name, text in wanted.items())
    ]


def test_the_paper_as_it_is_leaks_nothing(twins: Twins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = twins.copy_to(tmp_path / "twins")
    with serving(copy) as servers:
        outcome = asyncio.run(check(copy, servers))
    assert outcome.leaks == ()
    assert outcome.surfaces > 80
    assert outcome.tricks > 300
    assert outcome.probes > 3000
    assert tell(outcome, as_json=True, quiet=False, seconds=1.0) == 0
    assert capsys.readouterr().out == ""


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
