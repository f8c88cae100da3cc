"""uvicorn's own HTTP protocol with a short cut: what the gate can answer from memory is written as soon as the
request's headers are complete, without a task or a scope. Everything else takes the ordinary ASGI road.

No parser of ours: httptools has read the request before a line of this runs.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from broadsheet.gate.answers import Answer, render_headers
from broadsheet.gate.app import Gate
from broadsheet.gate.asked import forwarded_as_https, read_request

_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_BODY_HEADERS = (b"content-length", b"transfer-encoding", b"expect", b"upgrade")


class _Answered:
    """Stands where uvicorn keeps the cycle of a request: this one is complete, and holds nothing of its connection."""

    response_complete = True
    disconnected = False
    keep_alive = True
    message_event = asyncio.Event()  # set when a connection is lost; nobody waits for it


_ANSWERED = _Answered()


def gate_protocol(gate: Gate) -> type[HttpToolsProtocol]:
    """A protocol class for uvicorn's `http` setting, bound to one gate."""

    class GateProtocol(HttpToolsProtocol):
        def on_headers_complete(self) -> None:
            if not self._answer_now():
                super().on_headers_complete()

        def _answer_now(self) -> bool:
            # A pipelined request waits behind an unfinished answer, and a client that does not read gets no more bytes.
            if (self.cycle is not None and not self.cycle.response_complete) or self.pipeline:
                return False
            if self.flow.write_paused or self.transport.is_closing():
                return False
            method = self.parser.get_method()
            if method not in (b"GET", b"HEAD") or any(name in _BODY_HEADERS for name, _ in self.headers):
                return False
            try:
                path = httptools.parse_url(self.url).path
            except httptools.HttpParserInvalidURLError:
                return False
            asked = read_request(method, path or b"", self.headers, gate.options.cookies, secure=self._is_https())
            answer = gate.answer(asked)
            if not isinstance(answer, Answer):
                return False
            keep = self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()
            self._write(answer, keep=keep, head=method == b"HEAD")
            return True

        def _is_https(self) -> bool:
            if self.scheme == "https" or not gate.options.secure:
                return True
            return self.client is not None and gate.options.trusts(self.client[0]) and forwarded_as_https(self.headers)

        def _write(self, answer: Answer, *, keep: bool, head: bool) -> None:
            lines = [_STATUS[answer.status]]
            lines += [name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers]
            rest = answer.headers[answer.fixed :]
            if not answer.fixed and not any(name == "Content-Length" for name, _ in rest):
                rest = [*rest, ("Content-Length", str(len(answer.body)))]
            if not keep:
                rest = [*rest, ("Connection", "close")]
            lines += [answer.rendered, render_headers(rest), b"\r\n"]
            if not head:
                lines.append(answer.body)
            self.cycle: Any = _ANSWERED
            self.transport.write(b"".join(lines))
            if keep:
                self.on_response_complete()
            else:
                self.server_state.total_requests += 1
                self.transport.close()

    return GateProtocol
