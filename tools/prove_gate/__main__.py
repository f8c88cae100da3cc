"""`python -m tools.prove_gate`: runs the proof and says what was found; exit status 1 when anything was."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tools.bench_gate.machine import BenchError
from tools.prove_gate.proof import Findings, Plan, Proof


def say(text: str) -> None:
    print(text, flush=True)


def told(found: Findings) -> list[str]:
    lines = [
        f"{found.requests} requests in {found.seconds:.0f} s ({found.requests / max(1, found.seconds):.0f} a second)",
        "changes: " + ", ".join(f"{count} {name}" for name, count in sorted(found.changes.items())),
        "reasons: " + ", ".join(f"{count} {name}" for name, count in found.reasons.most_common()),
        f"asked again because a connection had been closed: {found.retries}",
        *[f"memory: {line}" for line in found.growth],
        *[f"GREW: {line}" for line in found.grown],
        *[f"WRONG: {fault}" for fault in found.faults[:20]],
    ]
    verdict = "nothing wrong" if not (found.faults or found.grown) else f"{len(found.faults)} wrong answers"
    return [*lines, f"found: {verdict}"]


def main() -> int:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="prove_gate", description=__doc__)
    parser.add_argument("--requests", type=int, default=usual.requests)
    parser.add_argument("--minutes", type=float, default=usual.seconds / 60)
    parser.add_argument("--every", type=float, default=usual.every, help="seconds between two changes")
    parser.add_argument("--workers", type=int, default=usual.workers)
    parser.add_argument("--crowds", type=int, default=usual.crowds, help="processes full of readers")
    parser.add_argument("--ports", default="8490-8519", help="a range to take a free port from")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-proof-"))
    first, _, last = args.ports.partition("-")
    plan = Plan(args.requests, args.minutes * 60, args.every, workers=args.workers, crowds=args.crowds)
    try:
        found = Proof(folder, plan, say, (int(first), int(last or first))).run()
    except BenchError as error:
        say(f"prove-gate: {error}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for line in told(found):
        say(line)
    return 1 if found.faults or found.grown else 0


if __name__ == "__main__":
    sys.exit(main())
