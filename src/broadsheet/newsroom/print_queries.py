"""What the private printed edition reads of the newsroom: whole stories, many at once, and their pictures' files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from wagtail.rich_text import expand_db_html

from broadsheet.newsroom.models import Article
from broadsheet.newsroom.queries import _card, _for_cards, _live, _public
from broadsheet.newsroom.values import Card, FullStory

MOST_BYTES = 40_000_000


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture as it was uploaded; `suffix` is the file's, lower case, with its dot."""

    suffix: str
    content: bytes


def full_stories(ids: Iterable[int]) -> dict[int, FullStory]:
    """As queries.full_story, of many and without Also Read: for the pages of an edition and nothing else."""
    rows = _live().filter(pk__in=list(ids), published_at__isnull=False)
    return {article.pk: FullStory(_public(article, ()), expand_db_html(article.body)) for article in rows}


def cards_between(start: datetime, end: datetime, limit: int = 300) -> Sequence[Card]:
    """Published stories whose day lies in [start, end), newest first."""
    rows = _for_cards().filter(published_at__gte=start, published_at__lt=end)
    return [_card(article) for article in rows.order_by("-published_at", "-id")[:limit]]


def picture_files(ids: Iterable[int]) -> dict[int, PictureFile]:
    """The pictures of those among `ids` that have one whose file can be read."""
    found = {}
    for article in Article.objects.filter(pk__in=list(ids), picture__isnull=False).select_related("picture"):
        image = article.picture
        try:
            with image.file.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except OSError:
            continue
        if len(content) <= MOST_BYTES:
            name = str(image.file.name)
            found[article.pk] = PictureFile(name[name.rfind(".") :].lower() if "." in name else "", content)
    return found
