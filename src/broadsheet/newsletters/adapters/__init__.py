"""Roads a mail may take: an SMTP server, or any of Django's mail backends (a provider's API, a folder)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished mail: CRLF line ends, the last line ended, no line begins with a full stop."""

    sender: str
    to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. `kind`: sent | refused (this mail or address, for good) | later | doubtful (it was
    handed over and no answer came: it may have arrived)."""

    kind: str
    code: int = 0
    words: str = ""


class LineLostError(Exception):
    """The road broke before the mail was handed over: it certainly did not arrive."""


class NotUsError(Exception):
    """The other side does not take mail from us (a password, a sender): every mail would fare like this one."""


class Line(Protocol):
    """One connection, for one thread. `begin` is called right before a mail can arrive."""

    def hand_over(self, mail: Mail, begin: Callable[[], None]) -> Answer: ...

    def close(self) -> None: ...
