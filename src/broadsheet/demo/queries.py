"""Reads the demo's own files, which lie in this package, and the letters the paper has written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from django.conf import settings

from broadsheet.demo import rules
from broadsheet.desk.stories import StoryFileError, read_story, split, to_html
from broadsheet.newsroom.actions import Copy
from broadsheet.website.actions import Standing

_PACKAGE: Final = Path(__file__).parent
_OWN_FIELDS: Final = frozenset({"age", "picture"})


@dataclass(frozen=True, slots=True)
class DemoStory:
    """A story of the demo: `picture` is a file name in `pictures/` or empty; it was published `age` ago."""

    file: str
    copy: Copy
    age: timedelta
    picture: str


@dataclass(frozen=True, slots=True)
class MailboxLetter:
    """A letter as the mailbox shows it. `at` is when it was written, None when that is not known."""

    to: str
    subject: str
    at: datetime | None
    text: str


def stories() -> Sequence[DemoStory]:
    """All stories of the demo, the oldest first. StoryFileError names the file that is wrong."""
    found = [_story(path) for path in sorted((_PACKAGE / "stories").glob("*.md"))]
    return sorted(found, key=lambda story: -story.age)


def _story(path: Path) -> DemoStory:
    text = path.read_text("utf-8")
    try:
        matter, _ = split(text)
        copy = read_story(text, section=rules.section_slug(matter.get("section", "")), ignore=_OWN_FIELDS)
        copy = replace(copy, slug="" if copy.language == "en" else path.stem)
        return DemoStory(path.name, copy, rules.age(str(matter.get("age", ""))), matter.get("picture", ""))
    except (StoryFileError, ValueError) as error:
        raise StoryFileError(f"{path.name}: {error}") from None
    except KeyError as error:
        raise StoryFileError(f"{path.name}: there is no section {error}") from None


def picture_path(name: str) -> Path:
    """Where a picture of the demo lies."""
    return _PACKAGE / "pictures" / name


def standing_pages() -> Sequence[Standing]:
    """About, Contact, Terms and Privacy of the demo paper."""
    pages = []
    for path in sorted((_PACKAGE / "pages").glob("*.md")):
        matter, markdown = split(path.read_text("utf-8"))
        pages.append(Standing(title=matter["title"], slug=path.stem, body_html=to_html(markdown)))
    return pages


def wire_file(name: str) -> str:
    """The text of an agency file, its marks not yet written out."""
    return (_PACKAGE / "wire" / name).read_text("utf-8")


def letters(limit: int = 50) -> Sequence[MailboxLetter] | None:
    """What the paper wrote lately, newest first; None when its letters leave by a mail server."""
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    if folder is None:
        return None
    # The names begin with the instant of writing.
    return [_letter(path) for path in sorted(Path(folder).glob("*.eml"), reverse=True)[:limit]]


def _letter(path: Path) -> MailboxLetter:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("plain",))
    text = part.get_content() if part else ""
    return MailboxLetter(str(message["To"] or ""), str(message["Subject"] or ""), _written(path), text.strip())


def _written(path: Path) -> datetime | None:
    """From the name: a letter's own date is the machine's, and the demo's clock may stand elsewhere."""
    try:
        return datetime.strptime(path.name.partition("-")[0], "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
