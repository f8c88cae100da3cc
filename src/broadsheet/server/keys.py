"""`broadsheet keys`: a new secret for the seals, or an end to the old ones. Nobody is signed out by a rotation."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from broadsheet.server.options import OptionError, load
from broadsheet.server.secrets import (
    installation_secrets,
    prune,
    prune_signing,
    rotate,
    rotate_signing,
    secret_path,
    signing_path,
)

RELOAD = "Reload the paper now (SIGHUP, or a restart). With several machines, copy the file to each of them first."
ENDS = (
    "This ends what was sealed before the last rotation: visitors who have not come since begin a new meter, readers "
    "who have not come since sign in again, gift links made before it no longer open, and `broadsheet why` no longer "
    "finds the decisions recorded before this. Wait a window of the meter after rotating, then run it with --yes."
)


def add_commands(subparsers: Any) -> None:
    keys = subparsers.add_parser("keys", help="rotate the installation's secret")
    verbs = keys.add_subparsers(dest="verb", required=True, metavar="list|rotate|prune")
    verbs.add_parser("list", help="how many secrets there are").set_defaults(run=run_list)
    verbs.add_parser("rotate", help="seal with a new secret; the old ones still open").set_defaults(run=run_rotate)
    drop = verbs.add_parser("prune", help="drop all secrets but the newest")
    drop.add_argument("--yes", action="store_true", help="really")
    drop.set_defaults(run=run_prune)


def _path(args: argparse.Namespace) -> Path:
    path = secret_path(load(args.data))
    if not path.exists():
        raise OptionError(f"{path.name} does not exist; `broadsheet init` makes a paper with its secret.")
    try:
        installation_secrets(path)
    except ValueError as error:
        raise OptionError(str(error)) from None
    return path


def _say(args: argparse.Namespace, number: int, words: str) -> None:
    print(json.dumps({"secrets": number}) if args.json else words)


def run_list(args: argparse.Namespace) -> int:
    number = len(installation_secrets(_path(args)))
    _say(args, number, f"{number} secret{'s' if number > 1 else ''}; the newest seals, all open.")
    return 0


def run_rotate(args: argparse.Namespace) -> int:
    number = rotate(_path(args))
    rotate_signing(signing_path(load(args.data)))
    _say(args, number, f"A new secret seals from the next start on; {number - 1} still open what they sealed. {RELOAD}")
    return 0


def run_prune(args: argparse.Namespace) -> int:
    path = _path(args)
    if len(installation_secrets(path)) > 1 and not args.yes:
        raise OptionError(ENDS)
    dropped = prune(path)
    prune_signing(signing_path(load(args.data)))
    _say(args, 1, f"{dropped} dropped. {RELOAD}" if dropped else "There is one secret; nothing to drop.")
    return 0
