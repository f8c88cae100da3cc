"""Every address in the program's own table, with sample values in the places of its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import get_resolver

_HOLE = re.compile(r"%\((\w+)\)s")
_NUMBER = re.compile(r"(?:^|_)(?:id|pk|number|page|year|month)\Z|_id\Z|_pk\Z")


def addresses(samples: Mapping[str, str]) -> Iterator[str]:
    """Targets such as `/admin/pages/7/`; `samples` has "int" (a story's id) and "slug" (a section's). Each once."""
    seen: set[str] = set()
    for template in _templates(get_resolver(), ""):
        target = "/" + _HOLE.sub(lambda hole: _value(hole[1], samples), template).replace("%%", "%")
        if target not in seen and len(target) < 200 and target.isascii() and " " not in target:  # noqa: PLR2004
            seen.add(target)
            yield target


def _templates(resolver: Any, prefix: str) -> Iterator[str]:
    for name in resolver.reverse_dict:
        for possibilities, *_ in resolver.reverse_dict.getlist(name):
            for template, _parameters in possibilities:
                yield prefix + template
    for inner, below in resolver.namespace_dict.values():
        yield from _templates(below, prefix + inner)


def _value(name: str, samples: Mapping[str, str]) -> str:
    if name in ("year", "month"):
        return {"year": "2027", "month": "03"}[name]
    return samples["int"] if _NUMBER.search(name) else samples["slug"]
