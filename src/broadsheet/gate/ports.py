"""What the gate asks of the layers above it, as plain callables; server/wiring.py fills them with Django's answers.

Every one of them blocks and runs in a thread, off the event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Ports:
    """`print_story(id)`; `print_page(path) -> printed`; `issue_passport(session key) -> cookie value or None`;
    `reads(reader) -> (first read of a rolling window, story ids)`;
    `count_read(reader, window, story, limit) -> (may read, used)`.
    """

    print_story: Callable[[int], object]
    print_page: Callable[[str], bool]
    issue_passport: Callable[[str], str | None]
    reads: Callable[[int], tuple[datetime | None, frozenset[int]]]
    count_read: Callable[[int, str, int, int], tuple[bool, int]]
