"""A story file: YAML front matter between two lines of ---, then Markdown. Text in, newsroom Copy out; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nh3
import yaml
from markdown_it import MarkdownIt

from broadsheet.newsroom.actions import Copy

TAGS = {"p", "h2", "h3", "h4", "strong", "b", "em", "i", "a", "ul", "ol", "li", "blockquote", "hr", "br"}
_TEXTS = (
    "standfirst", "kicker", "slug", "dateline", "credit", "correction", "source_url", "language", "picture_alt",
    "picture_caption", "picture_credit",
)  # fmt: skip
_NUMBERS = ("priority", "lead_in_blocks")
_LISTS = ("bylines", "via", "instruments")
_KNOWN = {*_TEXTS, *_NUMBERS, *_LISTS, "headline", "tier", "section", "byline", "auto_published"}
# What static-site tools and other editors call the same fields.
_ALIASES = {
    "title": "headline", "description": "standfirst", "summary": "standfirst", "author": "byline", "authors": "byline",
    "lang": "language", "category": "section",
}  # fmt: skip
_markdown = MarkdownIt("commonmark", {"html": False})


class StoryFileError(ValueError):
    """The file cannot be read as a story; says what is wrong and where."""


def split(text: str) -> tuple[dict[str, Any], str]:
    """Front matter and Markdown. A file without front matter is refused: it has no headline."""
    lines = text.removeprefix("\ufeff").split("\n")
    if not lines or lines[0].strip() != "---":
        raise StoryFileError("the first line must be ---, then `headline: …`")
    place = next((place for place, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    if not place:
        raise StoryFileError("the front matter is not closed by a line of ---")
    try:
        matter = yaml.safe_load("\n".join(lines[1:place])) or {}
    except yaml.YAMLError as error:
        raise StoryFileError(f"the front matter is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(matter, dict):
        raise StoryFileError("the front matter must be `name: value` lines")
    return matter, "\n".join(lines[place + 1 :])


def to_html(markdown: str) -> str:
    """Markdown as sanitised HTML; raw HTML in it stays text."""
    return nh3.clean(_markdown.render(markdown), tags=TAGS, attributes={"a": {"href"}}, link_rel="noopener nofollow")


def read_story(
    text: str, *, tier: str | None = None, section: str | None = None, ignore: frozenset[str] = frozenset()
) -> Copy:
    """The story in a file; `tier` and `section` overrule it. `ignore` names fields that somebody else reads."""
    matter, markdown = split(text)
    for alias, field in _ALIASES.items():
        if alias in matter and field not in matter:
            matter[field] = matter.pop(alias)
    unknown = sorted(set(matter) - _KNOWN - ignore)
    if unknown:
        raise StoryFileError(f"there is no field {unknown[0]!r}; the fields are {', '.join(sorted(_KNOWN))}")
    headline = str(matter.get("headline") or "").strip()
    if not headline:
        raise StoryFileError("`headline` is missing")
    body = to_html(markdown)
    if not body.strip():
        raise StoryFileError("there is no text below the front matter")
    return Copy(
        headline=headline,
        body_html=body,
        section=section or str(matter.get("section") or ""),
        tier=tier or str(matter.get("tier") or "metered"),
        bylines=_names(matter, "bylines") or _names(matter, "byline"),
        via=_names(matter, "via"),
        instruments=_names(matter, "instruments"),
        auto_published=bool(matter.get("auto_published", False)),
        **{name: str(matter.get(name) or "").strip() for name in _TEXTS if name != "language"},
        language=str(matter.get("language") or "en"),
        **{name: matter[name] for name in _NUMBERS if _is_number(matter, name)},
    )


def _names(matter: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = matter.get(field) or ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise StoryFileError(f"`{field}` must be a name or a list of names")
    return tuple(str(name).strip() for name in names if str(name).strip())


def _is_number(matter: Mapping[str, Any], field: str) -> bool:
    value = matter.get(field)
    if value is None:
        return False
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 32_000:  # noqa: PLR2004
        raise StoryFileError(f"`{field}` must be a whole number")
    return True
