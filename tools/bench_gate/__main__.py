"""`python -m tools.bench_gate`: what is asked for, in which order, and what is said about it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.bench_gate import busy, machine, peers, report
from tools.bench_gate.bench import Bench, Settings
from tools.bench_gate.load import BROWSER_HEADERS, PLAIN_HEADERS
from tools.bench_gate.scenarios import SCENARIOS
from tools.bench_gate.setups import SETUPS

BUSY = "busy"
CALM = 0.3  # the share of its saturated rate at which latency is taken too


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench_gate", description=__doc__)
    names = [*SCENARIOS, BUSY]
    parser.add_argument("--only", default=",".join(names), help=f"scenarios, of {', '.join(names)}")
    parser.add_argument("--setups", default="cookie", help=f"ways to run it, of {', '.join(SETUPS)}; or all")
    parser.add_argument("--pairs", type=int, default=8, help="alternating pairs of slices a scenario")
    parser.add_argument("--seconds", type=int, default=2, help="the length of a slice")
    parser.add_argument("--tries", type=int, default=3, help="runs until nginx is steady")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--no-cache", action="store_true", help="leave nginx's page cache out")
    parser.add_argument("--peer", action="store_true", help="measure the same story on plain Wagtail, too")
    parser.add_argument("--browser-headers", action="store_true", help="send the headers that a browser sends")
    parser.add_argument("--cores", default="0,1", help="the servers' and the client's")
    parser.add_argument("--ports", default="8490-8519", help="a range to take free ports from")
    parser.add_argument("--scratch", type=Path, help="a folder to keep and use again (saves the filling)")
    parser.add_argument("--json", action="store_true", help="results as one JSON object a line on stdout")
    parser.add_argument("--write", action="store_true", help="put the results into docs/performance.md")
    return parser.parse_args()


def _settings(args: argparse.Namespace) -> Settings:
    server, client = (int(core) for core in args.cores.split(","))
    first, _, last = args.ports.partition("-")
    headers = BROWSER_HEADERS if args.browser_headers else PLAIN_HEADERS
    return Settings(
        args.pairs, args.seconds, args.tries, args.connections, server, client, (int(first), int(last)), headers
    )


class Session:
    """One call of the program: setups one after another, and everything that was found."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.args, self.folder, self.settings = args, folder, _settings(args)
        self.rows: list[dict[str, Any]] = []
        self.sizes = (0.0, 0.0)

    def run(self) -> None:
        for program, package in (("nginx", ""), ("wrk", ""), ("taskset", "util-linux"), ("openssl", "")):
            machine.need(program, package)
        say(f"load of the machine before: {os.getloadavg()[0]:.1f} (below 0.3 it is quiet)")
        setups = list(SETUPS) if self.args.setups == "all" else self.args.setups.split(",")
        for setup in setups:
            bench = Bench(self.folder, self.settings, setup, say)
            try:
                self._measure(bench, setup)
            except machine.BenchError:
                say(bench.paper.last_words()[-600:])
                raise
            finally:
                bench.close()

    def _measure(self, bench: Bench, setup: str) -> None:
        bench.open()
        self.sizes = bench.sizes()
        say(f"{setup}: {SETUPS[setup]}. {self.sizes[0]:.1f} kB of HTML, {self.sizes[1]:.1f} kB gzipped")
        first = setup == "cookie"
        # The other setups answer one question each; two scenarios do.
        names = self.args.only.split(",") if first else [n for n in self.args.only.split(",") if n in ("new", "repeat")]
        for name in names:
            more = [peers.server(bench, say)] if first and name == "new" and self.args.peer else []
            with busy.day(bench) if name == BUSY else busy.nothing() as day:
                cached = first and not self.args.no_cache
                run = bench.run("new" if name == BUSY else name, with_cache=cached, more=more)
            found = report.row(setup, name, run)
            if name == BUSY:
                found["meanwhile"] = day.done()
            self._add(found)
            if name == "new":
                calm = bench.calm("new", CALM, run)
                self._add({"setup": setup, "scenario": "new", "share": CALM, "calm": calm})
        self._add(report.memory_row(setup, bench.memory()))

    def _add(self, found: dict[str, Any]) -> None:
        self.rows.append(found)
        say(report.told(found))
        if "meanwhile" in found:
            say(f"  meanwhile: {found['meanwhile']}")
        if self.args.json:
            print(json.dumps(found), flush=True)


def main() -> int:
    args = _arguments()
    folder = (args.scratch or Path(tempfile.mkdtemp(prefix="broadsheet-bench-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    session = Session(args, folder)
    try:
        session.run()
    except machine.MissingToolError as error:
        say(f"bench-gate: {error}")
        return machine.MISSING
    except machine.BenchError as error:
        say(f"bench-gate: {error}")
        return 1
    finally:
        peers.stop()
        if not args.scratch:
            shutil.rmtree(folder, ignore_errors=True)
    if args.json:
        print(json.dumps({"about": machine.versions()}))
    if args.write:
        report.write(session.rows, machine.versions(), session.sizes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
