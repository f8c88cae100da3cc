"""The cleaning rules as data: id, where it may act, and the pattern that must match the whole block.

A pattern here is never searched for in running text: the zone and the whole-block match are what keeps an
ordinary sentence ("Read more books, teachers say.") out of danger. docs/wire.md lists them with examples.
"""

# ruff: noqa: E501 - a pattern split over lines is read wrong

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# Longer blocks are copy, whatever they look like; only S03, S04 and L* may cut a credit off one.
LONGEST_BLOCK: Final = 300

AGENCIES: Final = (
    "IANS", "ANI", "PTI", "UNI", "AP", "AFP", "Reuters", "REUTERS", "Thomson Reuters", "dpa", "DPA", "dpa-AFX", "Xinhua",
    "TASS", "Bloomberg", "EFE", "ANSA", "Kyodo", "Kyodo News", "Jiji", "Yonhap", "UPI", "APA", "ATS", "Belga", "ANP", "NTB",
    "TT", "STT", "Ritzau", "Lusa", "AAP", "CP", "PA", "PA Media", "SID", "KNA", "epd", "BNS", "Anadolu", "AA", "WAM",
    "Sputnik", "RIA Novosti", "Interfax", "Press Trust of India", "Associated Press", "The Associated Press",
    "Agence France-Presse", "Business Wire", "BUSINESS WIRE", "PRNewswire", "Sports Network", "UNB", "APP", "Lanka News",
)  # fmt: skip
# Titles that agency copy quotes; `via` also accepts any name in the tight forms of sources.py.
MEDIA: Final = (
    "CNN", "BBC", "BBC News", "Fox News", "CNBC", "NBC", "NBC News", "ABC", "ABC News", "CBS", "CBS News", "MSNBC", "Al Jazeera",
    "The New York Times", "The Washington Post", "The Wall Street Journal", "The Guardian", "The Times", "The Hindu",
    "The Indian Express", "The Times of India", "Hindustan Times", "NDTV", "India Today", "Dawn", "Geo News", "Haaretz",
    "Der Spiegel", "Le Monde", "El Pais", "Nikkei", "Global Times", "China Daily", "People's Daily", "Efe news", "Sky News",
    "Financial Times", "The Economist", "USA Today", "Politico", "The Hill", "Axios", "Al Arabiya", "Doordarshan", "All India Radio",
)  # fmt: skip

MONTHS: Final = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?"
    r"|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
DAY: Final = rf"(?P<date>{MONTHS} \d{{1,2}}(?:, \d{{4}})?|\d{{1,2}} {MONTHS}(?: \d{{4}})?)"
_PLACE: Final = r"[^\W\d_][^\W\d_.'’\- ]*(?:[.'’\- ]{1,2}[^\W\d_]+\.?){0,4}"
_CITY: Final = rf"(?P<city>{_PLACE}(?:/{_PLACE})?)"
_COUNTRY: Final = rf"(?P<country>{_PLACE})"
_DASH: Final = r"(?:-{1,2}|–|—|_)"
_NAME: Final = r"[A-Z][\w.'’\-]*(?: (?:de|van|von|der|bin|al|d'|[A-Z])[\w.'’\-]*){1,4}"
# A word of a line of names; joined by spaces only, so that the pattern cannot run away.
_NAME_WORD: Final = r"(?:[A-Z][\w.'’\-]*|and|in|by|for|de|van|von|bin|al|&|[Ee]diting|[Ww]riting|[Rr]eporting|[Aa]dditional|[Cc]ompiled)"
_CAPITALS: Final = r"[A-Z]{2,6}"
# Capitals that end copy without naming an agency.
NOT_AGENCIES: Final = frozenset(
    {"END", "ENDS", "MORE", "EOM", "EDS", "TBC", "ADDS", "CORR", "LEAD", "NNNN", "CONTD", "PS", "NB"}
)


def agency_group(names: tuple[str, ...], *, tokens: bool = True) -> str:
    """A group `agency` for these names and, with `tokens`, for any word of two to six capitals."""
    known = "|".join(re.escape(name) for name in sorted(set(names), key=len, reverse=True) if name)
    return f"(?P<agency>{known}|{_CAPITALS})" if tokens else f"(?P<agency>{known})"


@dataclass(frozen=True, slots=True)
class Rule:
    """One cleaning rule; `weak` ones only act beside a sure one."""

    id: str
    pattern: re.Pattern[str]
    weak: bool = False


@lru_cache(maxsize=64)
def tail_rules(names: tuple[str, ...]) -> tuple[Rule, ...]:
    """Whole-block rules for the end of the copy, most certain first."""
    group, known = agency_group(names), agency_group(names, tokens=False)
    return (
        Rule("S01", re.compile(rf"^(?:-{{1,3}}|–|—)\s*{group}(?:\s+[a-z]{{2,4}}/(?:[a-z]{{2,4}}/?)*)?\.?$")),
        Rule("S03", re.compile(rf"^\({group}\)\.?$")),
        Rule("S05", re.compile(rf"^{known}(?: [A-Z]{{2,4}}){{1,4}}$")),
        Rule(
            "S06",
            re.compile(r"^[(\[]?With (?:additional )?inputs? from (?P<names>[^()]{2,100}?)\.?[)\]]?$", re.IGNORECASE),
        ),
        Rule(
            "S07",
            re.compile(
                r"^\(?(?:Additional )?(?:Reporting|Writing|Editing|Compiled) by "
                rf"(?P<names>{_NAME_WORD}(?:[,;]? {_NAME_WORD})*)\.?\)?\.?$"
            ),
        ),
        Rule("S08", re.compile(r"^Our Standards:.{0,120}$")),
        Rule(
            "S10",
            re.compile(
                r"^(?P<names>[^.]{0,80}\b(?:writers?|reporters?|correspondents?)\b[^.]{2,100}) contributed(?: to this (?:report|story))?\.$"
            ),
        ),
        Rule("S11", re.compile(r"^Follow .{2,80} (?:on|at) \S.{0,100}$")),
        Rule("S13", re.compile(r"^(?!and/|yes/|his/|her/|on/off)[a-z]{2,3}(?:/[a-z]{2,4}){1,4}/?$")),
        Rule("S14", re.compile(r"^N{4,6}$")),
        Rule("S12", re.compile(r"^(?:-30-|#{3,}|\((?:more|MORE|ends|ENDS|end|END)\))$")),
        Rule("S02", re.compile(r"^[a-z]{2,4}/?(?:[ /][a-z]{2,4}/?){0,3}$"), weak=True),
        Rule("S12", re.compile(r"^(?:ENDS?|MORE|ends|more)\.?$"), weak=True),
        Rule("S09", re.compile(r"^[_*#\-–—= ]{3,}$"), weak=True),
    )


@lru_cache(maxsize=64)
def end_of_sentence_rules(names: tuple[str, ...]) -> tuple[Rule, ...]:
    """A credit stuck to the last sentence. Any capitals after a full stop, only a known name without one."""
    group, known = agency_group(names), agency_group(names, tokens=False)
    closed = r"(?<=[.!?”\"’'])"
    return (
        Rule("S03", re.compile(rf"{closed}\s*\({group}\)\s*\.?$")),
        Rule("S03", re.compile(rf"\s+\({known}\)\s*\.?$")),
        Rule("S04", re.compile(rf"{closed}\s*(?:-{{1,3}}|–|—)\s*{group}\.?$")),
    )


@lru_cache(maxsize=64)
def head_rules(names: tuple[str, ...]) -> tuple[Rule, ...]:
    """Datelines at the start of the first blocks; what they match is cut off, the rest of the block stays."""
    # "(IANS/Xinhua)": the first sent it, the second reported it.
    group = agency_group(names) + r"(?:/(?P<second>[A-Z][\w\-]+))?"
    sep = rf"(?:\s*(?:{_DASH}|:))"
    return (
        Rule("L01", re.compile(rf"^{_CITY} \[{_COUNTRY}\],? {DAY} \({group}\){sep}?\s*")),
        Rule("L02", re.compile(rf"^{_CITY}(?:, {_COUNTRY})?, {DAY} \({group}\){sep}?\s*")),
        Rule("L03", re.compile(rf"^{_CITY}, {_COUNTRY} \({group}\)\s*{_DASH}\s*")),
        Rule("L04", re.compile(rf"^(?P<city>[A-Z][A-Z.'’\- ]{{2,40}})(?:, {_COUNTRY})?, {DAY}\s*{_DASH}\s+")),
        Rule("L05", re.compile(rf"^{DAY} \({group}\)\s*{_DASH}\s*")),
        Rule("L06", re.compile(rf"^{_CITY} \({group}\)\s*{_DASH}\s*")),
        Rule("L06", re.compile(rf"^\({agency_group(names, tokens=False)}\)\s*{_DASH}\s*")),
    )


L07: Final = re.compile(rf"^(?P<city>{_PLACE})/(?P<other>{_PLACE}): ")
L08: Final = re.compile(rf"^(?:By|BY|By:) (?P<byline>{_NAME}(?:(?:, | and | & ){_NAME}){{0,3}})$")

D_RULES: Final = (
    Rule("D01", re.compile(r"^[(\[*]*\s*Disclaimer\s*[:\-–—]\s*(?P<text>.+?)[)\]*]*$", re.IGNORECASE)),
    Rule("D02", re.compile(
        r"^[(\[*]*\s*(?P<text>(?:Except for the headline, )?this (?:story|report|article|content|news|copy)\b.{0,60}\b"
        r"(?:has (?:not )?been|was|is|not been)\b.{0,160}\b(?:feeds?|agency|agencies|syndicated|auto-?generated)\b.{0,120}?)[)\]*]*$",
        re.IGNORECASE)),
    Rule("D03", re.compile(r"^[(\[*]*\s*(?P<text>Only the headline\b.{0,200}\b(?:re-?worked|edited|changed|rewritten|modified)\b.{0,160}?)[)\]*]*$", re.IGNORECASE)),
    Rule("D04", re.compile(r"^[(\[*]*\s*(?P<text>No .{0,60}\bjournalists? (?:was|were|has been|took part|is)\b.{0,120}?)[)\]*]*$", re.IGNORECASE)),
)  # fmt: skip

_ALSO: Final = r"(?:also read|must read|read more|read also|also see|see also|also watch|recommended|don['’]t miss)"
A01_ALONE: Final = re.compile(rf"^{_ALSO}\s*[:|–—>»→]?$", re.IGNORECASE)
A01_LEAD: Final = re.compile(rf"^{_ALSO}\s*[:|»→]\s*\S.*$", re.IGNORECASE)
A01_LINK: Final = re.compile(rf"^{_ALSO}\b", re.IGNORECASE)
# A headline in a list of links: some words, no stop at the end. What follows it must be a sentence again.
TITLE_LINE: Final = re.compile(r"^(?=.{15,140}$)(?:\S+ ){3,}\S*[^\s.!?:;,”\"'’…।)]$")
SENTENCE_END: Final = re.compile(r"[.!?।…][”\"'’)]*$")
A02: Final = re.compile(
    r"^(?:related (?:stories|news|articles|links|coverage)|more (?:stories|news|on this)|top stories)\s*:?$",
    re.IGNORECASE,
)
A03_ALWAYS: Final = re.compile(
    r"^(?:click here|subscribe to read(?: (?:the|this) (?:full )?(?:story|article|report))?)\s*[:.]?\s*(?:→|>+|»|›)?$"
    r"|^(?:click here|subscribe to read)\b.*(?:→|>>?|»|›)$",
    re.IGNORECASE,
)
A03_LINK: Final = re.compile(r"^(?:click here|subscribe to read|tap here)\b", re.IGNORECASE)
A04: Final = re.compile(
    rf"^(?:First Published|Published|Updated|Last Updated)\s*(?:on|at)?\s*:\s*(?P<date>(?:{MONTHS} \d{{1,2}},? \d{{4}}|\d{{1,2}} {MONTHS},? \d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}).{{0,40}})$",
    re.IGNORECASE,
)
A05: Final = re.compile(r"^(?:WATCH|IN PICS|IN PICTURES|IN PHOTOS|VIDEO|PHOTOS|LISTEN)\s*[:|]\s*.*$")

P01: Final = re.compile(
    r"^(?:[^.!?]{0,40}\b)?reached your\b[^.!?]{0,40}\blimit\b.{0,140}$"
    r"|^(?:[^.!?]{0,40}\b)?reached (?:the|your) limit of\b.{0,80}\barticles?\b.{0,80}$"
    r"|^you(?:['’]ve| have) (?:read|used)\b[^.!?]{0,40}\bfree (?:articles?|stories|reads?)\b.{0,80}$",
    re.IGNORECASE,
)
PRICE: Final = re.compile(
    r"^(?:₹|Rs\.?|INR|US\$|\$|€|£|USD|EUR)\s?\d[\d,]*(?:\.\d{1,2})?(?:\s*(?:/|per)\s*[A-Za-z]{2,10})?$", re.IGNORECASE
)
P_RULES: Final = (
    Rule("P02", re.compile(r"^subscribe (?:now|today) (?:for|to)\b.{0,120}$", re.IGNORECASE)),
    Rule("P03", re.compile(r"^already (?:a |an )?(?:subscribed|subscriber|member)\b.{0,60}$", re.IGNORECASE)),
    Rule("P04", PRICE, weak=True),
    Rule("P06", re.compile(r"^(?:[^.]{0,40}\b)?(?:renews automatically|cancel any ?time)\b.{0,60}$", re.IGNORECASE)),
    Rule("P07", re.compile(r"^(?:log|sign) ?in to (?:continue|read|keep reading|access)\b.{0,80}$", re.IGNORECASE)),
)
# P05: removes nothing, stops publication.
PLACEHOLDER: Final = re.compile(r"\{\{.{0,80}?\}\}|\{%.{0,80}?%\}|\$\{[^}\n]{1,80}\}|<%.{0,80}?%>|%%[A-Za-z_.]{1,60}%%")

E01: Final = re.compile(
    r"^[(\[]?(?:Eds\.?|Editors?|Editor['’]s notes?|Editors['’] notes?|Notes? to editors?)\s*:\s*(?P<text>.+?)[)\]]?$",
    re.IGNORECASE,
)
E02: Final = re.compile(
    r"^[(\[](?P<text>(?P<verb>Correct(?:s|ed|ing|ion)|Clarif(?:ies|ying)|Adds|Updates|Recasts|Refiles|Repeats|Rewrites)\b.+)[)\]]$",
    re.IGNORECASE,
)
E03: Final = re.compile(
    r"^[(\[*#\s]*(?:(?:the )?following|below|this (?:information|part|section)|information|internal|contacts?)?"
    r"[^.!?]{0,60}\bnot (?:intended )?for publication\b[.:)\]*\s]*$",
    re.IGNORECASE,
)
E03_START: Final = re.compile(
    r"^[(\[*#\s]*(?:the following|following|below|this |information|internal|contact|not )", re.IGNORECASE
)
E04: Final = re.compile(r"^#+ ?(?:Notebook|Notizblock|Contacts?|Internet|Orte|Editors)\b.{0,60}$", re.IGNORECASE)
H04: Final = re.compile(r"^(?:STRICTLY )?(?:EMBARGO(?:ED)?|HOLD FOR RELEASE)\b[^a-z]*$")

T01: Final = re.compile(rf"^(?:—|–|--?)\s*.{{2,60}}\(@\w{{1,20}}\)\s+{MONTHS} \d{{1,2}}, \d{{4}}$")
T02: Final = re.compile(r"^(?:https?://)?(?:pic\.twitter\.com|t\.co)/\w+$")

H01: Final = re.compile(
    r"^(?P<label>(?P<word>UPDATE|WRAPUP|RPT|REPEAT|REFILE|CORRECTED|CORRECTION|CORRECTS|URGENT|BREAKING|FLASH|SNAP|ALERT|ADVISORY|EXCLUSIVE|LEAD)"
    r"(?: ?\d{1,2})?)\s*(?:-|–|—|:|\s-\s)\s*(?=\S)"
)
H02: Final = re.compile(
    r"\s*\((?P<label>(?P<n>\d{1,2})?(?:st|nd|rd|th)?\s*(?P<word>lead|ld|take|update[d]?|corrected|correction|writethru|roundup|intro|expanded|repeat)"
    r"(?: ?(?P<m>\d{1,2}))?)\)$",
    re.IGNORECASE,
)
H03: Final = re.compile(
    r"^(?:(?:MANDATORY|BULLETIN) )?(?:KILL|KILLS|WITHDRAWAL|WITHDRAWN|RETRACTION|RETRACTED|ELIMINATION)(?:$|\s*[:\-–—]\s*)|^MANDATORY (?:KILL|WITHDRAWAL)\b"
)
LABEL: Final = re.compile(
    r"\b(?P<label>\d{1,2}(?:st|nd|rd|th) (?:Ld|Lead|Add|take)(?:-Writethru)?|Writethru|UPDATE \d{1,2})\b", re.IGNORECASE
)
SIGNALS: Final = {
    "UPDATE": "update", "WRAPUP": "update", "LEAD": "update", "RPT": "repeat", "REPEAT": "repeat", "REFILE": "repeat", "CORRECTED": "correction",
    "CORRECTION": "correction", "CORRECTS": "correction", "URGENT": "urgent", "BREAKING": "urgent", "FLASH": "urgent",
    "SNAP": "urgent", "ALERT": "urgent", "ADVISORY": "advisory", "EXCLUSIVE": "exclusive", "LD": "update", "UPDATED": "update",
    "TAKE": "update", "WRITETHRU": "update", "ROUNDUP": "update", "INTRO": "update", "EXPANDED": "update",
}  # fmt: skip
