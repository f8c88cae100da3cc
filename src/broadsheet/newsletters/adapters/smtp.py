"""An SMTP server: many mails over one connection, commands in one packet where the server allows it.

smtplib opens the connection (EHLO, STARTTLS, AUTH); the transaction itself is ours, because the moment before the last
dot leaves has to be known.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from broadsheet.newsletters.adapters import Answer, LineLostError, Mail, NotUsError

MAILS_A_CONNECTION = 500  # servers close what goes on for ever
_CLOSING = 421
_GO_ON = 354
_GOOD = 2  # the first digit of yes


class SmtpLine:
    """`settings`: Django's EMAIL_* values, as mail.rules.settings_from_url gives them."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._mails = 0

    def hand_over(self, mail: Mail, begin: Callable[[], None]) -> Answer:
        server = self._opened()
        self._mails += 1
        try:
            answer = self._envelope(server, mail)
            if answer is not None:
                return answer
            data = mail.data.replace(b"\r\n.", b"\r\n..") if b"\r\n." in mail.data else mail.data
            server.sock.sendall(data)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise LineLostError(_words(error)) from error
        begin()
        try:
            server.sock.sendall(b".\r\n")
            code, words = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Answer("doubtful", 0, f"no answer: {_words(error)}"[:200])
        return self._said(code, words)

    def _envelope(self, server: smtplib.SMTP, mail: Mail) -> Answer | None:
        """MAIL, RCPT and DATA. An answer is a refusal; None means that the mail itself may follow."""
        commands = [f"MAIL FROM:<{mail.sender}>\r\n", f"RCPT TO:<{mail.to}>\r\n", "DATA\r\n"]
        if server.has_extn("pipelining"):
            server.sock.sendall("".join(commands).encode("ascii"))
            sender, recipient, go = server.getreply(), server.getreply(), server.getreply()
            if go[0] == _GO_ON and _good(sender) and _good(recipient):
                return None
            if go[0] == _GO_ON:  # it takes a mail that has no recipient: an empty one goes nowhere
                server.sock.sendall(b".\r\n")
                server.getreply()
        else:
            recipient = go = (0, b"")
            sender = server.docmd(commands[0].strip())
            if _good(sender):
                recipient = server.docmd(commands[1].strip())
            if _good(recipient):
                go = server.docmd("DATA")
            if go[0] == _GO_ON:
                return None
        return self._refusal(server, sender, recipient, go)

    def _refusal(
        self, server: smtplib.SMTP, sender: tuple[int, bytes], recipient: tuple[int, bytes], go: tuple[int, bytes]
    ) -> Answer:
        said = next(pair for pair in (sender, recipient, go) if pair[0] // 100 not in (2, 3))
        if _CLOSING in (sender[0], recipient[0], go[0]) or -1 in (sender[0], recipient[0], go[0]):
            self._drop()
            raise LineLostError(_text(said[1]))
        if said is sender and sender[0] // 100 == 5:  # noqa: PLR2004 - a permanent refusal
            raise NotUsError(f"{sender[0]} {_text(sender[1])}")
        with suppress(OSError, smtplib.SMTPException):
            server.rset()
        kind = "refused" if said[0] // 100 == 5 else "later"  # noqa: PLR2004 - as above
        return Answer(kind, said[0], _text(said[1]))

    def _said(self, code: int, words: bytes) -> Answer:
        if code == -1:
            self._drop()
            return Answer("doubtful", 0, "the server closed the connection without an answer")
        if self._mails >= MAILS_A_CONNECTION or code == _CLOSING:
            self.close()
        kind = {2: "sent", 5: "refused"}.get(code // 100, "later")
        return Answer(kind, code, _text(words))

    def _opened(self) -> smtplib.SMTP:
        if self._server is not None:
            return self._server
        made = self._settings
        host, port, wait = made["EMAIL_HOST"], made["EMAIL_PORT"], made["EMAIL_TIMEOUT"]
        context = ssl.create_default_context()
        try:
            if made["EMAIL_USE_SSL"]:
                server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=wait, context=context)
            else:
                server = smtplib.SMTP(host, port, timeout=wait)
            server.ehlo_or_helo_if_needed()
            if made["EMAIL_USE_TLS"]:
                server.starttls(context=context)
                server.ehlo()
            if made["EMAIL_HOST_USER"]:
                server.login(made["EMAIL_HOST_USER"], made["EMAIL_HOST_PASSWORD"])
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code // 100 == 5:  # noqa: PLR2004 - not "try again later"
                raise NotUsError(f"the mail server refuses our name and password ({error.smtp_code})") from error
            raise LineLostError(_words(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise LineLostError(_words(error)) from error
        # The last dot is a packet of its own: it must not wait for an acknowledgement of what came before.
        server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server, self._mails = server, 0
        return server

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def close(self) -> None:
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self._drop()


def _good(said: tuple[int, bytes]) -> bool:
    return said[0] // 100 == _GOOD


def _text(words: bytes) -> str:
    return words.decode("utf-8", "replace").replace("\n", " ")[:200]


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
