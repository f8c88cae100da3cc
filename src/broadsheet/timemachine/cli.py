"""`broadsheet billing simulate FILE`: reads the file, walks it on a scratch paper, prints what happened."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from broadsheet.timemachine import printing, scratch, steps
from broadsheet.timemachine.reading import ScenarioError

DONE, FAILED, USAGE = 0, 1, 2


def add_to(commands: Any) -> None:
    """Add `simulate` to the commands of `billing`."""
    parser = commands.add_parser(
        "simulate",
        help="the time machine: walk a scenario file through years",
        description="Walks FILE on the real code with a sandbox till and a scratch database; the paper's own data is "
        "not touched. Exit status 1 when an expectation does not hold, 2 when the file makes no sense.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a scenario in YAML; see docs/time-machine.md")
    # SUPPRESS keeps what was given before the command.
    parser.add_argument("--data", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object an event")
    parser.add_argument("--quiet", action="store_true", default=argparse.SUPPRESS, help="no progress on stderr")
    parser.set_defaults(run=run_simulate)


def run_simulate(args: argparse.Namespace) -> int:
    """Exit status: 0 all expectations hold, 1 one does not, 2 the file makes no sense."""
    try:
        scenario = steps.load(args.file)
    except ScenarioError as error:
        print(f"{args.file}:{error.line}: {error}", file=sys.stderr)
        return USAGE
    show = printing.as_json if getattr(args, "json", False) else printing.Text(scenario.currency).line
    with scratch.paper(scenario):
        args.start_billing()
        from broadsheet.timemachine.walk import Walk  # noqa: PLC0415 - needs Django's apps

        walk = Walk(scenario, lambda row: print(show(row), flush=True))
        walk.run()
    return FAILED if walk.failed else DONE
