"""The work of `broadsheet wire import`, apart from the command line's parser because it needs the database."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.newsroom.queries import story_facts
from broadsheet.press.queries import public_url
from broadsheet.wire import actions
from broadsheet.wire.parse import files_below, read_limited


def run_import(args: argparse.Namespace) -> int:
    """One line per file and item. 0; 1 with --strict when something was quarantined; 2 when a path cannot be read."""
    counts: Counter[str] = Counter()
    unreadable = 0
    for path in files_below(args.paths):
        try:
            content = read_limited(path)
        except OSError as problem:
            sys.stderr.write(f"{path}: {problem.strerror}\n")
            unreadable += 1
            continue
        for row in import_file(path, content, args):
            counts[row["status"]] += 1
            sys.stdout.write((json.dumps(row, ensure_ascii=False) if args.json else _line(row)) + "\n")
    # Printed before the command returns: what the caller asks for next is there, or gone.
    run_due_jobs()
    if not args.json and not getattr(args, "quiet", False):
        sys.stderr.write(", ".join(f"{number} {status}" for status, number in sorted(counts.items())) + "\n")
    if unreadable:
        return 2
    return 1 if counts["quarantined"] and args.strict else 0


def import_file(path: Path, content: bytes, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Store, read and file one file; the rows that are printed about it."""
    now = clock.now()
    received = actions.receive(
        file_name=path.name,
        content=content,
        source=args.source or "",
        publish=args.publish,
        tier=args.tier or "",
        now=now,
    )
    if received.fresh:
        filed = actions.process(raw_id=received.raw_id, now=now)
    else:
        filed = actions.earlier(raw_id=received.raw_id)
    return [_row(path, entry) for entry in filed]


def _row(path: Path, entry: actions.Filed) -> dict[str, Any]:
    return {
        "file": str(path),
        "index": entry.index,
        "uri": entry.uri,
        "version": entry.version,
        "status": entry.status,
        "reason": entry.reasons[0] if entry.reasons else None,
        "story_id": entry.story_id,
        "url": _url(entry.story_id),
        "reasons": list(entry.reasons),
    }


def _url(story_id: int | None) -> str | None:
    """The address of a story that is on the site."""
    facts = story_facts(story_id) if story_id else None
    return public_url() + facts.path if facts and facts.state == "published" else None


def _line(row: dict[str, Any]) -> str:
    index = "" if row["index"] is None else f" [{row['index']}]"
    reason = f" ({row['reason']})" if row["reason"] else ""
    return f"{row['file']}{index}: {row['status']}{reason} {row['url'] or ''}".rstrip()
