"""`python -m tools.bench_gate`: what is asked for, in which order, and what is said about it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tools.bench_gate import machine
from tools.bench_gate.bench import Bench, Settings
from tools.bench_gate.measure import Run
from tools.bench_gate.scenarios import SCENARIOS


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench_gate", description=__doc__)
    parser.add_argument("--only", default=",".join(SCENARIOS), help="scenarios, comma-separated")
    parser.add_argument("--pairs", type=int, default=8, help="alternating pairs of slices a scenario")
    parser.add_argument("--seconds", type=int, default=2, help="the length of a slice")
    parser.add_argument("--tries", type=int, default=3, help="runs until nginx is steady")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--no-cache", action="store_true", help="leave nginx's page cache out")
    parser.add_argument("--scratch", type=Path, help="a folder to keep and use again (saves the filling)")
    parser.add_argument("--json", action="store_true", help="results as one JSON object a line on stdout")
    return parser.parse_args()


def _row(name: str, run: Run) -> dict[str, object]:
    row: dict[str, object] = {"scenario": name, "pairs": len(run.slices["gate"])}
    for server in run.slices:
        row[server] = {
            "requests_per_cpu_second": round(sum(run.per_cpu(server)) / len(run.per_cpu(server))),
            "share_of_core": round(run.share(server), 2),
            "p50_ms": run.middle(server, "p50") / 1000,
            "p99_ms": run.middle(server, "p99") / 1000,
            "bytes": round(run.middle(server, "bytes_each")),
        }
        if server != "nginx":
            ratio = run.ratio(server, "nginx")
            row[f"{server} / nginx"] = [round(ratio.value, 3), round(ratio.low, 3), round(ratio.high, 3)]
    if "page cache" in run.slices:
        ratio = run.ratio("gate", "page cache")
        row["gate / page cache"] = [round(ratio.value, 3), round(ratio.low, 3), round(ratio.high, 3)]
    whole = run.ratio("gate", "nginx", whole=True)
    row["whole tree / nginx"] = [round(whole.value, 3), round(whole.low, 3), round(whole.high, 3)]
    row["nginx_spread"] = round(run.spread("nginx"), 3)
    row["foreign_share_of_core"] = round(run.foreign(), 3)
    return row


def main() -> int:
    args = _arguments()
    settings = Settings(args.pairs, args.seconds, args.tries, args.connections)
    folder = args.scratch or Path(tempfile.mkdtemp(prefix="broadsheet-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(folder.resolve(), settings, say)
    try:
        for program in ("nginx", "wrk", "taskset"):
            machine.need(program, "util-linux" if program == "taskset" else "")
        say(f"load of the machine: {os.getloadavg()[0]:.1f}")
        bench.open()
        for name in args.only.split(","):
            run = bench.run(name, with_cache=not args.no_cache)
            row = _row(name, run)
            if args.json:
                print(json.dumps(row), flush=True)
            say(_told(row))
        for process in bench.memory():
            say(f"  {process.rss // 1024:5d} MB resident, {process.pss // 1024:5d} MB proportional  {process.name}")
    except machine.MissingToolError as error:
        say(f"bench-gate: {error}")
        return machine.MISSING
    except machine.BenchError as error:
        say(f"bench-gate: {error}")
        say(bench.paper.last_words()[-600:])
        return 1
    finally:
        bench.close()
        if not args.scratch:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _told(row: dict) -> str:
    lines = [
        f"{row['scenario']}: nginx varied by {row['nginx_spread']:.0%}",
        f"  {row['foreign_share_of_core']:.0%} of the core went elsewhere",
    ]
    for name, value in row.items():
        if isinstance(value, dict):
            lines.append(
                f"  {name:<12} {value['requests_per_cpu_second']:>7} requests/CPU-s  share {value['share_of_core']:.2f}"
                f"  p50 {value['p50_ms']:.2f} p99 {value['p99_ms']:.2f} ms  {value['bytes']} bytes"
            )
        elif isinstance(value, list):
            lines.append(f"  {name:<22} {value[0]:.2f} ({value[1]:.2f}-{value[2]:.2f})")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
