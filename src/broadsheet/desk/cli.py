"""`broadsheet story add` and `broadsheet why`: the newsroom's commands that span apps."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from broadsheet import clock
from broadsheet.access.records import who_of_reader
from broadsheet.access.rules import TIER_NAMES
from broadsheet.bus.actions import run_due_jobs
from broadsheet.dates import parse_instant
from broadsheet.desk.recorded import as_values, recorded, who_of_code
from broadsheet.desk.stories import StoryFileError, read_story
from broadsheet.desk.why import explain
from broadsheet.newsroom.actions import Copy, ensure_section, file_story
from broadsheet.newsroom.queries import sections, story_facts
from broadsheet.newsroom.rules import slugify
from broadsheet.press.queries import public_url
from broadsheet.readers.queries import reader_by_email


def add_commands(subparsers: Any) -> None:
    story = subparsers.add_parser("story", help="add a story from a Markdown file")
    verbs = story.add_subparsers(dest="story_command", required=True, metavar="COMMAND")
    add = verbs.add_parser("add", help="Markdown with front matter -> a published story; prints its id and address")
    add.add_argument("file", metavar="FILE", type=Path)
    add.add_argument("--tier", choices=TIER_NAMES)
    add.add_argument("--section", metavar="SLUG")
    add.add_argument("--at", metavar="INSTANT", help="when it was published, such as 2027-01-10T09:00:00+05:30")
    add.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    add.set_defaults(run=run_add)
    why = subparsers.add_parser("why", help="why a reader is stopped or let in")
    why.add_argument("--story", type=int, metavar="ID", help="what holds now; with --code or --since: what was decided")
    why.add_argument("--reader", metavar="EMAIL")
    why.add_argument("--cookie", metavar="VALUE", default="", help="a visitor's meter cookie")
    why.add_argument("--code", metavar="CODE", help="a reader code, as the wall and /me.json show it")
    why.add_argument("--since", metavar="INSTANT", help="what was decided from then on")
    why.set_defaults(run=run_why)


def _fail(text: str) -> int:
    print(f"broadsheet: {text}", file=sys.stderr)
    return 2


def run_add(args: argparse.Namespace) -> int:
    """Exit status 2 for a file that is no story; nothing is stored then."""
    now = clock.now()
    try:
        at = parse_instant(args.at) if args.at else None
        copy = read_story(args.file.read_text("utf-8"), tier=args.tier, section=args.section)
        copy = _with_section(copy)
        story_id = file_story(copy=copy, now=now, publish=True, at=at)
    except OSError as error:
        return _fail(f"{args.file}: {error.strerror}")
    except UnicodeDecodeError:
        return _fail(f"{args.file} is not UTF-8 text")
    except (StoryFileError, ValueError) as error:
        return _fail(f"{args.file}: {error}")
    except ValidationError as error:
        return _fail(f"{args.file}: {'; '.join(error.messages)}")
    # Printed before the command returns: what the caller asks for next is there.
    run_due_jobs()
    facts = story_facts(story_id)
    if facts is None:
        return _fail(f"{args.file}: the story was filed as {story_id} and is gone again")
    url = public_url() + facts.path
    if args.json:
        print(json.dumps({"id": story_id, "url": url, "tier": facts.tier, "section": facts.section}))
    else:
        print(f"{story_id} {url}")
    return 0


def _with_section(copy: Copy) -> Copy:
    """The copy with a section that exists: the paper's first if the file names none, a new one if it names one."""
    known = [section.slug for section in sections()]
    if not copy.section:
        if not known:
            raise StoryFileError("this paper has no section yet; name one with --section")
        return replace(copy, section=known[0])
    slug = slugify(copy.section, 40)
    if slug not in known:
        ensure_section(name=copy.section.replace("-", " ").title(), slug=slug)
        print(f"broadsheet: {slug} is a new section", file=sys.stderr)
    return replace(copy, section=slug)


def run_why(args: argparse.Namespace) -> int:
    """With --code, with --since or without a story: what was decided and recorded; else what holds now."""
    if args.code or args.since or not args.story:
        return _run_recorded(args)
    told = explain(story_id=args.story, email=args.reader, cookie=args.cookie, now=clock.now())
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        for name, value in told.items():
            print(f"{name}: {value}")
    return 0


def _run_recorded(args: argparse.Namespace) -> int:
    """Exit status 2 when nobody and nothing is named, or what is named cannot be."""
    options, now = settings.BROADSHEET, clock.now()
    reader = reader_by_email(args.reader) if args.reader else None
    try:
        since = parse_instant(args.since) if args.since else now - timedelta(days=options.decision_days)
        who = who_of_code(args.code) if args.code else None
    except ValueError as error:
        return _fail(str(error))
    if args.reader and reader is None:
        return _fail(f"there is no account with the address {args.reader}")
    if reader:
        who = who_of_reader(settings.BROADSHEET_SECRET, reader.id)
    if who is None and not args.story:
        return _fail("name a story (--story), a reader (--reader, --code), or both")
    rows = recorded(folder=options.data / "decisions", who=who, story=args.story, since=since, until=now)
    for row in rows:
        if args.json:
            print(json.dumps(as_values(row), ensure_ascii=False))
            continue
        opens = f" What would open it: {row.opens}" if row.opens else ""
        inputs = "; ".join(row.inputs)
        print(f"{row.at.astimezone(options.zone):%Y-%m-%d %H:%M:%S}  {row.headline}: {row.verdict}, {row.rule}.")
        print(f"    {inputs[0].upper()}{inputs[1:]}.{opens}")
    if not rows and not args.quiet:
        print("Nothing was recorded.", file=sys.stderr)
    return 0
