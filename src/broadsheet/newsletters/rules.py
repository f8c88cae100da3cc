"""Pure rules of newsletters: who gets which words, when a rule's issue is due, what a bounce means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from broadsheet.access.rules import Body, Decision

PRODUCT = "newsletters"
LATE = timedelta(hours=6)  # an issue by rule whose hour passed longer ago waits for the next day
SOFT_BOUNCES = 5
SOFT_DAYS = timedelta(days=30)
RETRIES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8))
STALLED = timedelta(minutes=5)
LETTERS_A_DAY = 3
CONFIRM_DAYS = 7


class Share(StrEnum):
    """What of a story a letter may hold."""

    FULL = "full"
    TEASER = "teaser"
    NONE = "none"


_OPEN_TO_ALL = frozenset({"free", "emergency"})


def share(audience: str, story: Decision, benefit: Decision) -> Share:
    """What a reader gets of a story, from the two decisions that were made for this reader just now.

    The full text needs the story's own right and the product; only a list for everyone gives what is free to everyone.
    """
    if story.body is Body.NONE:
        return Share.NONE
    if story.body is not Body.FULL:
        return Share.TEASER
    if benefit.body is Body.FULL:
        return Share.FULL
    return Share.FULL if audience == "everyone" and story.reason in _OPEN_TO_ALL else Share.TEASER


def rule_day(weekdays: str, at: time, zone: ZoneInfo, now: datetime) -> date | None:
    """The day whose issue by rule is due now, None when none is."""
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), at, zone)
    if str(local.isoweekday()) not in weekdays or not due <= now < due + LATE:
        return None
    return local.date()


def next_slot(weekdays: str, at: time, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the next issue by rule is due; None for a list with no day."""
    local = now.astimezone(zone)
    for ahead in range(8):
        day = local.date() + timedelta(days=ahead)
        due = datetime.combine(day, at, zone)
        if str(day.isoweekday()) in weekdays and due > now:
            return due
    return None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A published story as a rule sees it."""

    id: int
    section: str
    priority: int
    language: str
    published_at: datetime


def pick(
    stories: Sequence[Candidate],
    *,
    sections: Sequence[str],
    priority: int,
    count: int,
    language: str,
    since: datetime,
    already: frozenset[int],
) -> list[int]:
    """The stories of an issue by rule: new since the last one, the most important first, then the newest."""
    wanted = [
        story
        for story in stories
        if story.published_at > since
        and story.id not in already
        and story.priority <= priority
        and (story.section in sections if sections else story.language == language)
    ]
    wanted.sort(key=lambda story: (story.priority, -story.published_at.timestamp(), story.id))
    return [story.id for story in wanted[:count]]


def next_try(attempts: int) -> timedelta | None:
    """How long to wait after the `attempts`-th temporary refusal; None when it was the last."""
    return RETRIES[attempts - 1] if attempts <= len(RETRIES) else None


_MAILBOX_GONE = ("5.1.", "5.2.1", "5.5.0", "5.7.13", "5.4.4")
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


def is_gone(code: int, words: str) -> bool:
    """Whether a refusal says that the mailbox does not exist; a refusal of our mail or server does not."""
    found = _ENHANCED.search(words)
    if found:
        return found.group(1).startswith(_MAILBOX_GONE)
    return code in (550, 551, 553)


def bounce_kind(status: str, action: str) -> str:
    """hard | soft | other, of a delivery status notification's Status (5.1.1) and Action."""
    if action.lower() not in ("failed", "delayed") or action.lower() == "delayed":
        return "other"
    if status.startswith("5"):
        return "hard" if status.startswith(_MAILBOX_GONE) else "soft"
    return "soft"


@dataclass(frozen=True, slots=True)
class Soft:
    """Soft bounces counted since `since`."""

    count: int
    since: datetime | None


def after_soft(before: Soft, now: datetime) -> tuple[Soft, bool]:
    """The count after one more soft bounce, and whether it is one too many. Old ones are forgotten."""
    if before.since is None or now - before.since > SOFT_DAYS:
        return Soft(1, now), False
    counted = Soft(before.count + 1, before.since)
    return counted, counted.count >= SOFT_BOUNCES


def may_ask(letters: Sequence[float], now: datetime) -> bool:
    """Whether one more letter that asks for a confirmation may go to an address; `letters` in Unix seconds."""
    return sum(1 for at in letters if at > now.timestamp() - 86_400) < LETTERS_A_DAY


def domain(email: str) -> str:
    return email.rpartition("@")[2].lower()


def normal_email(text: str) -> str:
    """As readers.actions keeps addresses."""
    return text.strip().lower()


_PLAIN = re.compile(r"[!-~]+")
_NOT_IN_IT = frozenset('"<>(),;:\\[]')
LONGEST_EMAIL = 254


def can_be_mailed(email: str) -> bool:
    """Whether an address has the plain form our mails are addressed in: ASCII, no quotes, no spaces."""
    plain = _PLAIN.fullmatch(email) is not None and not _NOT_IN_IT & set(email)
    return plain and len(email) <= LONGEST_EMAIL and len(email.partition("@")[0]) <= 64  # noqa: PLR2004 - RFC 5321


def masked(email: str) -> str:
    """`a…a@reader.example`: enough to know one's own address again, too little for who found a link."""
    name, _, host = email.rpartition("@")
    return f"{name[:1]}…{name[-1:] if len(name) > 1 else ''}@{host}"


def percent(issue: Mapping[str, int]) -> int:
    """How far a sending is, 0 to 100."""
    done = issue["sent"] + issue["refused"] + issue["doubtful"] + issue["skipped"]
    return 100 * done // issue["recipients"] if issue["recipients"] else 0


def failing(sent: int, refused: int) -> bool:
    """Whether so many were refused that something is wrong on our side and going on would do harm."""
    return refused >= 20 and refused > sent  # noqa: PLR2004 - a small list's dead addresses are no alarm
