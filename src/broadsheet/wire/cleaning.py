"""Cleaning agency copy: rules on blocks in three zones, every hit recorded, nothing silently lost.

Pure. The passes run until nothing changes, so cleaning twice is cleaning once. A block longer than
`LONGEST_BLOCK` is copy and stays; only a credit or dateline at its edge may be cut off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from broadsheet.wire import patterns
from broadsheet.wire.blocks import Block, Run, make_block
from broadsheet.wire.items import Removed
from broadsheet.wire.patterns import LONGEST_BLOCK, Rule

_PASSES = 50
_FUSE_REACH = 6
_HEAD = 2
_MOST_TITLES = 3
# ZWNJ and ZWJ (U+200C, U+200D) stay: Devanagari and Persian need them.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\u202d\u202e\x00-\x08\x0b-\x1f\x7f]")
_ESCAPED = re.compile(r"&(amp|lt|gt|quot|apos|nbsp|#\d{2,5});")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
_GLUED = re.compile(r"(?<=[.!?”\"’'\])])\s*(?=Disclaimer:)")
_OPEN, _CLOSE = re.compile(r"``"), re.compile(r"''")


@dataclass(slots=True)
class Notes:
    """What the rules learnt from what they removed, and why a person must look (`stops`)."""

    removed: list[Removed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    credit: str | None = None
    initials: str | None = None
    contributors: list[str] = field(default_factory=list)
    disclaimer: str | None = None
    byline: str | None = None
    dateline: dict[str, str] = field(default_factory=dict)
    first_published: str | None = None
    ed_note: list[str] = field(default_factory=list)
    correction_note: str | None = None
    more_to_come: bool = False

    def take(self, rule: str, text: str) -> None:
        self.removed.append(Removed(rule, text))

    def stop(self, reason: str) -> None:
        if reason not in self.stops:
            self.stops.append(reason)

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Clean blocks and the notes taken on the way."""

    blocks: tuple[Block, ...]
    notes: Notes


def clean(
    blocks: list[Block], *, agencies: tuple[str, ...] = patterns.AGENCIES, gazetteer: frozenset[str] = frozenset()
) -> Cleaned:
    """Blocks without agency residue. `agencies` are the names a sign-off may carry, `gazetteer` known cities (L07)."""
    sheet = _Sheet(normalise(blocks, notes := Notes()), notes, agencies, gazetteer)
    for _ in range(_PASSES):
        before = len(notes.removed)
        sheet.fuse()
        sheet.internal()
        sheet.anywhere()
        sheet.tail()
        sheet.head()
        if len(notes.removed) == before:
            break
    sheet.tweets()
    return Cleaned(tuple(sheet.blocks), notes)


def normalise(blocks: list[Block], notes: Notes) -> list[Block]:
    """W01-W04: characters put right before any rule looks. Replacements are warnings, losses are recorded."""
    out: list[Block] = []
    for block in blocks:
        if block.kind == "table":
            out.append(Block("table", rows=tuple(tuple(_text(cell, notes) for cell in row) for row in block.rows)))
            continue
        fresh = make_block(block.kind, (Run(_text(r.text, notes), r.marks, r.href) for r in block.runs))
        match = _GLUED.search(fresh.text)
        parts = [fresh]
        if match and fresh.text[: match.start()].strip():
            notes.warn("W01: a disclaimer stuck to the last sentence was split off")
            parts = [fresh.cut(0, match.start()), fresh.cut(match.end())]
        out.extend(part for part in parts if part.text.strip())
    return out


def _text(text: str, notes: Notes) -> str:
    if _INVISIBLE.search(text):
        # Named, not quoted: nobody sees them, and no database takes a NUL.
        notes.take("W02", " ".join(f"U+{ord(character):04X}" for character in _INVISIBLE.findall(text)))
        text = _INVISIBLE.sub("", text)
    while _ESCAPED.search(text):
        notes.warn("W04: escaped twice, unescaped")
        text = _ESCAPED.sub(lambda m: _NAMED.get(m[1]) or _numeric(m[1]), text)
    if _OPEN.search(text) and _CLOSE.search(text):
        notes.warn("W03: typewriter quotes made curly")
        text = _CLOSE.sub("”", _OPEN.sub("“", text))
    return text


def _numeric(reference: str) -> str:
    number = int(reference[1:])
    surrogate = number in range(0xD800, 0xE000)
    return chr(number) if number >= ord(" ") and not surrogate else ""


class _Sheet:
    """The copy under the pencil."""

    def __init__(self, blocks: list[Block], notes: Notes, agencies: tuple[str, ...], gazetteer: frozenset[str]) -> None:
        self.blocks = blocks
        self.notes = notes
        self.tail_rules = patterns.tail_rules(agencies)
        self.edge_rules = patterns.end_of_sentence_rules(agencies)
        self.head_rules = patterns.head_rules(agencies)
        self.gazetteer = gazetteer

    def drop(self, position: int, rule: str) -> str:
        text = self.blocks.pop(position).text
        self.notes.take(rule, text)
        return text

    def drop_from(self, position: int, rule: str, kept_reason: str) -> None:
        """Cut to the end; a long block is copy and stays, and a person must look why it stands there."""
        at = position
        while at < len(self.blocks):
            if len(self.blocks[at].text) <= LONGEST_BLOCK:
                self.drop(at, rule)
            else:
                self.notes.stop(kept_reason)
                at += 1

    # --- P: a paywall saved with the page
    def fuse(self) -> None:
        chain: list[tuple[int, str]] = []
        for at, block in enumerate(self.blocks):
            rule = _fuse_rule(block.text)
            if rule == "P01":
                self.drop_from(at if not _is_wall(chain, at) else chain[0][0], rule, "text_after_wall")
                return
            if rule is None:
                continue
            if chain and at - chain[-1][0] > _FUSE_REACH:
                if _is_wall(chain, chain[-1][0]):
                    break
                chain = []
            chain.append((at, rule))
        if _is_wall(chain, chain[-1][0] if chain else 0):
            self.drop_from(chain[0][0], chain[0][1], "text_after_wall")

    # --- E03, E04: what follows is for newsrooms only
    def internal(self) -> None:
        for at, block in enumerate(self.blocks):
            text = block.text
            if len(text) <= LONGEST_BLOCK and (
                (patterns.E03.match(text) and patterns.E03_START.match(text)) or patterns.E04.match(text)
            ):
                rule = "E04" if patterns.E04.match(text) else "E03"
                self.notes.stop("internal_text")
                self.drop_from(at, rule, "internal_text")
                return

    # --- D, A, E01, T02: whole blocks anywhere
    def anywhere(self) -> None:
        at = 0
        while at < len(self.blocks):
            block = self.blocks[at]
            rule = None if len(block.text) > LONGEST_BLOCK else self._anywhere_rule(block)
            if rule is None:
                if len(block.text) > LONGEST_BLOCK and patterns.D_RULES[0].pattern.match(block.text):
                    self.notes.stop("long_disclaimer")
                at += 1
                continue
            alone = patterns.A01_ALONE.match(self.drop(at, rule))
            if rule in {"A01", "A02"}:
                self._drop_links(at, rule)
            if alone:
                self._drop_titles(at)

    def _drop_links(self, at: int, rule: str) -> None:
        alone = True
        while at < len(self.blocks) and len(self.blocks[at].text) <= LONGEST_BLOCK:
            block = self.blocks[at]
            listed = block.kind in {"ul", "ol"} and rule == "A02"
            if not (listed or (block.only_link and (alone or rule == "A02"))):
                return
            self.drop(at, rule)
            alone = False

    def _drop_titles(self, at: int) -> None:
        """In plain text a link is only its title: lines without a full stop before the next sentence."""
        if any(run.href for block in self.blocks for run in block.runs):
            return
        end = at
        while end < len(self.blocks) and end - at < _MOST_TITLES and patterns.TITLE_LINE.match(self.blocks[end].text):
            end += 1
        if end < len(self.blocks) and patterns.SENTENCE_END.search(self.blocks[end].text):
            for _ in range(end - at):
                self.drop(at, "A01")

    def _anywhere_rule(self, block: Block) -> str | None:
        text = block.text
        for rule in patterns.D_RULES:
            if match := rule.pattern.match(text):
                self.notes.disclaimer = self.notes.disclaimer or match["text"].strip()
                return rule.id
        if match := patterns.E01.match(text):
            self.notes.ed_note.append(match["text"].strip())
            return "E01"
        if match := patterns.A04.match(text):
            self.notes.first_published = match["date"].strip()
            return "A04"
        return _advert_rule(block)

    # --- S: sign-offs, from the end upwards
    def tail(self) -> None:
        hits: list[tuple[int, Rule, re.Match[str]]] = []
        at = len(self.blocks) - 1
        while at >= 0 and (hit := self._tail_hit(self.blocks[at].text)):
            hits.append((at, *hit))
            at -= 1
        edge = self._edge_hit(self.blocks[at]) if at >= 0 else None
        if edge is not None or any(not rule.weak for _, rule, _ in hits):
            for place, rule, match in hits:
                self._learn(rule.id, match)
                self.drop(place, rule.id)
        if edge is not None:
            rule, match = edge
            self._learn(rule.id, match)
            self.notes.take(rule.id, match[0].strip())
            self.blocks[at] = self.blocks[at].cut(0, match.start())

    def _tail_hit(self, text: str) -> tuple[Rule, re.Match[str]] | None:
        if len(text) > LONGEST_BLOCK:
            return None
        for rule in self.tail_rules:
            match = rule.pattern.match(text)
            if match and not _no_agency(match):
                return rule, match
        return None

    def _edge_hit(self, block: Block) -> tuple[Rule, re.Match[str]] | None:
        if block.kind == "table":
            return None
        text = block.text
        start = max(0, len(text) - 60)
        for rule in self.edge_rules:
            match = rule.pattern.search(text, start)
            if match and match.start() > 0 and not _no_agency(match):
                return rule, match
        return None

    def _learn(self, rule: str, match: re.Match[str]) -> None:
        groups = match.groupdict()
        if groups.get("agency"):
            self.notes.credit = self.notes.credit or groups["agency"]
        if groups.get("names"):
            self.notes.contributors.append(groups["names"].strip())
        if rule in {"S02", "S13"}:
            self.notes.initials = match[0].strip("/ ")
        if rule == "S12" and "more" in match[0].lower():
            self.notes.more_to_come = True

    # --- L, E02, H04: the first two blocks
    def head(self) -> None:
        at = 0
        while at < min(_HEAD, len(self.blocks)):
            block = self.blocks[at]
            if len(block.text) <= LONGEST_BLOCK and self._head_block(block.text, at):
                continue
            if block.kind != "table" and self._dateline(at):
                continue
            at += 1

    def _head_block(self, text: str, at: int) -> bool:
        if match := patterns.L08.match(text):
            self.notes.byline = self.notes.byline or match["byline"]
            self.drop(at, "L08")
            return True
        if match := patterns.E02.match(text):
            if match["verb"].lower().startswith("correct") and not self.notes.correction_note:
                self.notes.correction_note = match["text"]
            else:
                self.notes.ed_note.append(match["text"])
            self.drop(at, "E02")
            return True
        if patterns.H04.match(text):
            self.notes.stop("embargo_notice")
            self.notes.ed_note.append(text)
            self.drop(at, "H04")
            return True
        return False

    def _dateline(self, at: int) -> bool:
        block = self.blocks[at]
        for rule in self.head_rules:
            match = rule.pattern.match(block.text[:160])
            if (
                match
                and not _no_agency(match)
                and _is_place(match.groupdict().get("city"))
                and match.end() < len(block.text)
            ):
                self._cut_head(at, rule.id, match)
                return True
        match = patterns.L07.match(block.text[:120])
        if match and {match["city"], match["other"]} <= self.gazetteer:
            self._cut_head(at, "L07", match)
            return True
        return False

    def _cut_head(self, at: int, rule: str, match: re.Match[str]) -> None:
        if not self.notes.dateline:
            self.notes.dateline = {k: v.strip() for k, v in match.groupdict().items() if v}
            self.notes.dateline["text"] = match[0].strip()
        self.notes.take(rule, match[0].strip())
        self.blocks[at] = self.blocks[at].cut(match.end())

    # --- T01: a tweet's signature makes its words a quotation
    def tweets(self) -> None:
        for at, block in enumerate(self.blocks):
            if len(block.text) <= LONGEST_BLOCK and patterns.T01.match(block.text):
                self.blocks[at] = block.with_kind("blockquote")
                if at and self.blocks[at - 1].kind == "p":
                    self.blocks[at - 1] = self.blocks[at - 1].with_kind("blockquote")


def _is_wall(chain: list[tuple[int, str]], before: int) -> bool:
    """Marks near one another are a wall, but two prices are a price list, which may be the story."""
    near = bool(chain) and before - chain[-1][0] <= _FUSE_REACH
    return near and len(chain) > 1 and {rule for _, rule in chain} != {"P04"}


def _fuse_rule(text: str) -> str | None:
    if len(text) > LONGEST_BLOCK:
        return None
    if patterns.P01.match(text):
        return "P01"
    return next((rule.id for rule in patterns.P_RULES if rule.pattern.match(text)), None)


def _advert_rule(block: Block) -> str | None:
    text = block.text
    linked = any(run.href for run in block.runs)
    if (
        patterns.A01_ALONE.match(text)
        or patterns.A01_LEAD.match(text)
        or (linked and _link_after(patterns.A01_LINK, block))
    ):
        return "A01"
    if patterns.A02.match(text):
        return "A02"
    if patterns.A03_ALWAYS.match(text) or (linked and patterns.A03_LINK.match(text)):
        return "A03"
    if patterns.A05.match(text):
        return "A05"
    return "T02" if patterns.T02.match(text) else None


def _link_after(lead: re.Pattern[str], block: Block) -> bool:
    """The words before the link are the rule's own words and nothing else."""
    before = ""
    for run in block.runs:
        if run.href:
            break
        before += run.text
    match = lead.match(block.text)
    return bool(match) and not before[match.end() if match else 0 :].strip(" :|-–—\n")


def _no_agency(match: re.Match[str]) -> bool:
    return match.groupdict().get("agency") in patterns.NOT_AGENCIES


def _is_place(city: str | None) -> bool:
    return city is None or city[:1].isupper()
