"""What goes to the newsroom's process and back: whole, framed anew, and with nothing that a visitor made up."""

import asyncio
import hashlib
import http.client
import io
import socket
import threading
import time
import uuid
from contextlib import suppress

import pytest
import uvicorn
import uvloop
from tests.papers import free_port

from broadsheet.gate.forward import Forwarder, from_gate


class Server(threading.Thread):
    """uvicorn on a thread, at a port or at a Unix socket."""

    def __init__(self, application, listening, **settings):
        super().__init__(daemon=True)
        self.listening = listening
        config = uvicorn.Config(application, lifespan="off", log_config=None, http="httptools", ws="none", **settings)
        self.server = uvicorn.Server(config)

    def run(self):
        self.server.run([self.listening])

    def __enter__(self):
        self.start()
        while not self.server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.join(15)
        assert not self.is_alive()


class Newsroom:
    """Stands for Django: writes down what reached it and answers as the path says."""

    def __init__(self):
        self.scopes = []
        self.left = threading.Event()

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        answer = getattr(self, scope["path"].strip("/").replace("-", "_"), self.echo)
        await answer(scope, receive, send)

    async def echo(self, scope, receive, send):
        digest, size = hashlib.sha256(), 0
        more = True
        while more:
            message = await receive()
            digest.update(message.get("body", b""))
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        await self.say(send, 200, f"{scope['method']} {size} {digest.hexdigest()}".encode())

    async def say(self, send, status, body, *headers):
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
        await send({"type": "http.response.body", "body": body})

    async def download(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-kind", b"large")]})
        for number in range(200):
            await send({"type": "http.response.body", "body": bytes([number]) * 50_000, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def refuse(self, scope, receive, send):
        await self.say(send, 413, b"too much")

    async def cookies(self, scope, receive, send):
        await self.say(send, 303, b"", (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"location", b"/next/"))

    async def not_modified(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", b'"x"')]})
        await send({"type": "http.response.body", "body": b""})

    async def break_off(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    async def wait(self, scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


@pytest.fixture
def newsroom():
    return Newsroom()


@pytest.fixture
def address(tmp_path):
    return tmp_path / f"{uuid.uuid4().hex[:8]}.sock"


@pytest.fixture
def running(newsroom, address):
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(address))
    with Server(from_gate(newsroom), listening):
        yield newsroom


@pytest.fixture
def port(address):
    number = free_port()
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", number))
    with Server(Forwarder(address, patience=0.3), listening, proxy_headers=False):
        yield number


def ask(port, method="GET", path="/", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request(method, path, body=body, headers={name.replace("_", "-"): v for name, v in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def raw(port, data):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def seen(newsroom, name):
    return [value for key, value in newsroom.scopes[-1]["headers"] if key == name.encode()]


def test_a_large_upload_arrives_whole_with_a_length_or_in_chunks(port, running):
    data = bytes(range(256)) * 40_000
    for body in (data, (data[at : at + 70_001] for at in range(0, len(data), 70_001)), io.BytesIO(data)):
        status, _, answer = ask(port, "POST", "/upload", body)
        assert (status, answer.decode()) == (200, f"POST {len(data)} {hashlib.sha256(data).hexdigest()}")


def test_a_large_download_arrives_whole(port, running):
    status, headers, body = ask(port, path="/download")
    assert (status, headers["X-Kind"], len(body)) == (200, "large", 10_000_000)
    assert body == b"".join(bytes([number]) * 50_000 for number in range(200))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_the_method_the_path_and_the_query_arrive_as_they_were_sent(port, running, method):
    status, _, body = ask(port, method, "/a%20b/%C3%A9?q=1&q=%2F")
    assert (status, body.split()[:2]) == (200, [method.encode(), b"0"])
    scope = running.scopes[-1]
    assert (scope["raw_path"], scope["path"], scope["query_string"]) == (b"/a%20b/%C3%A9", "/a b/é", b"q=1&q=%2F")


def test_a_head_has_the_length_and_no_body(port, running):
    status, headers, body = ask(port, "HEAD", "/echo")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 60


def test_every_cookie_and_the_place_to_go_come_back(port, running):
    status, headers, _ = ask(port, "POST", "/cookies", b"x")
    assert (status, headers.get_all("Set-Cookie"), headers["Location"]) == (303, ["a=1", "b=2"], "/next/")


def test_an_answer_without_a_body_has_none(port, running):
    status, headers, body = ask(port, path="/not-modified")
    assert (status, headers["ETag"], body) == (304, '"x"', b"")


def test_an_early_refusal_of_an_upload_reaches_the_visitor(port, running):
    status, _, body = ask(port, "POST", "/refuse", bytes(8_000_000))
    assert (status, body) == (413, b"too much")


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_an_answer_is_not_lost_with_what_the_newsroom_did_not_hear(address, run):
    """It answers and hangs up before the upload comes: the upload cannot be sent, and the answer lies there unread."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(address))
    listening.listen()
    sent = []

    async def receive():
        # Nothing else runs meanwhile, so the forwarder meets both at once: the answer, and that nobody listens.
        connection, _ = listening.accept()
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 8\r\n\r\ntoo much")
        connection.close()
        return {"type": "http.request", "body": b"x" * 1000, "more_body": False}

    async def send(message):
        sent.append((message.get("status"), message.get("body")))

    scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "http"}
    scope["headers"] = [(b"host", b"x"), (b"content-length", b"1000")]
    with listening:
        run(asyncio.wait_for(Forwarder(address)(scope, receive_once(receive), send), 10))
    assert sent == [(413, None), (None, b"too much"), (None, b"")]


def receive_once(receive):
    """The visitor sends one message and stays."""
    given = []

    async def once():
        if given:
            await asyncio.sleep(60)
        given.append(1)
        return await receive()

    return once


def test_the_newsroom_hears_where_a_visitor_is_from_us_alone(port, running):
    ask(
        port,
        X_Forwarded_Proto="https",
        X_Forwarded_Host="evil.example",
        X_Broadsheet_Client="10.9.9.9 1",
        X_Broadsheet_Scheme="https",
        X_Broadsheet_Server="evil.example 443",
    )
    scope = running.scopes[-1]
    assert (scope["client"][0], scope["scheme"], scope["server"]) == ("127.0.0.1", "http", ("127.0.0.1", port))
    names = {name for name, _ in scope["headers"]}
    assert not [name for name in names if name.startswith((b"x-broadsheet", b"x-forwarded-proto", b"x-forwarded-host"))]
    assert scope["client"][1] > 0


def test_a_header_spelled_with_an_underscore_goes_no_further(port, running):
    raw(
        port,
        b"GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_Proto: https\r\nX_Broadsheet_Client: 1\r\nConnection: close\r\n\r\n",
    )
    assert {name for name, _ in running.scopes[-1]["headers"]} == {b"host"}


def test_what_a_client_says_of_its_own_connection_goes_no_further(port, running):
    raw(port, b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close, X-Mine, Cookie\r\nX-Mine: 1\r\nCookie: a=b\r\n"
              b"TE: trailers\r\nKeep-Alive: 9\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\nX-Other: 2\r\n\r\n")  # fmt: skip
    assert dict(running.scopes[-1]["headers"]) == {b"host": b"x", b"cookie": b"a=b", b"x-other": b"2"}


SMUGGLED = [
    b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /secret HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\nGET /secret HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /secret HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\nGET /secret HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /echo HTTP/1.1\r\nHost: x\r\nX-A: b\nGET /secret HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", SMUGGLED, ids=range(len(SMUGGLED)))
def test_no_request_hides_in_another(port, running, request_bytes):
    """Whatever the gate makes of such bytes, the newsroom sees at most the requests that the gate has answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        answers = b""
        with suppress(TimeoutError, ConnectionResetError):
            while data := connection.recv(65536):
                answers += data
    heads = answers.count(b"HTTP/1.1 ")
    assert len(running.scopes) <= heads
    assert sum(scope["path"] == "/secret" for scope in running.scopes) <= max(0, answers.count(b"HTTP/1.1 200") - 1)


def test_two_requests_never_share_a_connection_to_the_newsroom(port, running):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path in ("/one", "/two"):
        connection.request("GET", path)
        assert connection.getresponse().read().startswith(b"GET 0")
    connection.close()
    assert [scope["path"] for scope in running.scopes] == ["/one", "/two"]


def test_half_an_answer_is_never_taken_for_a_whole_one(port, running):
    with pytest.raises(http.client.IncompleteRead):
        ask(port, path="/break-off")


def test_a_visitor_who_leaves_ends_the_newsrooms_work(port, running):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/wait")
    time.sleep(0.3)
    connection.close()
    assert running.left.wait(5)


@pytest.mark.parametrize("left_behind", [False, True])
def test_a_newsroom_that_is_away_is_said_plainly_and_soon(port, address, left_behind):
    if left_behind:
        dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        dead.bind(str(address))
        dead.close()
    begin = time.monotonic()
    status, headers, body = ask(port, path="/account/")
    assert time.monotonic() - begin < 2
    assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "5", "private, no-store")
    assert b"Back in a moment" in body
    assert b"Traceback" not in body
    assert str(address).encode() not in body
    status, _, body = ask(port, path="/healthz")
    assert (status, body) == (503, b"newsroom: not reachable\n")


def test_a_newsroom_that_dies_before_it_answers_is_a_bad_gateway(port, address):
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(address))
    listening.listen()

    def hang_up():
        connection, _ = listening.accept()
        connection.recv(65536)
        connection.close()

    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()
    status, _, body = ask(port, path="/account/")
    thread.join(5)
    listening.close()
    assert (status, b"Back in a moment" in body) == (502, True)


def test_a_newsroom_that_comes_back_in_time_is_waited_for(port, address, newsroom):
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(ask(port, path="/echo")[0]))
    waiting.start()
    time.sleep(0.1)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(address))
    with Server(from_gate(newsroom), listening):
        waiting.join(10)
    assert answers == [200]
