"""How the till of `sandbox_server` tells a paper what happened: signed messages over HTTP, as badly as one asks for.

Kept in memory: a till that dies forgets what it had not told, which is what the comparison of the books is for.
"""

from __future__ import annotations

import logging
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, get_args
from urllib.parse import urlsplit

from broadsheet.payments.adapters import WebhookNote
from broadsheet.payments.adapters.sandbox_messages import Message, signed

log = logging.getLogger(__name__)

Mode = Literal["normal", "lose", "duplicate", "reverse", "tamper"]
MODES: tuple[Mode, ...] = get_args(Mode)
TIMES = 3  # what `duplicate` sends of each
_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


class Sender:
    """A queue and the thread that empties it. `url` empty: nobody wants to be told."""

    def __init__(self, url: str, secret: bytes) -> None:
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"{url!r} is no address to send messages to.")
        self._url = url
        self._secret = secret
        self._mode: Mode = "normal"
        self._delay = 0.0
        self._queue: deque[tuple[float, int, WebhookNote]] = deque()
        self._held: list[WebhookNote] = []
        self._wake = threading.Condition()
        self._busy = False
        threading.Thread(target=self._run, name="till-sender", daemon=True).start()

    def set_mode(self, mode: str, delay: float = 0.0) -> None:
        """From now on: `normal`, `lose` all, `duplicate` each, `tamper` with each, or hold them back to send them in
        `reverse` when the mode changes. `delay` in seconds goes before each. ValueError for another word."""
        if mode not in MODES:
            raise ValueError(f"{mode!r} is no way to send messages; there are {', '.join(MODES)}.")
        with self._wake:
            self._mode, self._delay = mode, delay
            held, self._held = self._held, []
            self._queue.extend((time.monotonic(), 0, note) for note in reversed(held))
            self._wake.notify()

    def tell(self, note: WebhookNote) -> None:
        if not self._url:
            return
        with self._wake:
            if self._mode == "reverse":
                self._held.append(note)
            elif self._mode != "lose":
                due = time.monotonic() + self._delay
                self._queue.extend([(due, 0, note)] * (TIMES if self._mode == "duplicate" else 1))
                self._wake.notify()

    def idle(self) -> bool:
        """Whether everything that will be told has been told."""
        with self._wake:
            return not self._queue and not self._busy

    def _next(self) -> tuple[int, WebhookNote]:
        with self._wake:
            self._busy = False
            while True:
                now = time.monotonic()
                due = next((item for item in self._queue if item[0] <= now), None)
                if due is not None:
                    self._queue.remove(due)
                    self._busy = True
                    return due[1], due[2]
                self._wake.wait(min((item[0] for item in self._queue), default=now + 60) - now)

    def _run(self) -> None:
        while True:
            tries, note = self._next()
            if not self._post(self._message(note)) and tries < len(_WAITS):
                with self._wake:
                    self._queue.append((time.monotonic() + _WAITS[tries], tries + 1, note))

    def _message(self, note: WebhookNote) -> Message:
        message = signed(note, self._secret, datetime.now(UTC))
        return replace(message, body=message.body + b" ") if self._mode == "tamper" else message

    def _post(self, message: Message) -> bool:
        """Whether whoever listens will not be told again: it took the message, or refused it for good."""
        request = urllib.request.Request(self._url, message.body, dict(message.headers), method="POST")  # noqa: S310 - the scheme was looked at
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
                return 200 <= answer.status < 300  # noqa: PLR2004 - success
        except urllib.error.HTTPError as error:
            return self._mode == "tamper" and error.code == 400  # noqa: PLR2004 - refused as it should be
        except OSError as error:
            log.info("The paper did not take a message: %s", error)
            return False
