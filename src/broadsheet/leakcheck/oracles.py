"""What a right answer looks like: the same bytes for both twins, no hidden words, no placeholder. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import unquote_plus

from broadsheet.leakcheck.canaries import Find, coverage, words
from broadsheet.leakcheck.client import Response

LONGEST_EVIDENCE = 160
_FORM_TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value=")([^"]*)|("csrf_?token"\s*:\s*")([^"]*)', re.IGNORECASE)
_FREE_CODE = re.compile(rb'("code": ")([0-9a-f]*)')  # /me.json: a digest of the meter's random id
_DIGITS = re.compile(r"(?<=Max-Age=)\d+", re.IGNORECASE)
_EXPIRES = re.compile(r"(?<=expires=)[^;]*", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{\{|\{%|\}\}|%\}|\$\{|<%=|%%\w+%%|\[object Object\]|\bNaN\b|\bundefined\b")
_NOTHING = re.compile(r">\s*(None|null|undefined|NaN)\s*<|(?:content|href|src|alt|title|datetime)=\"(None|null|NaN)\"")
_SCRIPT = re.compile(r"<script(?![^>]*ld\+json)[^>]*>.*?</script>|<style[^>]*>.*?</style>", re.DOTALL | re.IGNORECASE)
_AD = re.compile(
    r'<div class="ad .*?</a>\s*</div>\s*</div>', re.DOTALL
)  # stands between two paragraphs of a whole story
_WALL = re.compile(r'class="wall[ "]|wall-title|Already subscribed|free articles? this|₹\s?\d')
LEAST_COVERAGE = 0.98


@dataclass(frozen=True, slots=True)
class Leak:
    """One probe that leaks, or that got a faulty page; printed as it stands."""

    story: str
    surface: str
    reader: str
    trick: str
    evidence: str

    def as_row(self) -> dict[str, str]:
        row = asdict(self)
        row["evidence"] = short(self.evidence)
        return row


def short(text: str) -> str:
    """Evidence is a pointer, not a copy: the report must not become the leak."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_EVIDENCE else text[: LONGEST_EVIDENCE - 1] + "…"


def masked(response: Response) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """A response without what may differ between twins: the date, and what is random, of which the length is kept."""
    headers = []
    for name, value in response.headers:
        low = name.lower()
        if low in ("date", "expires"):  # both say when the answer was made
            continue
        headers.append((low, _masked_cookie(value) if low == "set-cookie" else value))
    return response.status, tuple(headers), _without_chance(response.body)


def _blank(match: re.Match[bytes]) -> bytes:
    before, value = (match[1], match[2]) if match[1] else (match[3], match[4])
    return before + b"*" * len(value)


def _masked_cookie(value: str) -> str:
    name, _, rest = value.partition("=")
    secret, _, attributes = rest.partition(";")
    attributes = _EXPIRES.sub("*", _DIGITS.sub(lambda found: "9" * len(found[0]), attributes))
    return f"{name}={'*' * len(secret)};{attributes}"


def difference(one: Response, other: Response) -> str:
    """The first place where two responses differ once masked; "" when they are the same."""
    (status_a, headers_a, body_a), (status_b, headers_b, body_b) = masked(one), masked(other)
    if status_a != status_b:
        return f"status {status_a} against {status_b}"
    if _content(one) != _content(other):
        return _place(_content(one), _content(other), len(body_a), len(body_b))
    for left, right in zip(headers_a, headers_b, strict=False):
        if left != right:
            return f"header {left[0]}: {left[1]} against {right[0]}: {right[1]}"
    if len(headers_a) != len(headers_b):
        return f"{len(headers_a)} headers against {len(headers_b)}"
    return "the same content, encoded in other bytes" if body_a != body_b else ""


def _content(response: Response) -> bytes:
    return _without_chance(response.content)


def _without_chance(body: bytes) -> bytes:
    """A body without what is random in it, of which the length is kept."""
    return _FREE_CODE.sub(rb"\1", _FORM_TOKEN.sub(_blank, body))


def _place(one: bytes, other: bytes, length: int, other_length: int) -> str:
    at = next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
    left, right = (text[max(0, at - 30) : at + 40].decode("utf-8", "replace") for text in (one, other))
    return f"{length} bytes against {other_length}; from byte {at}: {left!r} against {right!r}"


def searched(response: Response) -> bytes:
    """Everything of a response that can carry words: status line aside, headers and decoded content."""
    head = "\n".join(f"{name}: {value}" for name, value in response.headers)
    return head.encode("utf-8", "replace") + b"\n\n" + response.content


def without_echo(finds: Sequence[Find], target: str) -> list[Find]:
    """Finds that are more than the asker's own words thrown back."""
    asked = " ".join(words(unquote_plus(target)))
    return [find for find in finds if find.words not in asked]


def is_private(response: Response) -> bool:
    control = response.get("Cache-Control").lower()
    return "private" in control and "no-store" in control


def faults(response: Response) -> Iterator[str]:
    """What no page may show, whoever asks: an error of ours, a placeholder, a missing value."""
    if response.status >= 500:  # noqa: PLR2004
        yield f"status {response.status}"
    if not response.is_html:
        return
    page = _SCRIPT.sub("", response.content.decode("utf-8", "replace"))
    for pattern in (_PLACEHOLDER, _NOTHING):
        found = pattern.search(page)
        if found:
            yield f"unrendered: {page[max(0, found.start() - 30) : found.end() + 30]!r}"


def full_faults(response: Response, hidden: str, credit: str = "") -> Iterator[str]:
    """What is wrong with the answer to a reader who may read everything."""
    page = response.content.decode("utf-8", "replace")
    if response.status != 200 or response.get("Broadsheet-Variant") != "full":  # noqa: PLR2004
        yield f"walled: status {response.status}, {response.get('Broadsheet-Reason') or 'no reason'}"
        return
    share = coverage(words(hidden), _AD.sub(" ", page))
    if share < LEAST_COVERAGE:
        yield f"only {share:.0%} of the hidden text is there"
    if credit not in page:
        yield f"the credit {credit!r} is missing"
    if not is_private(response):
        yield f"full text that a cache may keep: Cache-Control: {response.get('Cache-Control')}"
    wall = _WALL.search(page)
    if wall:
        yield f"wall or price on a full page: {page[max(0, wall.start() - 20) : wall.end() + 20]!r}"


def wall_faults(response: Response, limit: int | None) -> Iterator[str]:
    """What is wrong with a wall: it must be one, and a limit it states must be the real one."""
    page = response.content.decode("utf-8", "replace")
    if response.get("Broadsheet-Variant") != "wall" or 'class="wall' not in page:
        yield f"no wall: status {response.status}, {response.get('Broadsheet-Reason') or 'no reason'}"
    elif limit is not None and not re.search(rf"\b{limit} free articles?\b", page):
        yield f"the wall does not say the real limit of {limit}"
