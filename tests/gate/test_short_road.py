"""Which requests may take the short road: what one says on a connection is never heard in the next one's lines."""

import asyncio
import re

import pytest
from tests.gate.test_cost import Paper
from tests.gate.test_shared_meter import HangUp

HOST = "Host: news.example"


def answers(tmp_path, *requests):
    """(status, reason, closed) of each of these on one connection; `{meter}` is a cookie of a meter with one read."""

    async def run():
        paper = Paper(tmp_path)
        connection, _ = paper.connection(asyncio.get_running_loop())
        wire, found = HangUp(), []
        connection.connection_made(wire)
        for request in requests:
            wire.data = b""
            connection.data_received(request.replace("{meter}", f"Cookie: {paper.meter(1, 40)}").encode())
            reason = re.search(rb"\r\nBroadsheet-Reason: (\w+)", wire.data, re.IGNORECASE)
            found.append((int(wire.data[9:12]), reason and reason[1].decode(), wire.closed))
        return found

    return asyncio.run(run())


def get(story, *lines, method="GET", version="1.1", host=HOST):
    return "\r\n".join([f"{method} /world/story-{story} HTTP/{version}", *([host] if host else []), *lines, "", ""])


PLAIN = get(1, "{meter}")
COUNTED, SEEN = (200, "meter", False), (200, "repeat", False)


def test_a_reader_clicks_on(tmp_path):
    found = answers(tmp_path, PLAIN, get(1, "{meter}"), get(2, "{meter}"), get(2, "COOKIE: x=y", "{meter}"))
    assert found == [COUNTED, SEEN, COUNTED, SEEN]


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["{meter}", "Purpose: prefetch"], (200, "not_a_read", False)),
        (["{meter}", "Sec-Fetch-Dest: empty"], (200, "not_a_read", False)),
        (["{meter}", "Sec-Fetch-Dest: document"], COUNTED),
        (["{meter}", "sec-fetch-dest: document", "accept-encoding: br;q=1, gzip"], COUNTED),
        (["{meter}", "Connection: keep-alive"], COUNTED),
        (["{meter}", "Connection: close"], (200, "meter", True)),
        (["{meter}", "connection: x, close"], (200, "meter", True)),
        (["{meter}", "Accept-Encoding: identity"], COUNTED),
        (["{meter}", HOST], (421, None, False)),
        (["{meter}", "HOST: news.example"], (421, None, False)),
        (["{meter}", "hOST: other.example"], (421, None, False)),
    ],
)
def test_a_line_more_is_heard_although_the_request_before_was_plain(tmp_path, lines, answer):
    assert answers(tmp_path, PLAIN, get(3, *lines)) == [COUNTED, answer]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (get(3, "{meter}", host="Host: other.example"), (421, None, False)),
        (get(3, "{meter}", host=""), (421, None, False)),
        (get(3, "{meter}", method="HEAD"), (200, "not_a_read", False)),
        (get(3, "{meter}", version="1.0"), (200, "meter", True)),
        (get(3, "{meter}", "Connection: keep-alive", version="1.0"), (200, "meter", True)),
        (get(3, "{meter}", "Proxy-Connection: keep-alive", version="1.0"), (200, "meter", True)),
        (get(3, "{meter}", "Connection: keep-alive", version="2.0"), (505, None, True)),
        (get(3, "{meter}", "Connection: keep-alive", version="0.9"), (505, None, True)),
    ],
)
def test_what_is_not_a_plain_get_is_answered_as_such(tmp_path, request_, answer):
    assert answers(tmp_path, PLAIN, request_) == [COUNTED, answer]


def test_a_page_is_not_given_twice_for_one_read_that_only_other_words_ask_for(tmp_path):
    """The same case of a story, asked for in each encoding and with other cookies beside, is one read."""
    found = answers(
        tmp_path, get(5, "{meter}", "Accept-Encoding: gzip"), get(5, "{meter}", "Accept-Encoding: br"),
        get(5, "{meter}", "Accept-Encoding: gzip, deflate, br, zstd"), get(5, "{meter}", "Accept-Encoding: *"),
    )  # fmt: skip
    assert found == [COUNTED, SEEN, SEEN, SEEN]


def test_a_head_in_pieces_and_two_heads_at_once(tmp_path):
    first, second = get(1, "{meter}"), get(2, "{meter}")
    assert answers(tmp_path, first + second)[0] == COUNTED

    async def run():
        paper = Paper(tmp_path / "pieces")
        connection, _ = paper.connection(asyncio.get_running_loop())
        wire = HangUp()
        connection.connection_made(wire)
        data = (first + second).replace("{meter}", f"Cookie: {paper.meter(1, 40)}").encode()
        for at in range(0, len(data), 7):
            connection.data_received(data[at : at + 7])
        return re.findall(rb"Broadsheet-Reason: (\w+)", wire.data)

    (tmp_path / "pieces").mkdir()
    assert asyncio.run(run()) == [b"meter", b"meter"]
