"""Slots, spans, places in a story, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.make import body

from broadsheet.ads import rules
from broadsheet.ads.rules import Status

NOON = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "start", "end", "now", "found"),
    [
        ("draft", NOON, None, NOON, Status.DRAFT),
        ("stopped", NOON, None, NOON, Status.STOPPED),
        ("approved", NOON, None, NOON - timedelta(seconds=1), Status.WAITING),
        ("approved", NOON, None, NOON, Status.RUNNING),
        ("approved", NOON, NOON + DAY, NOON + DAY - timedelta(seconds=1), Status.RUNNING),
        ("approved", NOON, NOON + DAY, NOON + DAY, Status.ENDED),
    ],
)
def test_a_campaign_runs_from_its_first_second_to_before_its_last(state, start, end, now, found):
    assert rules.status(state, start, end, now) is found


def test_what_runs_and_when_that_changes_next():
    posted = {"campaigns": [{"id": 1, "start": 10, "end": 20}, {"id": 2, "start": 15, "end": None}]}
    assert [[one["id"] for one in rules.runs_at(posted, at)] for at in (9.9, 10, 15, 19.9, 20)] == [
        [], [1], [1, 2], [1, 2], [2],
    ]  # fmt: skip
    assert [rules.next_change(posted, at) for at in (0, 10, 15, 20)] == [10, 15, 20, float("inf")]
    assert rules.next_change({}, 5) == float("inf")


# --- in a story -------------------------------------------------------------------------------------------------------
def cuts(html):
    parts = rules.story_parts(html)
    assert "".join(parts) == html
    return [part.count("</p>") for part in parts]


@pytest.mark.parametrize(
    ("paragraphs", "found"),
    [(0, [0]), (4, [4]), (5, [3, 2]), (11, [3, 8]), (12, [3, 7, 2]), (40, [3, 7, 30])],
)
def test_an_advertisement_stands_after_the_third_paragraph_and_the_tenth_and_never_near_the_end(paragraphs, found):
    assert cuts(body(paragraphs)) == found


def test_no_advertisement_comes_between_a_heading_and_its_text_or_into_another_element():
    p = "<p>a <b>b</b> c<br>d</p>"
    assert cuts(f"{p}{p}{p}<h2>x</h2>{p}{p}{p}") == [4, 2]
    quote = f"<blockquote>{p}{p}{p}{p}</blockquote>"
    assert cuts(f"{p}{quote}{p}{p}{p}{p}{p}") == [7, 3]
    assert cuts(f"{p}{p}{p}<ul><li>{p}</li></ul>\n{p}\n{p}{p}") == [5, 2]
    assert rules.story_parts("no paragraph") == ("no paragraph",)


# --- what is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        "", "http://shop.example/", "javascript:alert(1)", "data:text/html,x", "//shop.example/", "https://",
        "https://shop", "https://a:b@shop.example/", "https://a@shop.example/", "https:/shop.example",
        "https://shop.example/\r\nSet-Cookie: a=b", "https://shop.example\\@evil.example/", "https://shop.example/a b",
        "https://[::1", "https://shop.example:99999/", "/subscribe/", "HTTPS//x.example",
    ],
)  # fmt: skip
def test_a_click_leads_nowhere_but_to_a_full_https_address(url):
    assert rules.target_problem(url, house=False)
    if url != "/subscribe/":
        assert rules.target_problem(url, house=True)


def test_a_house_ad_leads_into_the_paper_too():
    assert not rules.target_problem("https://shop.example/a?b=c#d", house=False)
    assert not rules.target_problem("/subscribe/", house=True)
    assert rules.target_problem("//evil.example", house=True)
    assert rules.target_problem("/\\evil.example", house=True)


def test_a_picture_has_the_size_of_a_slot_or_twice_that():
    assert not rules.size_problem(728, 90, ["top"])
    assert not rules.size_problem(640, 200, ["top"])
    assert "728 x 90, 320 x 100" in rules.size_problem(300, 250, ["top"])
    assert rules.size_problem(728, 91, ["top", "feed"])
    assert rules.size_problem(300, 600, ["story", "end"])
    assert rules.shown_size(1456, 180) == (728, 90)
    assert rules.shown_size(300, 600) == (300, 600)


@pytest.mark.parametrize(
    "line",
    [
        "exchange.example, 1234, DIRECT",
        "exchange.example, 1234, direct, f08c47fec0942fa0 # ours",
        "EXCHANGE.example,1234,RESELLER;x=y",
        "# a remark",
        "CONTACT=ads@paper.example",
        "ownerdomain = paper.example",
    ],
)
def test_lines_of_ads_txt(line):
    assert rules.seller_problem(line) == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "empty"),
        ("exchange.example, 1234", "three or four"),
        ("exchange.example, 1234, DIRECT, a, b", "three or four"),
        ("exchange.example, , DIRECT", "three or four"),
        ("exchange, 1234, DIRECT", "no domain"),
        ("https://exchange.example, 1234, DIRECT", "no domain"),
        ("exchange.example, 1234, BOTH", "DIRECT or RESELLER"),
        ("SELLER=paper.example", "none of"),
        ("CONTACT=", "nothing"),
        ("exchange.example, 1234, DIRECT\nevil.example, 1, DIRECT", "printed"),
    ],
)
def test_lines_that_are_refused_say_why(line, words):
    assert words in rules.seller_problem(line)
