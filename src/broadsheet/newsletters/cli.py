"""The commands `broadsheet newsletters dkim-key`, `bounces`, `settle` and `status`."""

from __future__ import annotations

import argparse
import json
import mailbox
import os
import re
import sys
from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from broadsheet import clock
from broadsheet.newsletters import queries
from broadsheet.newsletters.actions import reports, sending
from broadsheet.newsletters.dkim import dns_value, new_key
from broadsheet.newsletters.post import dkim_key_path, from_address, message_name

FOUND_WRONG = 1
_LOG_BEHIND = timedelta(seconds=60)


def add_commands(subparsers: Any) -> None:
    group = subparsers.add_parser("newsletters", help="keys, bounces and sendings of newsletters")
    commands = group.add_subparsers(dest="newsletters_command", required=True, metavar="COMMAND")
    key = commands.add_parser("dkim-key", help="make a key that signs newsletters, and say what to put into the DNS")
    key.add_argument("--kind", choices=("rsa", "ed25519"), default="rsa")
    key.set_defaults(run=run_dkim_key)
    bounces = commands.add_parser("bounces", help="take in bounces and complaints: a mail, a folder of them, an mbox")
    bounces.add_argument("path", type=Path, metavar="PATH")
    bounces.set_defaults(run=run_bounces)
    settle = commands.add_parser("settle", help="decide mails in doubt by the mail server's log")
    settle.add_argument("issue", type=int, metavar="ISSUE")
    settle.add_argument("--log", type=Path, required=True, metavar="FILE", help="names the Message-IDs it accepted")
    settle.set_defaults(run=run_settle)
    status = commands.add_parser("status", help="the latest sendings")
    status.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object per line")
    status.set_defaults(run=run_status)


def run_dkim_key(args: argparse.Namespace) -> int:
    """Makes the key where the options look for it; never overwrites one. 0, or 1 when there is one already."""
    options, path = settings.BROADSHEET, dkim_key_path()
    if path.exists():
        pem = path.read_bytes()
        print(f"{path} is there already; this is what the DNS has to say for it.", file=sys.stderr)
    else:
        pem = new_key(args.kind)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    selector = options.dkim_selector or "broadsheet"
    domain = options.dkim_domain or from_address().rpartition("@")[2]
    value = dns_value(pem)
    print(f"key     {path}\nname    {selector}._domainkey.{domain}\ntype    TXT\nvalue   {value}")
    if not options.dkim_selector:
        print(f'\nOnce the record is in the DNS, write dkim_selector = "{selector}" into broadsheet.toml.')
    return 0


def _messages(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for folder in (path / "cur", path / "new", path):
            if folder.is_dir():
                for file in sorted(folder.iterdir()):
                    if file.is_file() and not file.name.startswith("."):
                        yield file.read_bytes()
        return
    with path.open("rb") as file:
        begins = file.read(5)
    if begins == b"From ":
        for message in mailbox.mbox(path, create=False):
            yield message.as_bytes()
    else:
        yield path.read_bytes()


def run_bounces(args: argparse.Namespace) -> int:
    """May be run again over the same mails: each counts once. 0; 1 when PATH is not there."""
    if not args.path.exists():
        print(f"{args.path} is not there.", file=sys.stderr)
        return FOUND_WRONG
    counted: dict[str, int] = {}
    for raw in _messages(args.path):
        kind = reports.take_message(raw=raw, now=clock.now())
        counted[kind] = counted.get(kind, 0) + 1
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counted.items())) or "nothing there")
    return 0


def run_settle(args: argparse.Namespace) -> int:
    """Those whose Message-ID stands in the log have arrived; the others are sent again. 0, or 1 without such a log."""
    if queries.issue(args.issue) is None or not args.log.is_file():
        print("There is no such issue, or no such file.", file=sys.stderr)
        return FOUND_WRONG
    pattern = re.compile(rf"\bn{args.issue}\.(\d+)\.([0-9a-f]{{12}})@")
    known: set[int] = set()
    with args.log.open("r", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            for address, _ in pattern.findall(line):
                known.add(int(address))

    def arrived(addresses: Collection[int]) -> Collection[int]:
        return [one for one in addresses if one in known and message_name(args.issue, one)]

    yes, again = sending.settle(issue_id=args.issue, arrived=arrived, before=clock.now() - _LOG_BEHIND)
    print(f"{yes} had arrived, {again} are sent again")
    return 0


def run_status(args: argparse.Namespace) -> int:
    """The latest issues, newest first. 1 when one of them is in trouble."""
    recent = queries.recent_issues(20)
    for one in recent:
        row = {
            "id": one.id, "list": one.list_slug, "number": one.number, "status": one.status,
            "recipients": one.recipients, "sent": one.sent, "refused": one.refused, "doubtful": one.doubtful,
            "skipped": one.skipped, "trouble": one.trouble,
        }  # fmt: skip
        if getattr(args, "json", False):
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(f"{one.id}  {one.list_slug} {one.number}  {one.status}  {one.sent}/{one.recipients}  {one.trouble}")
    return FOUND_WRONG if any(one.trouble for one in recent) else 0
