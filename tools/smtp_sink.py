"""A real SMTP server (aiosmtpd) that takes every mail and writes one line for it: recipient, Message-ID. As a mail
server's log, the line is written before the answer.

`python tools/smtp_sink.py PORT LOG [MAILS_FOLDER]`; with a folder the mails themselves are kept too.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
REFUSED = "refused."  # addresses that begin so do not exist
BUSY = "busy."


class Sink:
    """aiosmtpd's handler."""

    def __init__(self, log: Path, folder: Path | None) -> None:
        self._log = log.open("ab", buffering=0)
        self._folder = folder
        self._count = 0

    async def handle_RCPT(  # noqa: N802 - the handler's names are aiosmtpd's
        self,
        server: Any,
        session: Any,
        envelope: Any,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        if address.startswith(REFUSED):
            return "550 5.1.1 no such mailbox"
        if address.startswith(BUSY):
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        found = _MESSAGE_ID.search(envelope.content)
        name = found.group(1) if found else b"none"
        if self._folder is not None:
            self._count += 1
            head = f"{envelope.mail_from}\n{envelope.rcpt_tos[0]}\n".encode()
            (self._folder / f"{self._count}.mail").write_bytes(head + envelope.content)
        self._log.write(envelope.rcpt_tos[0].encode() + b" " + name + b"\n")
        return "250 2.0.0 taken"


async def serve(port: int, log: Path, folder: Path | None) -> None:
    sink = Sink(log, folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(sink, hostname="sink.example", loop=loop, data_size_limit=10**8), "127.0.0.1", port
    )
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(serve(int(given[0]), Path(given[1]), Path(given[2]) if given[2:] else None))
