"""What the wire decides, as pure functions: may this be published unseen, is it newer, which section.

The gate answers with every reason to hold, so an editor sees all of them at once; none means it may go out.
"""

# ruff: noqa: E501 - word lists

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from broadsheet.wire import patterns
from broadsheet.wire.blocks import word_count
from broadsheet.wire.charset import mojibake_score
from broadsheet.wire.items import UNTIL_FURTHER_NOTICE, Item, as_json

FEWEST_WORDS: Final = 40
HEADLINE_LENGTH: Final = (10, 200)
MOST_REMOVED: Final = 0.35
_WALL_RULES: Final = frozenset({"P01", "P02", "P03", "P04", "P06", "P07"})
_HELD_WARNINGS: Final = {
    "charset_guessed: cp1252, and": "encoding",
    "repaired:": "repaired",
    "pub_status: unknown": "withheld",
}

Standing = Literal["new", "duplicate", "update", "silent_change", "superseded"]


def hold_reasons(item: Item, *, now: datetime, languages: Sequence[str] = ()) -> tuple[str, ...]:
    """Why a person must look before this is published; empty when it may go out by rule.

    `languages` are the paper's own; an item that says it is in another is held. Empty: any language goes.
    """
    reasons = [*_status_reasons(item, now), *_text_reasons(item), *_cleaning_reasons(item)]
    language = primary_language(item.language)
    if languages and language and language not in languages:
        reasons.append("language")
    # An item without text is first of all that; the published contract names this reason.
    return tuple(dict.fromkeys(sorted(reasons, key=lambda reason: reason != "no_text")))


def primary_language(tag: str | None) -> str | None:
    """ "pt" of "pt-BR"; None when the tag is no language tag."""
    match = re.match(r"^([A-Za-z]{2,3})(?:[-_]|$)", tag or "")
    return match[1].lower() if match else None


def _status_reasons(item: Item, now: datetime) -> list[str]:
    reasons: list[str] = []
    if item.pub_status != "usable":
        reasons.append(item.pub_status)
    if "kill" in item.signals:
        reasons.append("kill_notice")
    if is_embargoed(item, now=now):
        reasons.append("embargoed")
    return reasons


def is_embargoed(item: Item, *, now: datetime) -> bool:
    """True while the agency forbids publication; an embargo without an end holds until a person lifts it."""
    return item.embargoed is not None and (item.embargoed == UNTIL_FURTHER_NOTICE or item.embargoed > now)


def _text_reasons(item: Item) -> list[str]:
    reasons = []
    words = word_count(item.body_text)
    if not words:
        reasons.append("no_text")
    elif words < FEWEST_WORDS:
        reasons.append("too_short")
    if not HEADLINE_LENGTH[0] <= len(item.headline) <= HEADLINE_LENGTH[1]:
        reasons.append("headline_length")
    shown = [item.headline, item.body_text, item.byline or "", item.credit or "", item.correction_note or ""]
    # Judged on what would be printed: a placeholder in a sales tail that cleaning removed holds nothing.
    if any(patterns.PLACEHOLDER.search(text) for text in shown):
        reasons.append("placeholder")
    if mojibake_score(item.headline + item.body_text):
        reasons.append("encoding")
    return reasons


def _cleaning_reasons(item: Item) -> list[str]:
    reasons = [warning.removeprefix("hold: ") for warning in item.warnings if warning.startswith("hold: ")]
    for mark, reason in _HELD_WARNINGS.items():
        if any(warning.startswith(mark) for warning in item.warnings):
            reasons.append(reason)
    if _is_teaser(item):
        reasons.append("teaser")
    if removed_share(item) > MOST_REMOVED:
        reasons.append("cleaned_too_much")
    if item.takes is not None and item.takes.of is None and item.takes.n is None:
        reasons.append("more_to_come")
    return reasons


def _is_teaser(item: Item) -> bool:
    """A feed's summary that breaks off. One that does not may be the whole text: many feeds have no other place."""
    summary = any(warning.startswith("teaser:") for warning in item.warnings)
    return summary and item.body_text.rstrip(" )]").endswith(("...", "…"))


def removed_share(item: Item) -> float:
    """The share of the copy's words that cleaning took out, 0 to 1.

    A recognised sales tail (P rules) is no copy and does not count, or every short story saved with its wall
    would be held although nothing is wrong with it. What the other rules take does count.
    """
    removed = sum(word_count(hit.text) for hit in item.removed if hit.rule not in _WALL_RULES)
    total = removed + word_count(item.body_text)
    return removed / total if total else 0.0


def content_digest(item: Item) -> str:
    """A fingerprint of what a reader or editor would see; where the file lay and how it was read do not matter."""
    fields = as_json(item)
    for name in ("file", "index", "format", "parser", "removed", "warnings", "quotes", "via"):
        fields.pop(name)
    return hashlib.sha256(json.dumps(fields, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What orders two versions of one item."""

    version: int | None
    created: datetime | None
    digest: str


def standing(incoming: Stamp, current: Stamp | None) -> Standing:
    """How an incoming version stands to the newest known one.

    Version numbers decide; without them the version's own instant; without both the later arrival, flagged.
    """
    if current is None:
        return "new"
    if incoming.digest == current.digest:
        return "duplicate"
    if incoming.version is not None and current.version is not None and incoming.version != current.version:
        return "update" if incoming.version > current.version else "superseded"
    if incoming.created and current.created and incoming.created != current.created and incoming.version is None:
        return "update" if incoming.created > current.created else "superseded"
    return "silent_change"


Act = Literal["nothing", "draft", "publish", "update", "update_and_publish", "withdraw"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about an item when a version of it arrives."""

    standing: Standing
    reasons: tuple[str, ...] = ()
    canceled: bool = False
    kill: bool = False
    withheld: bool = False
    publish: bool = False
    has_story: bool = False
    live: bool = False
    touched: bool = False
    was_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with it, and what to say about it."""

    status: str
    act: Act = "nothing"
    reasons: tuple[str, ...] = ()


# Copy with one of these is not filed as a draft: an editor's hasty click must not publish it.
_NO_DRAFT: Final = frozenset(
    {"no_text", "withheld", "canceled", "kill_notice", "embargoed", "embargo_notice", "internal_text"}
)


def plan(at: Situation) -> Plan:
    """What happens to a version. A cancellation wins over everything; an editor's work over every later version."""
    if at.standing in {"duplicate", "superseded"}:
        return Plan(at.standing)
    if at.canceled or (at.kill and at.has_story):
        return Plan(
            "withdrawn", "withdraw" if at.has_story else "nothing", ("canceled" if at.canceled else "kill_notice",)
        )
    if at.withheld and at.live:
        return Plan("withdrawn", "withdraw", ("withheld",))
    if at.was_withdrawn:
        return Plan("held", reasons=(*at.reasons, "revived"))
    if at.has_story:
        return _plan_update(at)
    if at.reasons:
        return Plan("held", "nothing" if _NO_DRAFT & set(at.reasons) else "draft", at.reasons)
    return Plan("published", "publish") if at.publish else Plan("held", "draft", ("awaiting_editor",))


def _plan_update(at: Situation) -> Plan:
    noted = ("silent_change",) if at.standing == "silent_change" else ()
    if at.touched:
        return Plan("held", reasons=(*at.reasons, *noted, "edited_by_hand"))
    if at.reasons:
        return Plan("held", reasons=(*at.reasons, *noted))
    if at.live:
        return Plan("updated", "update", noted)
    if at.publish:
        return Plan("published", "update_and_publish", noted)
    return Plan("updated", "update", (*noted, "awaiting_editor"))


# What not even an editor publishes as it stands.
NOT_BY_HAND: Final = frozenset({"canceled", "withheld", "embargoed", "no_text", "placeholder", "kill_notice"})


def refusal(item: Item, *, now: datetime) -> str | None:
    """Why not even a person may publish this version as it stands; None when they may."""
    if not item.headline:
        return "headline_length"
    return next((reason for reason in hold_reasons(item, now=now) if reason in NOT_BY_HAND), None)


def identity_source(item: Item, *, named: str | None) -> str:
    """The source half of an item's identity.

    What the file says about its sender is not steady (a cancelling message often leaves the copyright line out),
    so only a name given from outside counts, or a feed's title where ids are unique within the feed alone.
    """
    if named:
        return named
    return (item.source or "") if item.format == "rss_atom" else ""


# IPTC Media Topics top terms and old subject codes (first two digits) -> what sections tend to be called.
_BY_CODE: Final = {
    "01": ("culture", "arts", "entertainment"), "02": ("nation", "india", "news"), "03": ("nation", "india", "news"),
    "04": ("business", "economy", "markets"), "05": ("education", "nation"), "06": ("environment", "science"),
    "07": ("health", "science"), "08": ("life", "culture"), "09": ("business", "economy"), "10": ("life", "culture"),
    "11": ("politics", "nation"), "12": ("culture", "life"), "13": ("science", "technology"), "14": ("nation", "life"),
    "15": ("sport", "sports"), "16": ("world", "international"), "17": ("weather", "environment", "nation"),
}  # fmt: skip
_BY_WORD: Final = {
    "world": "russia russian ukraine ukrainian china chinese us u.s. usa america american britain british uk france french germany"
    " german japan korea korean iran iraq israel gaza palestinian syria pakistan bangladesh nepal lanka afghanistan europe eu nato un kremlin"
    " beijing moscow washington london tokyo international world foreign africa brazil mexico canada australia",
    "business": "shares stocks market markets economy economic bank banks inflation rupee trade exports tariff profit sensex nifty"
    " rbi gdp bonds toll tariffs fares business finance company companies budget tax gst",
    "sport": "cricket football hockey tennis olympics league cup match wins wicket sport sports athletics final tournament goal",
    "politics": "election elections parliament minister cabinet party vote polls bjp congress politics assembly",
    "technology": "technology tech software ai internet chip chips startup app cyber smartphone",
    "science": "science scientists space isro nasa study research researchers",
    "culture": "film films music book books art theatre festival culture entertainment arts",
    "health": "health hospital vaccine disease virus doctors",
}
_ALIASES: Final = {"world": ("international", "foreign"), "sport": ("sports",), "business": ("economy", "markets", "companies"),
                   "politics": ("nation", "india"), "technology": ("tech", "science"), "culture": ("arts", "life")}  # fmt: skip


def guess_section(item: Item, sections: Sequence[str]) -> str | None:
    """One of `sections` (slugs), or None. Reads codes, keywords and the headline, never the text behind a wall."""
    known = {slug.lower(): slug for slug in sections}
    wanted = [keyword.strip().lower() for keyword in item.keywords]
    wanted += [name for subject in item.subjects for name in _BY_CODE.get(_code(subject.qcode), ())]
    words = set(item.headline.lower().replace("’s", "").replace(",", " ").split())
    scores = {name: len(words & set(vocabulary.split())) for name, vocabulary in _BY_WORD.items()}
    best = [name for name, score in sorted(scores.items(), key=lambda pair: -pair[1]) if score]
    for name in [*wanted, *best]:
        for candidate in (name, *_ALIASES.get(name, ())):
            if candidate in known:
                return known[candidate]
    return None


def _code(qcode: str | None) -> str:
    alias, _, value = (qcode or "").partition(":")
    return value[:2] if alias in {"medtop", "subj"} and value.endswith("000000") else ""
