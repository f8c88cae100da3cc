"""A letter, and the one way to send it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.mail import EmailMultiAlternatives
from django.core.mail.utils import DNS_NAME


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one reader. `text` is always there, `html` is its better-looking twin.

    `key` names the letter where a job may run twice (`receipt:BS/26-27/000001`): equal keys give equal Message-IDs,
    so that a mailbox shows the second copy as the first.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    key: str = ""


def send(letter: Letter) -> None:
    """Hand the letter to the configured transport. Raises what the transport raises: the job then tries again."""
    if "\n" in letter.subject or "\r" in letter.subject:
        raise ValueError("A subject is one line.")
    headers = {"Auto-Submitted": "auto-generated"}
    if letter.key:
        digest = hashlib.blake2b(f"{letter.to}|{letter.key}".encode(), digest_size=16).hexdigest()
        headers["Message-ID"] = f"<{digest}@{DNS_NAME}>"
    message = EmailMultiAlternatives(letter.subject, letter.text, to=[letter.to], headers=headers)
    if letter.html is not None:
        message.attach_alternative(letter.html, "text/html")
    message.send()
