"""The gate's ports over a Unix socket: one JSON object a line, there and back.

A call that cannot reach the newsroom fails at once, unless it is worth a wait. One that was cut short, because the
newsroom ended or was replaced, is asked again: every port may be asked twice. Blocking, for threads; there are as many
connections as there are calls at one time.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from io import BufferedRWPair
from pathlib import Path
from typing import Any

from broadsheet.gate.ports import Ports

MOST_IDLE = 16
CUTS = 2  # fresh connections that may be cut short before a call that is not worth a wait gives up
TIMEOUT = 15.0  # shorter than the gate waits for a port
# What a reader would rather wait for, while a newsroom starts again, than hear that something is wrong.
PATIENT = {"print_story": 8.0, "print_page": 8.0}


class PortAwayError(OSError):
    """The newsroom cannot be asked, or did not answer in time."""


class PortError(Exception):
    """The newsroom was asked and failed; it has the trace in its own log."""


class PortClient:
    """`wait_for` seconds are spent looking for the newsroom when it has been away for less than that."""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self._path = str(path)
        self._timeout = timeout
        self._idle: list[BufferedRWPair] = []
        self._lock = threading.Lock()
        self._away_since: float | None = None

    def call(self, port: str, *arguments: Any, wait_for: float = 0.0) -> Any:
        """What `port` answered, as JSON values."""
        line = json.dumps([port, *arguments], separators=(",", ":")).encode() + b"\n"
        until, cuts = time.monotonic() + wait_for, 0
        stream = self._idle_stream()
        while cuts <= CUTS or time.monotonic() < until:
            answer = self._ask(stream or self._connect(wait_for), line)
            if answer is not None:
                return self._value(answer)
            if stream is None:
                cuts += 1
                time.sleep(0.05)  # until whoever takes the place of what ended there has done so
            stream = None
            self.close()  # the others lead to the same newsroom
        raise PortAwayError(f"the newsroom went away while it was asked to {port}")

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for stream in idle:
            _close(stream)

    def _value(self, answer: bytes) -> Any:
        reply = json.loads(answer)
        if "error" in reply:
            raise PortError(reply["error"])
        return reply["value"]

    def _ask(self, stream: BufferedRWPair, line: bytes) -> bytes | None:
        """The answer's line, None when the connection was of no use (and the call may be made on another)."""
        try:
            stream.write(line)
            stream.flush()
            answer = stream.readline()
        except TimeoutError as error:
            _close(stream)
            raise PortAwayError("the newsroom did not answer in time") from error
        except OSError:
            _close(stream)
            return None
        if not answer.endswith(b"\n"):
            _close(stream)
            return None
        with self._lock:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(stream)
                return answer
        stream.close()
        return answer

    def _idle_stream(self) -> BufferedRWPair | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _connect(self, wait_for: float) -> BufferedRWPair:
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self._timeout)
            try:
                connection.connect(self._path)
            except OSError as error:
                connection.close()
                now = time.monotonic()
                self._away_since = self._away_since or now
                if now - self._away_since >= wait_for:
                    raise PortAwayError(f"the newsroom is away: {error}") from error
                time.sleep(0.05)
                continue
            self._away_since = None
            with connection:
                return connection.makefile("rwb")


def _close(stream: BufferedRWPair) -> None:
    try:
        stream.close()
    except OSError:
        return  # it has bytes left for somebody who is gone


def remote_ports(client: PortClient) -> Ports:
    """Ports that ask the newsroom's process."""
    calls: dict[str, Callable[..., Any]] = {
        field.name: partial(client.call, field.name, wait_for=PATIENT.get(field.name, 0.0)) for field in fields(Ports)
    }
    return Ports(**calls)
