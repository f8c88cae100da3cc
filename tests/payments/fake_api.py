"""What the fakes of the providers' APIs share: an HTTP server on this machine that keeps what it is told and is slow,
deaf or broken on demand. Written from the providers' documented messages; no code of theirs."""

import base64
import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class FakeApi(ThreadingHTTPServer):
    """`handle(method, path, params, headers) -> (status, values)` is the API; `calls` is what was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls = []
        self.numbers = itertools.count(1)
        self.silent_before = 0  # how many of the next POSTs get no answer and do nothing
        self.silent_after = 0  # how many of the next POSTs are done and get no answer
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def name(self, prefix):
        return f"{prefix}_{next(self.numbers):06}"

    def handle(self, method, path, params, headers):
        raise NotImplementedError

    def handle_error(self, *_):
        """A client that went away is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _any(self):
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "json" in (self.headers.get("Content-Type") or "") and raw:
            params = json.loads(raw)
        else:
            params = nested(parse_qsl(raw.decode(), keep_blank_values=True))
        params = {**nested(parse_qsl(parts.query, keep_blank_values=True)), **(params or {})}
        headers = {name.lower(): value for name, value in self.headers.items()}
        api = self.server
        with api.lock:
            api.calls.append((self.command, parts.path, params))
            posted = self.command == "POST"
            if posted and api.silent_before:
                api.silent_before -= 1
                return self._hang_up()
            status, values = api.handle(self.command, parts.path, params, headers)
            if posted and api.silent_after:
                api.silent_after -= 1
                return self._hang_up()
        body = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def _hang_up(self):
        time.sleep(0.01)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - the base class calls them so


def nested(pairs):
    """`a[b][0]=c` as {"a": {"b": {"0": "c"}}}: how forms carry structures."""
    found = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[")
        place = found
        for part, following in itertools.pairwise([head, *rest]):
            place = place.setdefault(part, {})
            assert following is not None
        place[[head, *rest][-1]] = value
    return found


def basic(headers):
    """(name, password) of an Authorization header."""
    return tuple(base64.b64decode(headers.get("authorization", "Basic ").split(" ")[1]).decode().split(":"))
