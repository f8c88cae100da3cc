"""Any of Django's mail backends: the folder of .eml files, the console, a provider's API of another package."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection

from broadsheet.newsletters.adapters import Answer, LineLostError, Mail

FOLDER = "broadsheet.mail.adapters.folder.EmailBackend"


class _Raw(Parsed):
    """A parsed mail that is sent as it was made: a signature holds for these very bytes."""

    raw = b""

    def as_bytes(self, *_: Any, **__: Any) -> bytes:  # type: ignore[override]
        return self.raw


class Prebuilt(EmailMultiAlternatives):
    """A finished mail with the fields that providers' backends ask for."""

    def __init__(self, mail: Mail) -> None:
        parsed = message_from_bytes(mail.data, _class=_Raw, policy=policy.default)
        parsed.raw = mail.data
        text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
        kept = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Message-ID", "Reply-To", "Precedence")
        super().__init__(
            subject=str(parsed["Subject"]),
            body=text.get_content() if text else "",
            from_email=str(parsed["From"]),
            to=[mail.to],
            headers={name: str(parsed[name]) for name in kept if parsed[name]},
        )
        if html:
            self.attach_alternative(html.get_content(), "text/html")
        self._parsed = parsed

    def message(self, *_: Any, **__: Any) -> Any:
        return self._parsed


class BackendLine:
    def __init__(self, backend: str, **options: Any) -> None:
        self._connection = get_connection(backend, **options)
        # The folder keeps one file a Message-ID: a second try is no second copy.
        self._repeats_safely = backend == FOLDER

    def hand_over(self, mail: Mail, begin: Callable[[], None]) -> Answer:
        message = Prebuilt(mail)
        if not self._repeats_safely:
            begin()
        try:
            count = self._connection.send_messages([message])
        except Exception as error:
            if self._repeats_safely:
                raise LineLostError(str(error)) from error
            return Answer("doubtful", 0, f"{type(error).__name__}: {error}"[:200])
        return Answer("sent") if count else Answer("later", 0, "the backend sent nothing")

    def close(self) -> None:
        self._connection.close()
