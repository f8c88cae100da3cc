"""Turns a printed sheet into what goes over the wire: the head, rendered once for each way of sending it."""

from __future__ import annotations

from broadsheet.access.rules import Decision, Wall
from broadsheet.gate.answers import PUBLIC, SECURITY_HEADERS, Answer, Head, head, plain
from broadsheet.press.store import Sheet

Headers = tuple[tuple[str, str], ...]

_WALL_SHEETS = {Wall.LIMIT: "limit", Wall.REGISTER: "register", Wall.SUBSCRIBE: "subscribe"}
_SHEETS_BY_REASON = {"section_limit": "section", "meter_away": "away"}
_KEPT_BY_304 = frozenset(("etag", "cache-control", "vary", "broadsheet-variant", "broadsheet-reason"))
_SECURITY = frozenset(name for name, _ in SECURITY_HEADERS)


def wall_sheet(decision: Decision, *, signed_in: bool, probe: bool) -> str:
    """The sheet whose words are true for this reader. `probe`: a free read waits for the cookie to come back."""
    if probe and decision.reason == "not_a_read":
        return "cookie"
    name = _SHEETS_BY_REASON.get(decision.reason) or _WALL_SHEETS[decision.wall or Wall.SUBSCRIBE]
    return f"{name}-signed-in" if signed_in and name in ("limit", "section") else name


def dress(
    sheet: Sheet, encoding: str, cache: str, reason: str, *, story: bool, with_ads: Headers = ()
) -> tuple[Head, bytes]:
    """`encoding`: br | gzip | plain. `reason`: the decision's rule, "" for a front. `story`: the sheet is a story's.
    `with_ads`: the security headers of a page that carries advertising; () for one without."""
    body = {"br": sheet.br, "gzip": sheet.gzip}[encoding] if encoding != "plain" else sheet.plain
    headers = [("Content-Type", sheet.content_type), ("Content-Length", str(len(body)))]
    if encoding != "plain":
        headers.append(("Content-Encoding", encoding))
    # One name for one sequence of bytes: each encoding has its own, as RFC 9110 asks of a strong validator.
    headers += [("ETag", etag_of(sheet, encoding)), ("Cache-Control", cache), ("Vary", "Accept-Encoding")]
    is_wall = story and not sheet.key.endswith("/full")
    if cache == PUBLIC and (with_ads or (is_wall and reason != "withdrawn")):
        # The browser that kept a wall must not show it to the reader who has just paid: the passport is a cookie. Nor
        # may anybody's cache show advertising to the reader who paid for a page without.
        headers.append(("Vary", "Cookie"))
    headers += with_ads or SECURITY_HEADERS
    if story:
        headers.append(("Accept-Ranges", "none"))
        headers.append(("Broadsheet-Reason", reason))
        if reason != "withdrawn":
            headers.append(("Broadsheet-Variant", "wall" if is_wall else "full"))
    return head(sheet.status, headers), body


def etag_of(sheet: Sheet, encoding: str) -> str:
    return sheet.etag if encoding == "plain" else f'{sheet.etag[:-1]}-{encoding}"'


def not_modified(answer: Answer, if_none_match: str) -> Answer:
    """304 when the client says it holds these very bytes; the answer itself otherwise."""
    if not if_none_match or answer.status != 200:  # noqa: PLR2004
        return answer
    kept = [(name, value) for name, value in answer.head.headers if name.lower() in _KEPT_BY_304]
    etag = next(value for name, value in kept if name == "ETag")
    named = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    if etag not in named and "*" not in named:
        return answer
    security = [(name, value) for name, value in answer.head.headers if name in _SECURITY]
    return Answer(head(304, [*kept, *security]), b"", answer.extra)


def moved(path: str) -> Answer:
    """The story's one address, for whoever came by another."""
    answer = plain(301, extra=[("Location", path)])
    headers = [(n, "public, max-age=300" if n == "Cache-Control" else v) for n, v in answer.head.headers]
    return Answer(head(301, headers), answer.body)
