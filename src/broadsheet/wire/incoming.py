"""The incoming folder: which files are ready, which source they are of, where they go afterwards.

`wire/incoming/` takes files of no named source, `wire/incoming/NAME/` those of NAME. `wire/sources.toml` says what may
happen to each: `[NAME]` or `[default]` with `publish = true` and `tier = "metered"`. Without it nothing is published.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNFINISHED = (".tmp", ".part", ".filepart", ".swp")
TIERS = frozenset({"free", "metered", "registered", "premium"})


@dataclass(frozen=True, slots=True)
class Source:
    """What may happen to the files of a source."""

    name: str
    publish: bool = False
    tier: str = ""


def ready(folder: Path, seen: dict[Path, tuple[int, int]]) -> list[Path]:
    """Files whose size and time stood still since the last look, oldest name first; `seen` is brought up to date.

    A file that is still being written changes between two looks; its beginning would look like a short story.
    """
    now: dict[Path, tuple[int, int]] = {}
    stable = []
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or path.suffix in UNFINISHED or not path.is_file():
            continue
        try:
            stat = path.stat()
        except OSError:
            continue
        now[path] = (stat.st_size, stat.st_mtime_ns)
        if seen.get(path) == now[path]:
            stable.append(path)
    seen.clear()
    seen.update(now)
    return stable


def source_of(path: Path, folder: Path, rules: dict[str, Any]) -> Source:
    """The source a file of the incoming folder belongs to, with what sources.toml allows it."""
    inner = path.relative_to(folder).parts
    name = inner[0] if len(inner) > 1 else ""
    said = rules.get(name) or rules.get("default") or {}
    tier = said.get("tier")
    return Source(name, publish=said.get("publish") is True, tier=tier if tier in TIERS else "")


def read_sources(path: Path) -> dict[str, Any]:
    """The tables of sources.toml; empty when there is no such file. ValueError when it is no TOML."""
    try:
        return {k: v for k, v in tomllib.loads(path.read_text("utf-8")).items() if isinstance(v, dict)}
    except FileNotFoundError:
        return {}


def put_away(path: Path, folder: Path) -> Path:
    """Move a file into `folder`, under another name when one lies there already. Returns where it lies now."""
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    return path.rename(target)
