"""Fronts, section fronts and feeds: printed pages that are the same for everyone, but for their advertising."""

from __future__ import annotations

from typing import Any

from broadsheet.gate.answers import PRIVATE, PUBLIC, Answer, Needs
from broadsheet.gate.asked import Asked, is_front
from broadsheet.gate.dress import not_modified
from broadsheet.gate.told import Told


def front(gate: Any, asked: Asked, told: Told) -> Answer | Needs | None:
    """What `gate`, an app.Gate, answers for a page that is no story; None for what is Django's."""
    if asked.method not in ("GET", "HEAD") or not asked.path.isascii():
        return None
    held, name = gate.shelf.page(asked.path), "page"
    if held is not None and gate.ads and asked.path.endswith(b"/"):
        now = gate.now()
        passport = gate.passport_of(asked, now, told)
        if not isinstance(passport, Needs):
            name = gate.variant(name, passport, now)
        elif not told.away:  # else nobody can say who asks: rather a page without than advertising for who paid
            return passport
    cache = PRIVATE if asked.personal else PUBLIC
    found = gate.page_of(held, name, asked.encoding, cache, "") if held else None
    if found is None:
        path = asked.path.decode("ascii")
        return Needs("page", (path,)) if path == "/" or is_front(path) else None
    answer = not_modified(Answer(*found), asked.if_none_match)
    if told.issued is not None and gate.ads:
        answer.add("Set-Cookie", gate.passport_cookie(told.issued))
    return answer
