"""The gate's questions over a Unix socket while one newsroom takes the place of another."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import fields

import pytest

from broadsheet.gate.ports import Ports
from broadsheet.gate.remote import PortAwayError, PortClient, PortError, remote_ports
from broadsheet.server.ports_server import PortsServer
from broadsheet.server.sockets import UnixListener


class Newsroom(threading.Thread):
    """The ports of one newsroom on a loop of its own; each of them answers with its name."""

    def __init__(self, path, name):
        super().__init__(daemon=True)
        self.listener = UnixListener(path)
        self.asked = []
        self.loop = asyncio.new_event_loop()
        self.server = PortsServer(Ports(**{field.name: self._port(field.name, name) for field in fields(Ports)}))

    def _port(self, port, name):
        def answer(*words):
            self.asked.append((port, *words))
            if words[0] == "wrong":
                raise ValueError(words)
            return name

        return answer

    def run(self):
        self.loop.run_until_complete(self.server.start(self.listener.socket, self.listener.is_replaced))
        self.loop.run_forever()

    def open(self):
        self.listener.take_over()
        self.start()
        return self

    def close(self):
        asyncio.run_coroutine_threadsafe(self.server.stop(1), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join(5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ports.sock"


def test_from_the_takeover_on_only_the_new_newsroom_is_asked(path):
    client = PortClient(path)
    old = Newsroom(path, "old").open()
    assert client.call("issue_passport", "a") == "old"  # and its connection is kept
    new = Newsroom(path, "new").open()
    answers = [client.call("issue_passport", word) for word in "bcd"]
    old.close()
    answers.append(client.call("issue_passport", "e"))
    client.close()
    new.close()
    assert (answers, old.asked) == (["new"] * 4, [("issue_passport", "a")])


def test_a_newsroom_whose_socket_was_removed_is_nobodys_predecessor(path):
    only = Newsroom(path, "only").open()
    client = PortClient(path)
    assert client.call("reads", 1) == "only"
    path.unlink()
    assert client.call("reads", 2) == "only"
    client.close()
    only.close()


@contextmanager
def cutting(path, times):
    """A newsroom that ends: it takes `times` connections and answers nothing on them."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(8)

        def cut():
            for _ in range(times):
                connection, _ = listening.accept()
                connection.recv(100)
                connection.close()
            listening.close()
            path.unlink()

        cutter = threading.Thread(target=cut, daemon=True)
        cutter.start()
        yield
        cutter.join(5)


def test_a_printing_that_is_cut_short_again_and_again_goes_to_the_newsroom_that_comes(path):
    with cutting(path, 5):
        answer = []
        asking = threading.Thread(target=lambda: answer.append(remote_ports(PortClient(path)).print_story(7)))
        asking.start()
    time.sleep(0.2)  # nobody is there
    came = Newsroom(path, "came").open()
    asking.join(5)
    came.close()
    assert (answer, came.asked) == (["came"], [("print_story", 7)])


def test_what_is_not_worth_a_wait_fails_at_once_when_it_is_cut_short(path):
    with cutting(path, 3):
        begin = time.monotonic()
        with pytest.raises(PortAwayError):
            PortClient(path).call("reads", 1)
    with pytest.raises(PortAwayError):
        PortClient(path).call("reads", 1)
    assert time.monotonic() - begin < 2


def test_a_port_that_fails_is_not_asked_again(path):
    newsroom = Newsroom(path, "only").open()
    client = PortClient(path)
    with pytest.raises(PortError):
        client.call("print_story", "wrong", wait_for=8.0)
    client.close()
    newsroom.close()
    assert newsroom.asked == [("print_story", "wrong")]
