"""`python -m tools.bench_billing`: renewals a second and memory, from ten thousand due subscriptions to a million.

All of them are due; a slice of each size is renewed by a till that says yes at once, some at a time as the product's
job does. Figures of the CPU are given beside those of the clock: on a machine that is shared only they can be compared.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import nullcontext
from typing import Any

from tools.prove_billing.__main__ import _postgres

MOST_GROWTH = 1.3


def run(size: int, slice_: int, bare: int, url: str) -> dict[str, Any]:
    print(f"{size} subscribers …", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "tools.bench_billing.one", str(size), str(slice_), str(bare), url]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def told(one: dict[str, Any]) -> list[str]:
    each = one["cpu_seconds"] / max(1, one["renewed"])
    lines = [
        (
            f"{one['size']:>9} due: {one['renewed'] / one['seconds']:.0f} renewals a second by the clock, "
            f"{one['renewed'] / one['cpu_seconds']:.0f} a CPU second ({each * 1000:.1f} ms each); "
            f"memory {one['memory_mb']} MB (before: {one['memory_before_mb']})"
        ),
        (
            f"{'':>14} check of all: {one['check_seconds']:.0f} s, at most {one['check_memory_mb']} MB; "
            f"filled in {one['filled_seconds']:.0f} s, {one['file_mb']} MB"
        ),
    ]
    if one["bare_renewals"]:
        bare = one["bare_seconds"] / one["bare_renewals"]
        lines.append(
            f"{'':>14} a renewal is {one['statements']:.0f} statements, {one['writes']:.0f} of them writes; "
            f"the writes alone take {bare * 1000:.2f} ms of CPU: ours is {each / bare:.1f} times that"
        )
    return lines + [f"WRONG: {fault}" for fault in one["faults"]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench_billing", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--slice", type=int, default=5000, help="renewals that are timed at each size")
    parser.add_argument("--bare", type=int, default=1000, help="renewals whose writes are made again; SQLite only")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, a server from a wheel")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = []
    with _postgres() if args.postgres else nullcontext() as server:
        if args.postgres and server is None:
            print("bench-billing: there is no wheel of PostgreSQL for this platform", file=sys.stderr)
            return 3
        for size in map(int, args.sizes.split(",")):
            url = server.database(f"bench{size}") if server is not None else ""  # type: ignore[attr-defined]
            # The writes are made again on the smallest: the file is copied.
            found.append(run(size, min(args.slice, size // 2), min(args.bare, size // 4) if not found else 0, url))
            print(json.dumps(found[-1]) if args.json else "\n".join(told(found[-1])), flush=True)
    each = [one["cpu_seconds"] / one["renewed"] for one in found]
    growth = each[-1] / each[0]
    print(f"a renewal of the largest takes {growth:.2f} times that of the smallest (goal: at most {MOST_GROWTH})")
    return 0 if growth <= MOST_GROWTH and not any(one["faults"] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
