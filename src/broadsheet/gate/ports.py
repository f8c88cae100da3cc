"""What the gate asks of the layers above it, as plain callables; server/wiring.py fills them with Django's answers.

Every one of them blocks and runs in a thread, off the event loop. They take and return JSON values alone, so that they
may be asked over a socket: instants are Unix seconds, reads are packed (access/meter.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ports:
    """Each may be asked twice for the same thing.

    `print_story(id) -> printed`; `print_page(path) -> printed`;
    `issue_passport(session key) -> cookie value or None`;
    `reads(reader) -> [first read of a rolling window or None, [read, …]]`;
    `count_read(reader, window, read, limit, section limit or None) -> [verdict, [read, …]]`, as access.book.Taken;
    `take_seat(institution, holder) -> until`, 0 when none is free;
    `open_gift(token) -> {"gift", "story", "until"} or None`, using nothing up;
    `use_gift(gift, story, device) -> until`, 0 when it is refused.
    """

    print_story: Callable[[int], bool]
    print_page: Callable[[str], bool]
    issue_passport: Callable[[str], str | None]
    reads: Callable[[int], tuple[int | None, list[int]]]
    count_read: Callable[[int, str, int, int, int | None], tuple[str, list[int]]]
    take_seat: Callable[[int, str], int]
    open_gift: Callable[[str], dict[str, int] | None]
    use_gift: Callable[[int, int, str], int]
