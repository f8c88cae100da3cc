"""Search: words in, cards of published stories out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from django.conf import settings
from markupsafe import Markup

from broadsheet.archive import rules
from broadsheet.archive.index import SearchIndex, analyze, highlight
from broadsheet.newsroom.queries import cards_by_id
from broadsheet.newsroom.values import Card


@dataclass(frozen=True, slots=True)
class Hit:
    """A story found; `headline` and `standfirst` are safe HTML with the matching words marked."""

    card: Card
    headline: Markup
    standfirst: Markup


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of results. `total` counts stories that are published now, up to rules.MOST_RESULTS."""

    hits: tuple[Hit, ...]
    total: int
    total_text: str
    page: int
    newer_path: str
    older_path: str


@lru_cache(maxsize=1)
def search_index() -> SearchIndex:
    """The installation's index."""
    return SearchIndex(settings.BROADSHEET.data / "search")


def search(query: str, page: int = 1) -> ResultPage:
    """Published stories that have every word of `query` among their public words, best first.

    Raises IndexUnavailableError. The newsroom is asked for every card and for the count: an index that still knows a
    withdrawn story can neither show it nor count it.
    """
    terms = rules.cut_query(query, analyze)
    ids = search_index().search(terms, rules.MOST_RESULTS)
    published = cards_by_id(ids)
    cards = [published[number] for number in ids if number in published]
    start = (page - 1) * rules.PAGE
    shown = cards[start : start + rules.PAGE]
    return ResultPage(
        hits=tuple(Hit(card, _marked(card.headline, terms), _marked(card.standfirst, terms)) for card in shown),
        total=len(cards),
        total_text=rules.count_words(len(cards)),
        page=page,
        newer_path=_path(query, page - 1) if page > 1 else "",
        older_path=_path(query, page + 1) if len(cards) > start + rules.PAGE else "",
    )


def _marked(text: str, terms: list[list[str]]) -> Markup:
    return Markup(highlight(text, terms))  # noqa: S704 - rules.mark escapes every piece


def _path(query: str, page: int) -> str:
    return "/search?" + urlencode({"q": query, "page": page} if page > 1 else {"q": query})
