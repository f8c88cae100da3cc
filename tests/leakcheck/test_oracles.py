"""What counts as the same answer, and what no page may show."""

from __future__ import annotations

import pytest

from broadsheet.leakcheck.client import Response
from broadsheet.leakcheck.oracles import Leak, difference, faults, full_faults, wall_faults


def page(body: str, *headers: tuple[str, str], status: int = 200) -> Response:
    return Response(status, (("Content-Type", "text/html; charset=utf-8"), *headers), body.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (page("a", ("Date", "Mon")), page("a", ("Date", "Tue"))),
        (
            page("a", ("Set-Cookie", "bsm=AAAA; Path=/; Max-Age=99")),
            page("a", ("Set-Cookie", "bsm=BBBB; Path=/; Max-Age=98")),
        ),
        (
            page('<input name="csrfmiddlewaretoken" value="abc">'),
            page('<input name="csrfmiddlewaretoken" value="xyz">'),
        ),
        (page("a", ("ETag", "1")), page("a", ("etag", "1"))),
    ],
)
def test_what_is_random_or_the_time_is_the_same(one: Response, other: Response) -> None:
    assert difference(one, other) == ""


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (page("a"), page("b"), "1 bytes against 1"),
        (page("a"), page("a", status=404), "status 200 against 404"),
        (page("a", ("ETag", "1")), page("a", ("ETag", "2")), "header etag: 1 against etag: 2"),
        (page("a", ("X-Words", "1")), page("a"), "3 headers against 2"),
        (page("a", ("Set-Cookie", "bsm=AAAA")), page("a", ("Set-Cookie", "bsm=AAAAA")), "header set-cookie"),
        (page("a", ("Set-Cookie", "a=1")), page("a", ("Set-Cookie", "b=1")), "header set-cookie"),
    ],
)
def test_everything_else_is_a_difference(one: Response, other: Response, told: str) -> None:
    assert told.replace("3 headers against 2", "2 headers against 1") in difference(one, other)


@pytest.mark.parametrize(
    "body",
    [
        "<p>You have read {{free_limit}} free articles</p>",
        "<p>{% if wall %}</p>",
        "<p>${price}</p>",
        "<p>undefined of 5 left</p>",
        "<p>₹NaN</p>",
        "<td>None</td>",
        '<meta name="description" content="None">',
        "<p>[object Object]</p>",
    ],
)
def test_an_unrendered_page_is_a_fault(body: str) -> None:
    assert [fault.split(":")[0] for fault in faults(page(body))] == ["unrendered"]


def test_words_that_only_look_alike_are_none() -> None:
    assert list(faults(page("<p>None of the ministers came; the terms are null and void.</p>"))) == []
    assert list(faults(page("<script>if (x === undefined) y = `${z}`</script>"))) == []


def test_an_error_of_the_server_is_a_fault() -> None:
    assert list(faults(page("sorry", status=500))) == ["status 500"]


def test_a_full_page_holds_everything_and_no_wall() -> None:
    text = "one two three four five six seven eight"
    full = (("Broadsheet-Variant", "full"), ("Cache-Control", "private, no-store"))
    assert list(full_faults(page(f"<p>{text}</p>", *full), text)) == []
    assert list(full_faults(page("<p>one two three</p>", *full), text)) == ["only 0% of the hidden text is there"]
    assert "wall or price" in next(full_faults(page(f"<p>{text}</p><b>₹900</b>", *full), text))
    assert "walled" in next(full_faults(page("", ("Broadsheet-Variant", "wall")), text))


@pytest.mark.parametrize("kept", ["", "no-store", "private, max-age=60", "public, max-age=600"])
def test_a_full_page_that_a_cache_may_keep_is_a_fault(kept: str) -> None:
    whole = page("<p>words</p>", ("Broadsheet-Variant", "full"), ("Cache-Control", kept))
    assert list(full_faults(whole, "words")) == [f"full text that a cache may keep: Cache-Control: {kept}"]


def test_a_wall_says_the_real_limit() -> None:
    wall = ("Broadsheet-Variant", "wall")
    said = '<aside class="wall wall-limit"><h2>You’ve read your 3 free articles this month.</h2></aside>'
    assert list(wall_faults(page(said, wall), 3)) == []
    assert list(wall_faults(page(said, wall), 5)) == ["the wall does not say the real limit of 5"]
    assert "no wall" in next(wall_faults(page("<p>words</p>", wall), None))


def test_evidence_is_short() -> None:
    row = Leak("1", "story page", "visitor", "read", "word " * 500).as_row()
    assert len(row["evidence"]) == 160
    assert list(row) == ["story", "surface", "reader", "trick", "evidence"]
