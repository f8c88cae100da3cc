"""The program's own commands: init, serve, work, config."""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from broadsheet.server import options as option_table
from broadsheet.server import supervisor
from broadsheet.server.options import OPTIONS, OptionError, load
from broadsheet.server.outbox import OutboxAwayError, open_outbox


def add_commands(subparsers: Any) -> None:
    init = subparsers.add_parser("init", help="make a new, empty paper in a folder")
    init.add_argument("folder", metavar="DIR", type=Path)
    init.add_argument("--name", default="", help="the paper's name")
    init.add_argument("--editor", default="editor@localhost", metavar="EMAIL", help="the first editor's address")
    init.set_defaults(run=run_init)
    serve = subparsers.add_parser("serve", help="the site")
    serve.add_argument("--port", type=int, help="overrides the option `port`")
    serve.add_argument(
        "--role",
        default="all",
        help="all, or some of gate (answers readers), newsroom (Django's pages) and work (the jobs): gate,newsroom",
    )
    serve.set_defaults(run=run_serve)
    work = subparsers.add_parser("work", help="the jobs, when the site runs without them")
    work.set_defaults(run="broadsheet.server.work:run_work")
    config = subparsers.add_parser("config", help="every option with its value and source")
    config.set_defaults(run=run_config)


def run_config(args: argparse.Namespace) -> int:
    """Secrets are redacted: the output may be pasted into a report."""
    options = load(args.data)
    decided = _decided(options)
    for option in OPTIONS:
        value, source = getattr(options, option.name), options.sources[option.name]
        if option.secret and value:
            value = "(set)"
        if option.name in decided:
            value, source = decided[option.name], "admin"
        row = {"name": option.name, "value": value, "source": source, "default": option.default}
        if args.json:
            print(json.dumps({**row, "secret": option.secret, "help": option.help}, ensure_ascii=False))
        else:
            print(f"{option.name} = {value!r}  ({row['source']})\n    {option.help}")
    for warning in _unknown_sections(options):
        print(f"broadsheet: {warning}", file=sys.stderr)
    return 0


_OF_THE_POLICY = {
    "free_limit": "free_limit",
    "registered_limit": "registered_limit",
    "meter_window": "window",
    "meter_mode": "mode",
    "section_limits": "section_limits",
}


def _decided(options: Any) -> dict[str, Any]:
    """The options that a policy switched on in the admin holds instead of; none while the database cannot be asked."""
    if not options.database_url and not (options.data / "broadsheet.sqlite3").exists():
        return {}
    outbox = open_outbox(options)
    try:
        policy = outbox.standing().get("policy")
    except OutboxAwayError:
        return {}
    finally:
        outbox.close()
    return {name: policy[value] for name, value in _OF_THE_POLICY.items()} if policy else {}


def _unknown_sections(options: Any) -> list[str]:
    """What the check of `section_limits` says, if there is a database to ask."""
    made = options.database_url or (options.data / "broadsheet.sqlite3").exists()
    if not options.section_limits or not made:
        return []
    from broadsheet.server.setup import ServiceUnreachableError, start_django  # noqa: PLC0415 - Django

    try:
        start_django()
    except ServiceUnreachableError:
        return []
    from broadsheet.server.checks import limits_name_sections  # noqa: PLC0415 - needs Django's apps

    return [f"{warning.msg} {warning.hint}" for warning in limits_name_sections(databases=("default",))]


def run_init(args: argparse.Namespace) -> int:
    folder = args.folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        raise OptionError(f"{args.folder} is not empty; a new paper needs a folder of its own.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # paid text and readers' addresses lie in it
    text = option_table.template()
    if args.name:
        text = text.replace('# name = "The Daily Broadsheet"', f"name = {json.dumps(args.name, ensure_ascii=False)}")
    (folder / "broadsheet.toml").write_text(text, "utf-8")
    os.environ["BROADSHEET_DATA"] = str(folder)
    from broadsheet.server.setup import start_django  # noqa: PLC0415 - `serve` starts in half the time without

    start_django()
    from broadsheet.server.first_day import open_paper  # noqa: PLC0415 - needs Django

    password = secrets.token_urlsafe(12)
    open_paper(editor=args.editor, password=password)
    if args.json:
        print(json.dumps({"data": str(folder), "editor": args.editor, "password": password}))
    else:
        print(f"A new paper lies in {folder}.\n  editor    {args.editor}\n  password  {password}  (shown once)\n")
        print(f"Start it:  broadsheet --data {args.folder} serve\nIts newsroom is at /admin/.")
    return 0


def serve_paper(data: Path, *, announce: Callable[[], None]) -> int:
    """Run the whole paper in `data` until it is told to stop; `announce` is called when it answers."""
    return _supervise(data, frozenset(supervisor.ROLES), announce)


def _supervise(data: Path, roles: frozenset[str], announce: Callable[[], None]) -> int:
    logging.basicConfig(format="{asctime} {levelname} {name}: {message}", style="{", level=logging.INFO)
    return supervisor.Supervisor(lambda: load(data), roles, announce).run()


def _roles(text: str) -> frozenset[str]:
    names = {name.strip() for name in text.split(",")}
    if not names <= {*supervisor.ROLES, "all"}:
        raise OptionError(f"--role takes all, {', '.join(supervisor.ROLES)} or several of them, not {text!r}.")
    return frozenset(supervisor.ROLES if "all" in names else names)


def run_serve(args: argparse.Namespace) -> int:
    roles = _roles(args.role)
    if not args.data.exists():
        raise OptionError(f"{args.data} does not exist; `broadsheet init {args.data.name}` makes a paper.")
    if args.port:
        os.environ["BROADSHEET_PORT"] = str(args.port)
    options = load(args.data)

    def announce() -> None:
        if args.quiet:
            return
        if "gate" in roles:
            print(f"{options.name} is at {options.public_url} (listening on port {options.port})", file=sys.stderr)
        else:
            print(f"{' and '.join(sorted(roles))}: running for {options.name}", file=sys.stderr)

    if "gate" in roles and not options.https and not args.quiet:
        print("Plain http: cookies travel unencrypted. Set public_url to https before readers come.", file=sys.stderr)
    return _supervise(args.data, roles, announce)
