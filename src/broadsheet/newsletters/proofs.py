"""An issue before it goes out, as each audience would get it: for the preview and for the editor's own mailbox."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from broadsheet.access.products import CODES
from broadsheet.access.rules import Principal, Request, Right, Surface
from broadsheet.newsletters.adapters import LineLostError, NotUsError
from broadsheet.newsletters.dkim import DkimError
from broadsheet.newsletters.letter import Letter
from broadsheet.newsletters.post import Post, open_line
from broadsheet.newsletters.skeleton import SLOT
from broadsheet.newsletters.values import IssueCard
from broadsheet.newsletters.words import VISITOR, cut, facts

_DARK = re.compile(r"@media \(prefers-color-scheme: ?dark\)")


class Look(NamedTuple):
    """A frame of the preview."""

    title: str
    query: str
    css: str


LOOKS = (
    Look("Desktop, light", "", "wide"),
    Look("Desktop, dark", "look=dark", "wide dark"),
    Look("Phone, light", "", "phone"),
    Look("Phone, dark", "look=dark", "phone dark"),
    Look("Plain text", "part=text", "wide"),
)


def _request(as_whom: str, now: datetime) -> Request:
    """A made-up reader: nobody (`free`), or one who holds everything there is."""
    if as_whom != "subscriber":
        return VISITOR
    rights = tuple(Right(code, now - timedelta(days=1), None) for code in CODES)
    return Request(Principal.REGISTERED, rights, real_read=False, surface=Surface.OTHER)


def proof(issue: IssueCard, as_whom: str, now: datetime) -> Letter:
    """The letter, its links leading straight to the stories."""
    known = facts(issue.stories)
    letter = Post(issue, counted=False).letter(known, cut(issue.audience, known, _request(as_whom, now), now), now)
    return replace(letter, html=SLOT.sub(_shown, letter.html), text=SLOT.sub(_shown, letter.text))


def _shown(found: re.Match[str]) -> str:
    """In place of what is each recipient's own."""
    return "the recipient" if found.group(1) == "address" else "#"


def in_light(html: str, *, dark: bool) -> str:
    """The letter as a mail program in the dark, or in the light, shows it, whatever this browser's own setting is."""
    return _DARK.sub("@media all" if dark else "@media not all", html)


def send_to(issue: IssueCard, email: str, as_whom: str, now: datetime) -> str:
    """Send a test. Returns why it could not be sent, "" when it was. Its links to leave belong to nobody."""
    try:
        post = Post(issue, counted=False, subject_before="[Test] ")
        known = facts(issue.stories)
        given = cut(issue.audience, known, _request(as_whom, now), now)
        mail = post.mail(post.skeleton(known, given, now), 0, email, now)
        line = open_line()
        try:
            answer = line.hand_over(mail, lambda: None)
        finally:
            line.close()
    except (LineLostError, NotUsError, DkimError) as error:
        return str(error)
    return "" if answer.kind == "sent" else answer.words or answer.kind
