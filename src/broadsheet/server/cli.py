"""`broadsheet COMMAND …`: finds the command's package, prepares what it needs, and turns errors into exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from broadsheet import __version__, clock
from broadsheet.dates import parse_instant
from broadsheet.server.commands import serve_paper
from broadsheet.server.failures import UNREACHABLE, USAGE, ServiceUnreachableError
from broadsheet.server.options import OptionError, data_folder


@dataclass(frozen=True, slots=True)
class Command:
    """A first word: the module whose `add_commands(subparsers)` parses the rest, and whether it needs Django for that.

    A parsed command names its function in `run`: a callable, or "module:function" to be imported once Django is up.
    """

    module: str
    help: str
    django: bool = False


COMMANDS = {
    "init": Command("broadsheet.server.commands", "make a new, empty paper in a folder"),
    "demo": Command("broadsheet.demo.cli", "a living demo paper"),
    "serve": Command("broadsheet.server.commands", "the site"),
    "work": Command("broadsheet.server.commands", "the jobs, when the site runs without them"),
    "config": Command("broadsheet.server.commands", "every option with its value and source"),
    "keys": Command("broadsheet.server.keys", "rotate the installation's secret"),
    "wire": Command("broadsheet.wire.cli", "read agency files, or file them as stories"),
    "story": Command("broadsheet.desk.cli", "add a story from a Markdown file", django=True),
    "why": Command("broadsheet.desk.cli", "why a reader is stopped or let in", django=True),
    "leakcheck": Command("broadsheet.leakcheck.cli", "prove that the wall does not leak"),
    "billing": Command("broadsheet.subscriptions.cli", "renewals and the subscription desk", django=True),
    "till": Command("broadsheet.payments.cli", "the sandbox till as a process of its own"),
    "epaper": Command("broadsheet.epaper.cli", "editions from the press's PDF", django=True),
    "api": Command("broadsheet.api.cli", "apps and partners that readers may let in", django=True),
    "markets": Command("broadsheet.markets.cli", "take in prices for the investor section", django=True),
    "newsletters": Command("broadsheet.newsletters.cli", "keys, bounces and sendings of newsletters", django=True),
    "archive": Command("broadsheet.archive.cli", "search what was published", django=True),
    "partners": Command("broadsheet.partners.cli", "partner titles: stock, files, vouchers", django=True),
}
# Commands that another package adds to a group, as `add_to(commands)`. They need neither the paper's folder nor Django.
INSIDE = {("billing", "simulate"): "broadsheet.timemachine.cli"}


def _globals(parser: argparse.ArgumentParser, *, top: bool) -> None:
    default = None if top else argparse.SUPPRESS
    parser.add_argument("--data", metavar="DIR", default=default, help="the paper's folder (or BROADSHEET_DATA)")
    for name, text in (("--json", "one JSON object a line"), ("--quiet", "no progress on stderr")):
        parser.add_argument(name, action="store_true", default=False if top else argparse.SUPPRESS, help=text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="broadsheet", description="The digital newspaper a publisher hosts itself.")
    parser.add_argument("--version", action="version", version=f"broadsheet {__version__}")
    _globals(parser, top=True)
    return parser


def _plain_words(words: Sequence[str]) -> Iterator[str]:
    """What is neither an option nor the value of one that stands before the command."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "--data":
            skip = True
        elif not word.startswith("-"):
            yield word


def _data_of(words: Sequence[str]) -> str | None:
    """--data wherever it stands: the folder must be known before a command's own module may be imported."""
    for place, word in enumerate(words):
        if word == "--data" and place + 1 < len(words):
            return words[place + 1]
        if word.startswith("--data="):
            return word.partition("=")[2]
    return None


def _overview(parser: argparse.ArgumentParser) -> None:
    lines = [f"  {name:<10} {command.help}" for name, command in COMMANDS.items()]
    parser.epilog = "commands:\n" + "\n".join(lines) + "\n\n`broadsheet COMMAND --help` tells more."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "broadsheet [--data DIR] [--json] [--quiet] COMMAND …"


def run(words: Sequence[str]) -> int:
    """Run one command line; returns the exit status."""
    parser = _parser()
    name = next(_plain_words(words), None)
    if name not in COMMANDS:
        _overview(parser)
        if name is None:
            parser.parse_args(words or ["--help"])
            return 0
        print(f"broadsheet: there is no command {name!r}; `broadsheet --help` lists them.", file=sys.stderr)
        return USAGE
    os.environ["BROADSHEET_DATA"] = str(data_folder(_data_of(words)))
    try:
        return _run(parser, COMMANDS[name], words)
    except OptionError as error:
        print(f"broadsheet: {error}", file=sys.stderr)
        return USAGE
    except ServiceUnreachableError as error:
        print(f"broadsheet: {error}", file=sys.stderr)
        return UNREACHABLE
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not our error, and no trace of one.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _set_clock() -> None:
    """BROADSHEET_CLOCK starts this process's clock at an instant: for scratch copies, never for a paper."""
    instant = os.environ.get("BROADSHEET_CLOCK", "")
    if instant:
        try:
            clock.start_at(parse_instant(instant))
        except ValueError as error:
            raise OptionError(f"BROADSHEET_CLOCK: {error}") from None


def _start_django(*, database: bool = True) -> None:
    from broadsheet.server.setup import start_django  # noqa: PLC0415 - `serve` starts in half the time without

    start_django(database=database)


def _start_billing() -> None:
    from broadsheet.server.setup import start_billing  # noqa: PLC0415 - as above

    start_billing()


def _add_commands(subparsers: Any, command: Command, words: Sequence[str]) -> None:
    """Add what the command's module brings, and what others bring to its group. When it is one of theirs that is called
    for, nothing else is imported and Django stays down."""
    name, inside, *_ = [*_plain_words(words), None, None]
    if (name, inside) in INSIDE:
        group = subparsers.add_parser(name, help=command.help).add_subparsers(required=True, metavar="COMMAND")
        import_module(INSIDE[str(name), str(inside)]).add_to(group)
        return
    if command.django:
        _start_django(database=not {"-h", "--help"} & set(words))
    group = import_module(command.module).add_commands(subparsers)
    for (outer, _), module in INSIDE.items():
        if outer == name:
            import_module(module).add_to(group)


def _run(parser: argparse.ArgumentParser, command: Command, words: Sequence[str]) -> int:
    _set_clock()
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_commands(subparsers, command, words)
    for sub in subparsers.choices.values():
        _globals(sub, top=False) if "--data" not in sub._option_string_actions else None  # noqa: SLF001
    args = parser.parse_args(words)
    args.data = Path(os.environ["BROADSHEET_DATA"])
    # The demo and the time machine lie below the server and must not import it.
    args.serve_paper, args.start_billing = serve_paper, _start_billing
    target: Any = args.run
    if isinstance(target, str):
        _start_django()
        module, _, function = target.partition(":")
        target = getattr(import_module(module), function)
    return int(target(args))
