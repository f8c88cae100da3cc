"""What a letter and a list are, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ListCard:
    """A newsletter as readers see it. `sample`: the path of its latest issue, "" when there is none yet."""

    id: int
    name: str
    slug: str
    words: str
    audience: str
    language: str
    sample: str = ""
    sample_subject: str = ""

    @property
    def path(self) -> str:
        return f"/newsletters/{self.slug}/"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A story in an issue: its place is where it stands in the tuple."""

    story_id: int
    note: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class IssueCard:
    """An issue, whatever its state. Times are aware UTC."""

    id: int
    list_id: int
    list_name: str
    list_slug: str
    audience: str
    language: str
    from_name: str
    number: int
    subject: str
    preheader: str
    intro: str
    status: str
    stories: tuple[Chosen, ...]
    created_at: datetime
    send_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    recipients: int
    gathered: bool
    sent: int
    refused: int
    doubtful: int
    skipped: int
    trouble: str
    progress_at: datetime | None
    opens: int
    by_rule: bool = False

    @property
    def path(self) -> str:
        return f"/newsletters/{self.list_slug}/{self.number}/"

    @property
    def done(self) -> int:
        return self.sent + self.refused + self.doubtful + self.skipped


@dataclass(frozen=True, slots=True)
class PastIssue:
    """An issue in its list's archive."""

    number: int
    subject: str
    preheader: str
    at: datetime
    path: str


@dataclass(frozen=True, slots=True)
class MailPicture:
    """A picture mail programs can show: JPEG or PNG at an absolute address. Sizes in pixels."""

    src: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class LetterStory:
    """A story as a letter shows it. `body` is there for the entitled alone; `wall` says that there is more."""

    id: int
    headline: str
    standfirst: str
    kicker: str
    section: str
    byline: str
    credit: str
    note: str
    url: str
    language: str
    premium: bool
    lead_in: tuple[str, ...]  # paragraphs of plain words
    body: str  # HTML, "" where it is not theirs or not chosen
    wall: bool
    picture: MailPicture | None = None
    disclaimer: str = ""


@dataclass(frozen=True, slots=True)
class LetterWords:
    """Everything an issue says to one audience, before it is a mail or a page."""

    issue_id: int
    list_name: str
    list_slug: str
    list_words: str
    language: str
    subject: str
    preheader: str
    intro: tuple[str, ...]
    day: str
    paper: str
    public_url: str
    web_url: str
    stories: tuple[LetterStory, ...]
    wall: bool  # whether any of them is a teaser
    open_url: str = ""
