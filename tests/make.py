"""Plain functions that make what a test needs. Each takes what the test is about and fills in the rest."""

from __future__ import annotations

from datetime import UTC, datetime

from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom.actions import Copy
from broadsheet.readers.models import Reader

NOW = datetime(2027, 1, 10, 6, 30, tzinfo=UTC)
WORDS = [
    "harbour",
    "toll",
    "lorry",
    "night",
    "ferry",
    "board",
    "council",
    "river",
    "bridge",
    "trade",
    "clerk",
    "ledger",
    "grain",
    "mill",
    "rail",
    "signal",
]


def paragraph(number: int, words: int = 50) -> str:
    """A paragraph unlike any other: its words carry its number."""
    return " ".join(f"{WORDS[i % len(WORDS)]}{number}x{i}" for i in range(words))


def body(paragraphs: int = 5, words: int = 50) -> str:
    return "".join(f"<p>{paragraph(number, words)}</p>" for number in range(1, paragraphs + 1))


def copy(**fields) -> Copy:
    newsroom.ensure_section(name="National", slug="national")
    return Copy(**{"headline": "Board raises the night toll", "body_html": body(), "section": "national", **fields})


def story(*, now: datetime = NOW, publish: bool = True, at: datetime | None = None, **fields) -> int:
    """A published story's id."""
    return newsroom.file_story(copy=copy(**fields), now=now, publish=publish, at=at)


def reader(email: str = "asha@reader.example", **fields) -> Reader:
    return Reader.objects.create(email=email, **{"created_at": NOW, "verified_at": NOW, **fields})
