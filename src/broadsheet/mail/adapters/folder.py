"""One `.eml` file a letter: what a mail program opens, what the demo's mailbox lists, what a test reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from broadsheet import clock


class EmailBackend(BaseEmailBackend):
    """Writes to `EMAIL_FILE_PATH`. Names sort by time; a letter sent twice under one Message-ID stays one file."""

    def __init__(self, file_path: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._folder = Path(file_path or settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        # Letters hold codes and names: nobody else on the machine has to read them.
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for email in email_messages:
            self._write(email)
        return len(email_messages)

    def _write(self, email: EmailMessage) -> None:
        message = email.message()
        digest = hashlib.blake2b(str(message["Message-ID"]).encode(), digest_size=8).hexdigest()
        earlier = next(self._folder.glob(f"*-{digest}.eml"), None)
        name = earlier.name if earlier else f"{clock.now():%Y%m%dT%H%M%S.%fZ}-{digest}.eml"
        # Written aside and renamed: whoever lists the folder never sees half a letter.
        part = self._folder / f".{digest}.{os.getpid()}.part"
        part.write_bytes(message.as_bytes())
        part.rename(self._folder / name)
