"""`broadsheet demo`: makes the demo paper in a folder of its own and starts it."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from broadsheet import clock
from broadsheet.dates import parse_instant
from broadsheet.demo import rules

FOLDER = "broadsheet-demo"
MARK = "demo.mark"
PORT = 8000


def add_commands(subparsers: Any) -> None:
    demo = subparsers.add_parser("demo", help="a living demo paper")
    demo.add_argument("--port", type=int, default=PORT, help=f"the port to listen on (default {PORT})")
    demo.add_argument("--now", metavar="INSTANT", help="start its clock there, such as 2027-01-10T09:00:00+05:30")
    demo.set_defaults(run=run_demo)


def _fail(text: str) -> int:
    print(f"broadsheet: {text}", file=sys.stderr)
    return 2


def run_demo(args: argparse.Namespace) -> int:
    """Runs until it is stopped. `args.serve_paper` is the server's entry, handed down by the command line.

    Exit status 2 for an instant that is none, a taken port, or a folder that holds something else than a demo.
    """
    # Without --data the demo takes a folder of its own: the default one may hold a real paper.
    folder = Path(FOLDER).resolve() if args.data == Path("broadsheet-data").resolve() else args.data
    if args.now:
        try:
            clock.start_at(parse_instant(args.now))
        except ValueError as error:
            return _fail(f"--now: {error}")
    if not _is_free(args.port):
        return _fail(f"port {args.port} is taken; try --port {args.port + 1}")
    if not _take(folder):
        return _fail(f"{folder} is not empty and holds no demo; name another folder with --data.")
    os.environ |= {"BROADSHEET_DATA": str(folder), "BROADSHEET_DEMO": "1", "BROADSHEET_PORT": str(args.port)}
    # Its invoices name a place of supply, as every Indian paper's have to.
    os.environ.setdefault("BROADSHEET_PUBLISHER_STATE", "Delhi")
    status: int = args.serve_paper(folder, announce=lambda: _announce(args, folder))
    return status


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def _take(folder: Path) -> bool:
    """Mark `folder` as a demo's; False when it holds anything else. A real paper must never get invented stories."""
    if (folder / MARK).exists():
        return True
    if folder.exists() and any(folder.iterdir()):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    options = {"name": rules.NAME, "tagline": rules.TAGLINE, "ads": True}
    lines = ["# The demo paper. `broadsheet config` lists every option.", ""]
    lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in options.items()]
    (folder / "broadsheet.toml").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / MARK).write_text("This folder holds a demo paper; it may be deleted.\n", "utf-8")
    return True


def _announce(args: argparse.Namespace, folder: Path) -> None:
    if args.quiet:
        return
    base = f"http://localhost:{args.port}"
    links = {who.door: f"{base}/demo/{who.door}" for who in rules.PERSONAS}
    if args.json:
        row = {"url": base + "/", "data": str(folder), "doors": links, "mailbox": f"{base}/demo/mail"}
        print(json.dumps(row, ensure_ascii=False), flush=True)
        return
    lines = [f"{rules.NAME} is at {base}/", "", "  Enter as"]
    lines += [f"    {who.title.lower():<18} {links[who.door]}" for who in rules.PERSONAS]
    lines += [
        f"  Letters              {base}/demo/mail",
        f"  The wire drips into  {_short(folder)}/wire/incoming",
        "",
        "Ctrl-C stops it.",
    ]
    print("\n".join(lines), flush=True)


def _short(folder: Path) -> str:
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)
