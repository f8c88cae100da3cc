"""A meter that is kept on another machine: the answer comes a moment later, in its order, on its connection."""

import asyncio
import re

from tests.gate.test_cost import LIMIT, Paper, Wire

from broadsheet.access.local_book import LocalBook


class FarBook(LocalBook):
    """The machine's own book, answering as one on another machine does: later."""

    def take(self, *key):
        return None

    def take_later(self, *key_and_done):
        *key, done = key_and_done
        asyncio.get_running_loop().call_later(0.01, lambda: done(LocalBook.take(self, *key)))


class HangUp(Wire):
    closed = False

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def pause_reading(self):
        """The test sends nothing more anyway."""

    resume_reading = pause_reading


def ask(tmp_path, data, wait=0.4):
    async def run():
        paper = Paper(tmp_path)
        paper.gate.book = FarBook(tmp_path / "far", limit=LIMIT, meters=100)
        connection, _ = paper.connection(asyncio.get_running_loop())
        wire = HangUp()
        connection.connection_made(wire)
        connection.data_received(data(paper) if callable(data) else data)
        await asyncio.sleep(wait)
        return wire

    return asyncio.run(run())


def line(story, *headers):
    return "\r\n".join([f"GET /world/story-{story} HTTP/1.1", "Host: news.example", *headers, "", ""]).encode()


def pages(data):
    """(story's text, reason) of each answer, in order."""
    return re.findall(rb"broadsheet-reason: (\w+).*?\r\n\r\n(full|limit)", data, re.DOTALL | re.IGNORECASE)


def test_answers_come_in_the_order_of_their_requests(tmp_path):
    def requests(paper):
        cookie = f"Cookie: {paper.meter(1)}"
        return b"".join(line(story, cookie) for story in (1, 2, 1)) + line(3)

    wire = ask(tmp_path, requests)
    assert [reason for reason, _ in pages(wire.data)] == [b"meter", b"meter", b"repeat", b"meter"]
    assert wire.data.count(b"HTTP/1.1 200 OK") == 4
    assert not wire.closed


def test_a_limit_that_only_the_far_book_knows_holds(tmp_path):
    def requests(paper):
        old = f"Cookie: {paper.meter(1)}"  # put back again and again
        return b"".join(line(story, old) for story in range(1, LIMIT + 3))

    wire = ask(tmp_path, requests)
    assert [reason for reason, _ in pages(wire.data)] == [b"meter"] * LIMIT + [b"limit"] * 2


def test_the_first_request_stays_open_though_the_next_one_says_close(tmp_path):
    wire = ask(tmp_path, line(1) + line(2, "Connection: close"))
    assert [reason for reason, _ in pages(wire.data)] == [b"meter", b"meter"]
    first, second = wire.data.split(b"HTTP/1.1 200 OK")[1:]
    assert b"connection: close" not in first.lower()
    assert b"connection: close" in second.lower()
    assert wire.closed


def test_who_left_meanwhile_gets_nothing_and_nothing_breaks(tmp_path):
    async def run():
        paper = Paper(tmp_path)
        paper.gate.book = FarBook(tmp_path / "far", limit=LIMIT, meters=100)
        connection, _ = paper.connection(asyncio.get_running_loop())
        wire = HangUp()
        connection.connection_made(wire)
        connection.data_received(line(1))
        wire.closed = True
        connection.connection_lost(None)
        await asyncio.sleep(0.05)
        return wire

    assert asyncio.run(run()).data == b""
