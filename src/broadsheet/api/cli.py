"""The command `broadsheet api client`: who may ask readers to be let in."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from django.core.exceptions import ValidationError

from broadsheet import clock
from broadsheet.api import actions, queries
from broadsheet.dates import rfc3339
from broadsheet.partners.queries import name_of

USAGE = 2


def add_commands(subparsers: Any) -> None:
    """Adds `api client` with `add`, `list`, `secret` and `remove`."""
    api = subparsers.add_parser("api", help="apps and partners that readers may let in")
    groups = api.add_subparsers(dest="api_command", required=True, metavar="client")
    client = groups.add_parser("client", help="register them, list them, end them")
    verbs = client.add_subparsers(dest="verb", required=True, metavar="add|list|secret|remove")
    add = verbs.add_parser("add", help="register an app or a partner; its secret is shown this once")
    add.add_argument("name", help="as readers know it")
    add.add_argument("--partner", default="", metavar="CODE", help="it belongs to this partner")
    add.add_argument("--secret", action="store_true", help="it can keep a secret: a server, not an app on a telephone")
    add.add_argument("--tv", action="store_true", help="it may also sign in by a code on another screen")
    add.add_argument("--redirect", action="append", default=[], metavar="URI", help="where answers go; may be repeated")
    add.add_argument("--logout", action="append", default=[], metavar="URI", help="where it may send after logging out")
    add.add_argument("--scopes", default="openid", help=f"by commas: {', '.join(queries.SCOPES)}")
    add.add_argument("--rate", type=int, default=0, help="requests a minute; 0 is what the options say")
    verbs.add_parser("list", help="every client")
    for verb, words in (("secret", "a new secret; the old one ends"), ("remove", "end it and all its tokens")):
        one = verbs.add_parser(verb, help=words)
        one.add_argument("client_id", metavar="ID")
    for verb, run in (("add", run_add), ("list", run_list), ("secret", run_secret), ("remove", run_remove)):
        verbs.choices[verb].set_defaults(run=run)
        verbs.choices[verb].add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="as JSON")


def _values(row: queries.ClientRow, **more: str) -> dict[str, Any]:
    return {
        "client_id": row.id, "name": row.name, "kind": row.kind, "partner": row.partner, "public": row.public,
        "redirect_uris": list(row.redirect_uris), "scopes": list(row.scopes), "rate": row.rate,
        "created_at": rfc3339(row.created_at), **more,
    }  # fmt: skip


def _say(args: argparse.Namespace, values: dict[str, Any]) -> None:
    if getattr(args, "json", False):
        print(json.dumps(values, ensure_ascii=False))
        return
    for name, value in values.items():
        print(f"{name}: {' '.join(value) if isinstance(value, list) else value}")


def run_add(args: argparse.Namespace) -> int:
    if args.partner and name_of(args.partner) is None:
        sys.stderr.write(f"broadsheet: there is no partner {args.partner!r}.\n")
        return USAGE
    draft = actions.Draft(
        name=args.name,
        kind="partner" if args.partner else "app",
        partner=args.partner,
        public=not args.secret,
        tv=args.tv,
        redirect_uris=args.redirect,
        logout_uris=args.logout,
        scopes=[scope.strip() for scope in args.scopes.split(",") if scope.strip()],
        rate=args.rate,
    )
    try:
        row, secret = actions.add_client(draft=draft, now=clock.now())
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            sys.stderr.write(f"broadsheet: {name}: {' '.join(messages)}\n")
        return USAGE
    _say(args, _values(row, **({"client_secret": secret} if secret else {})))
    if secret:
        sys.stderr.write("The secret is stored as a digest and shown this once.\n")
    return 0


def run_list(args: argparse.Namespace) -> int:
    for row in queries.clients():
        if getattr(args, "json", False):
            print(json.dumps(_values(row), ensure_ascii=False))
        else:
            print(f"{row.id}  {row.kind:<8} {row.name}  ({' '.join(row.scopes)})")
    return 0


def run_secret(args: argparse.Namespace) -> int:
    row = queries.client(args.client_id)
    if row is None or row.public:
        sys.stderr.write(f"broadsheet: no client {args.client_id!r} keeps a secret.\n")
        return USAGE
    _say(args, {"client_id": row.id, "client_secret": actions.renew_secret(client_id=row.id)})
    return 0


def run_remove(args: argparse.Namespace) -> int:
    if queries.client(args.client_id) is None:
        sys.stderr.write(f"broadsheet: there is no client {args.client_id!r}.\n")
        return USAGE
    actions.remove_client(client_id=args.client_id)
    return 0
