"""The command `broadsheet leakcheck`: arguments, progress and printing, no decisions."""

from __future__ import annotations

import argparse
from typing import Any

from broadsheet.leakcheck.report import run_scratch
from broadsheet.leakcheck.stories import TWINS

ACT = "act"


class _Elsewhere(argparse.Action):
    """An argument that makes the command need Django: its function is named and imported once Django is up."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:  # noqa: ARG002
        setattr(namespace, self.dest, values)
        if self.dest == "night":
            namespace.run = "broadsheet.leakcheck.looking:run_night"
        elif self.dest == "url":
            namespace.run = "broadsheet.leakcheck.live:run_live"
        else:
            namespace.run = f"broadsheet.leakcheck.scratch:run_{'act' if values == ACT else 'fill'}"


def add_commands(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "leakcheck",
        help="prove that the wall does not leak",
        description="Without --url: two scratch papers that differ in hidden text, every surface x reader x trick. "
        "With --url: the same tricks on a live site, looking for this installation's hidden text.",
    )
    parser.add_argument("--url", action=_Elsewhere, metavar="URL", help="probe this site from outside, reading only")
    parser.add_argument("--stories", type=int, default=40, metavar="N", help="with --url: the newest N stories")
    parser.add_argument("--rate", type=float, default=25.0, metavar="R", help="with --url: requests a second at most")
    parser.add_argument("--seconds", type=float, default=300.0, metavar="S", help="with --url: stop after S seconds")
    parser.add_argument("--seed", type=int, metavar="N", help="repeat the chance tricks of an earlier run")
    parser.add_argument("--night", action=_Elsewhere, nargs=0, help="the night's run, kept for the report")
    parser.add_argument("--fill", action=_Elsewhere, choices=(*TWINS, ACT), help=argparse.SUPPRESS)
    parser.set_defaults(run=run_scratch)
