"""A story's sanitised HTML as what the typesetter sets: paragraphs of words with their style. Pure."""

from __future__ import annotations

from typing import Any

from lxml import html as lxml_html

KINDS = {"h2": "h", "h3": "h", "h4": "h", "blockquote": "q", "li": "li"}
BLOCKS = ("p", "h2", "h3", "h4", "li", "blockquote", "pre", "div", "td", "th", "figcaption")
_BOLD, _ITALIC = ("b", "strong"), ("i", "em", "cite")


def paragraphs(body_html: str) -> list[dict[str, Any]]:
    """[{"k": p|h|q|li, "w": [word or [word, style], …]}, …]; what has no words is left out."""
    if not body_html.strip():
        return []
    root = lxml_html.fragment_fromstring(body_html, create_parent="div")
    made: list[dict[str, Any]] = []
    _walk(root, "p", made, [])
    made = [paragraph for paragraph in made if paragraph["w"]]
    for place, paragraph in enumerate(made):
        if paragraph["k"] == "p" and (place == 0 or made[place - 1]["k"] == "h"):
            paragraph["first"] = True
    return made


def _walk(element: Any, kind: str, made: list[dict[str, Any]], style: list[str]) -> None:
    """Go through an element; a block begins a paragraph, what follows it another."""
    _add(made, kind, element.text, style)
    for child in element:
        if not isinstance(child.tag, str):
            _add(made, kind, child.tail, style)
            continue
        if child.tag in BLOCKS or child.tag in ("ul", "ol", "figure", "table", "tr", "tbody"):
            inner = KINDS.get(child.tag, kind if kind in ("q", "li") else "p")
            made.append({"k": inner, "w": []})
            _walk(child, inner, made, style)
            made.append({"k": kind, "w": []})
        elif child.tag == "br":
            made.append({"k": kind, "w": []})
        else:
            added = ["b"] if child.tag in _BOLD else ["i"] if child.tag in _ITALIC else []
            _walk(child, kind, made, style + added)
        _add(made, kind, child.tail, style)


def _add(made: list[dict[str, Any]], kind: str, text: str | None, style: list[str]) -> None:
    if not text:
        return
    if not made:
        made.append({"k": kind, "w": []})
    words = made[-1]["w"]
    pieces = text.split()
    if not pieces:
        if words and made[-1].get("glue"):
            made[-1]["glue"] = False
        return
    mark = ("b" if "b" in style else "") + ("i" if "i" in style else "")
    glued = made[-1].pop("glue", False) and not text[0].isspace()
    for number, piece in enumerate(pieces):
        if number == 0 and glued and words:
            # A word in two styles, or a comma after an italic word: set as one, in the style of its beginning.
            last = words[-1]
            words[-1] = last + piece if isinstance(last, str) else [last[0] + piece, last[1]]
        else:
            words.append([piece, mark] if mark else piece)
    made[-1]["glue"] = not text[-1].isspace()
