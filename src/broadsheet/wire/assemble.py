"""From a reader's draft to the finished item: encoding, headline, cleaning, credit, sources, sanitised body."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from broadsheet.wire import markup, patterns
from broadsheet.wire.blocks import Block, paragraph, to_html, to_text
from broadsheet.wire.charset import repair_mojibake
from broadsheet.wire.cleaning import Cleaned, Notes, clean, normalise
from broadsheet.wire.drafts import Draft
from broadsheet.wire.headlines import Headline, derive_headline, read_headline
from broadsheet.wire.items import Dateline, Item, Removed, Takes, UnreadableError
from broadsheet.wire.sources import find_quotes, find_via

LARGEST_BODY: Final = 5 * 1024 * 1024
_LONGEST_AGENCY: Final = 40
_NEAR_DAYS: Final = 45
_LONGEST_BYLINE: Final = 120
_SHORT_CITY: Final = 3
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TITLE = re.compile(r"\b(?:correspondent|reporter|writer|editor|bureau|desk|staff|agency)\b", re.IGNORECASE)
_BY = re.compile(r"^(?:by|von|par|por)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands: file, position in it, format, and the source named by whoever hands it in."""

    file: str
    index: int
    format: str
    source: str | None = None


def assemble(draft: Draft, place: Place) -> Item:
    """The item. Raises UnreadableError for a body over the limit."""
    if draft.trouble is not None:
        raise draft.trouble
    warnings = list(draft.warnings)
    body = [_repaired(block, warnings) for block in draft.body]
    if sum(len(block.text) for block in body) > LARGEST_BODY:
        raise UnreadableError("too_large", f"a body of more than {LARGEST_BODY // 1024 // 1024} MB")
    raw_headline, mended = repair_mojibake(draft.headline)
    if mended:
        _once(warnings, "encoding: double encoding undone")
    cleaned = clean(_without_headline(body, raw_headline), agencies=_agencies(draft, place))
    notes, blocks = cleaned.notes, list(cleaned.blocks)
    headline = read_headline(_tidy(raw_headline, notes))
    if not headline.text and blocks:
        headline = replace(headline, text=derive_headline(next((b.text for b in blocks if b.kind != "table"), "")))
        warnings.append("headline_derived: made from the first sentence")
    warnings += notes.warnings + [f"hold: {reason}" for reason in notes.stops]
    if not draft.uri:
        warnings.append("uri: the file names none, made from the content")
    item: Item = _storable(_item(draft, place, headline, Cleaned(tuple(blocks), notes), tuple(dict.fromkeys(warnings))))
    return item


def _item(draft: Draft, place: Place, headline: Headline, cleaned: Cleaned, warnings: tuple[str, ...]) -> Item:
    blocks, notes, text = cleaned.blocks, cleaned.notes, to_text(cleaned.blocks)
    dateline = _dateline(draft, notes)
    credit = draft.credit or notes.credit or (dateline.agency if dateline else None) or draft.provider or place.source
    paragraphs = [block.text for block in blocks if block.kind != "table"]
    byline = _byline(draft.byline or notes.byline)
    removed = [Removed(rule, words) for rule, words in headline.removed] + notes.removed
    return Item(
        file=place.file,
        index=place.index,
        format=place.format,
        parser=draft.parser,
        uri=draft.uri or content_uri(headline.text, text),
        source=place.source or draft.feed or draft.provider,
        version=draft.version,
        version_label=draft.version_label or headline.label or _label(draft.slugline),
        pub_status=draft.pub_status,
        signals=tuple(dict.fromkeys([*draft.signals, *headline.signals])),
        embargoed=draft.embargoed or ("until_further_notice" if "embargo_notice" in notes.stops else None),
        urgency=draft.urgency,
        priority=draft.priority,
        first_created=draft.first_created,
        version_created=draft.version_created,
        language=draft.language,
        headline=headline.text,
        slugline=draft.slugline,
        byline=byline,
        authors=tuple(people(byline) or draft.authors),
        dateline=dateline,
        body_html=markup.sanitise(to_html(blocks)),
        body_text=text,
        ed_note="\n".join(dict.fromkeys([*draft.ed_note, *notes.ed_note])) or None,
        correction_note=draft.correction_note or notes.correction_note,
        subjects=tuple(draft.subjects),
        keywords=tuple(dict.fromkeys(draft.keywords)),
        places=tuple(dict.fromkeys(draft.places)),
        associations=tuple(draft.associations),
        copyright_holder=draft.copyright_holder,
        usage_terms=draft.usage_terms,
        credit=credit,
        disclaimer=notes.disclaimer,
        via=_via(notes, find_via(paragraphs, credit=credit)),
        quotes=find_quotes(paragraphs),
        takes=draft.takes or headline.takes or (Takes() if notes.more_to_come else None),
        removed=tuple(removed),
        warnings=warnings,
    )


def _storable(value: Any) -> Any:
    """The same value without characters that no database column takes, wherever a tolerant parser let them through."""
    if isinstance(value, str):
        return markup.NOT_TEXT.sub("", value) if markup.NOT_TEXT.search(value) else value
    if isinstance(value, tuple):
        return tuple(_storable(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _storable(getattr(value, f.name)) for f in fields(value)})
    return value


def _via(notes: Notes, named: tuple[str, ...]) -> tuple[str, ...]:
    second = notes.dateline.get("second")
    return tuple(dict.fromkeys([second, *named])) if second else named


def content_uri(headline: str, text: str) -> str:
    """An id for copy that has none: the same words give the same id, whatever page they were saved from."""
    words = " ".join(f"{text or headline}".split())
    return f"urn:broadsheet:wire:{hashlib.sha256(words.encode()).hexdigest()[:32]}"


def _repaired(block: Block, warnings: list[str]) -> Block:
    def mend(text: str) -> str:
        fixed, changed = repair_mojibake(text)
        if changed:
            _once(warnings, "encoding: double encoding undone")
        return fixed

    runs = tuple(replace(run, text=mend(run.text)) for run in block.runs)
    rows = tuple(tuple(mend(cell) for cell in row) for row in block.rows)
    return replace(block, runs=runs, rows=rows)


def _without_headline(body: list[Block], headline: str) -> list[Block]:
    """Many feeds repeat the headline as the body's first heading; the page prints it already."""
    if body and body[0].kind in {"h2", "h3", "h4"} and body[0].text.strip() == headline.strip() and len(body) > 1:
        return body[1:]
    return body


def _tidy(headline: str, notes: Notes) -> str:
    fresh = normalise([paragraph(headline)], notes) if headline.strip() else []
    return " ".join(block.text for block in fresh)


def _agencies(draft: Draft, place: Place) -> tuple[str, ...]:
    own = (draft.provider, draft.credit, draft.copyright_holder, place.source)
    return (*patterns.AGENCIES, *(name for name in own if name and 1 < len(name) <= _LONGEST_AGENCY))


def _dateline(draft: Draft, notes: Notes) -> Dateline | None:
    found = dict(notes.dateline)
    if draft.dateline:
        said = _match_dateline(draft.dateline, _agencies(draft, Place("", 0, "")))
        found = {**found, **said, "text": draft.dateline}
    if not found and not draft.located:
        return None
    city = found.get("city") or draft.located
    country = found.get("country") or draft.country
    if not found.get("text") and city:
        found["text"] = ", ".join(filter(None, (city, country)))
    return Dateline(
        text=found["text"],
        city=_titled(city),
        country=country,
        date=_day(found.get("date"), draft.version_created or draft.first_created),
        agency=found.get("agency"),
    )


def _match_dateline(text: str, agencies: tuple[str, ...]) -> dict[str, str]:
    # A dateline field may lack the dash that ends one inside the text.
    for candidate in (text, f"{text} - "):
        for rule in patterns.head_rules(agencies):
            if match := rule.pattern.match(candidate[:160]):
                return {key: value.strip() for key, value in match.groupdict().items() if value}
    return {}


def _titled(city: str | None) -> str | None:
    return city.title() if city and city.isupper() and len(city) > _SHORT_CITY else city


def _day(text: str | None, near: datetime | None) -> date | None:
    """A dateline's day. Without a year, the year that puts it within weeks of the version's own instant."""
    if not text:
        return None
    words = re.findall(r"[A-Za-z]+|\d+", text)
    months = [_MONTHS.index(w[:3].lower()) + 1 for w in words if w[:3].lower() in _MONTHS]
    numbers = [int(w) for w in words if w.isdigit()]
    if not months or not numbers:
        return None
    years = [numbers[1]] if len(numbers) > 1 else [near.year + d for d in (0, -1, 1)] if near else []
    for year in years:
        try:
            day = date(year, months[0], numbers[0])
        except ValueError:
            continue
        if len(numbers) > 1 or (near and abs((near.date() - day).days) <= _NEAR_DAYS):
            return day
    return None


def _byline(raw: str | None) -> str | None:
    return _BY.sub("", " ".join(raw.split())).strip(" ,") or None if raw else None


def people(byline: str | None) -> list[str]:
    """The names in a byline, without agencies and titles ("Mira Tolland, Port correspondent" is one person)."""
    if not byline or len(byline) > _LONGEST_BYLINE:
        return []
    parts = (name.strip() for name in re.split(r",|;| and | und | et | & ", byline))
    return [part for part in parts if part and part not in patterns.AGENCIES and not _TITLE.search(part)]


def _label(slugline: str | None) -> str | None:
    match = patterns.LABEL.search(slugline or "")
    return match["label"] if match else None


def _once(warnings: list[str], text: str) -> None:
    if text not in warnings:
        warnings.append(text)
