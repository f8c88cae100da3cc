"""The sandbox till as a process of its own: HTTP, its own SQLite book, signed messages to the paper.

`broadsheet till`, or `python -m broadsheet.payments.adapters.sandbox_server`. It listens on this machine alone. What it
decides is `adapters.sandbox`; this adds what a network adds: answers that never come, and messages that are late, lost,
doubled or in the wrong order. `adapters.sandbox_http` is the paper's side.
"""

from __future__ import annotations

import argparse
import hmac
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.db import connections

log = logging.getLogger(__name__)
MOST_BYTES = 64 * 1024
SWEEP = 0.5  # seconds between two looks for late money that has become certain


def open_book(path: Path) -> None:
    """Make this process the till of the book at `path`: Django with nothing but the till's four tables."""
    settings.configure(
        INSTALLED_APPS=["broadsheet.payments"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(path),
                "OPTIONS": {
                    "timeout": 20,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
                },
            }
        },
        USE_TZ=True,
        SECRET_KEY=os.urandom(32).hex(),
    )
    django.setup()
    from broadsheet.payments.models import tills  # noqa: PLC0415 - models need the settings above

    connection = connections["default"]
    there = set(connection.introspection.table_names())
    with connection.schema_editor() as editor:
        for model in (tills.SandboxMandate, tills.SandboxCharge, tills.SandboxRefund, tills.SandboxScript):
            if model._meta.db_table not in there:  # noqa: SLF001 - Django's documented name for it
                editor.create_model(model)
    connection.close()


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="broadsheet till", description="The sandbox till as a process of its own.")
    add_arguments(parser)
    return run(parser.parse_args(words))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--book", type=Path, default=Path("till.sqlite3"), help="the till's own SQLite file")
    parser.add_argument("--port", type=int, default=8700, help="0 takes a free one")
    parser.add_argument("--secret", default="", help="shared with the paper (or BROADSHEET_SANDBOX_SECRET)")
    parser.add_argument("--webhooks", default="", metavar="URL", help="where messages go: …/hooks/sandbox-http/")
    parser.add_argument("--hang", type=float, default=1.0, help="seconds without an answer when the script says so")
    parser.add_argument("--late", type=float, default=86_400, help="seconds until late money is certain")


def run(arguments: argparse.Namespace) -> int:
    secret = arguments.secret or os.environ.get("BROADSHEET_SANDBOX_SECRET", "")
    if not secret:
        print("broadsheet till: --secret is missing: the paper's option sandbox_secret.", file=sys.stderr)  # noqa: T201 - a command
        return 2
    open_book(arguments.book)
    from broadsheet.payments.adapters import sandbox  # noqa: PLC0415 - as in open_book

    sandbox.LATE = timedelta(seconds=arguments.late)
    server = serve(arguments.port, secret, arguments.webhooks, arguments.hang)
    print(f"The till listens on http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - a command
    server.serve_forever()
    return 0


def serve(port: int, secret: str, webhooks: str, hang: float) -> ThreadingHTTPServer:
    """The bound server; its book is open."""
    from broadsheet.payments.adapters.sandbox_desk import Desk  # noqa: PLC0415 - models need settings
    from broadsheet.payments.adapters.sandbox_sender import Sender  # noqa: PLC0415 - as above

    desk = Desk(Sender(webhooks, secret.encode()))
    handler = type("Handler", (_Handler,), {"desk": desk, "secret": secret, "hang": hang})
    threading.Thread(target=_sweep, args=(desk,), name="till-late", daemon=True).start()
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def _sweep(desk: Any) -> None:
    since = datetime.now(UTC)
    while True:
        time.sleep(SWEEP)
        until = datetime.now(UTC)
        try:
            desk.tell_late(since, until)
        except Exception:
            log.exception("Late money could not be told of.")
        finally:
            connections.close_all()
        since = until


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    desk: Any
    secret: str
    hang: float

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        log.debug(format, *args)

    def do_GET(self) -> None:
        self._answer(self.desk.reading())

    def do_POST(self) -> None:
        self._answer(self.desk.writing())

    def _answer(self, roads: dict[str, Callable[..., Any]]) -> None:
        parts = urlsplit(self.path)
        first, _, rest = parts.path.strip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            body = self._body()
            if first == "till" and "till" in roads:
                self._page(*roads["till"](rest, body.decode("utf-8", "replace")))
            elif rest not in roads or first != "v1":
                self._send(404, b'{"error": "there is nothing here"}')
            elif not self._known():
                self._send(401, b'{"error": "whose paper is this?"}')
            else:
                self._told(roads[rest](**(json.loads(body) if body else query)))
        except (ValueError, TypeError, KeyError, AttributeError, LookupError) as error:
            self._send(400, json.dumps({"error": str(error)}).encode())
        except BaseException as error:  # noqa: BLE001 - no answer, and a till that "died" is one too
            log.info("No answer to %s: %r", self.path, error)
            time.sleep(self.hang)
            self.close_connection = True
        finally:
            connections.close_all()

    def _body(self) -> bytes:
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 <= size <= MOST_BYTES:
            raise ValueError("That is too much.")
        return self.rfile.read(size)

    def _known(self) -> bool:
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self.secret}".encode())

    def _told(self, answer: Any) -> None:
        if hasattr(answer, "__next__"):  # a list of unknown length: a line each, and a last one that says it is whole
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Connection", "close")
            self.end_headers()
            for line in answer:
                self.wfile.write(json.dumps(line).encode() + b"\n")
            self.wfile.write(b'{"end": true}\n')
            self.close_connection = True
        else:
            self._send(200, json.dumps(answer).encode())

    def _page(self, status: int, page: str, location: str = "") -> None:
        self._send(status, page.encode(), "text/html; charset=utf-8", location)

    def _send(self, status: int, body: bytes, kind: str = "application/json", location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    sys.exit(main())
