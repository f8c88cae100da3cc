"""`python -m tools.bench_billing.one SIZE SLICE BARE DATABASE`: one size in a process of its own; prints JSON."""

from __future__ import annotations

import json
import logging
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.bench_billing.bare import Ear, replayed
from tools.prove_billing import paper
from tools.prove_billing.plan import Plan

AT_ONCE = 100  # as subscriptions.jobs does
WARM = 100


@dataclass
class Measured:
    size: int
    filled_seconds: float = 0.0
    file_mb: int = 0
    renewed: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_before_mb: int = 0
    memory_mb: int = 0
    statements: float = 0.0
    writes: float = 0.0
    bare_seconds: float = 0.0
    bare_renewals: int = 0
    check_seconds: float = 0.0
    check_memory_mb: int = 0
    faults: list[str] = field(default_factory=list)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(size: int, slice_: int, bare: int, url: str, folder: Path) -> Measured:
    paper.start(folder, Plan(database_url=url), {})
    from tools.bench_billing import filling  # noqa: PLC0415
    from tools.bench_billing.instant import InstantTill  # noqa: PLC0415

    from broadsheet.payments.adapters import registry  # noqa: PLC0415 - Django first

    registry.BUILT_IN = ((InstantTill, ()), *registry.BUILT_IN)
    registry.BUILT_IN = tuple(reversed(registry.BUILT_IN))  # the sandbox sells, the instant till renews
    found = Measured(size)
    began = time.perf_counter()
    filling.fill(size)
    found.filled_seconds = time.perf_counter() - began
    book = folder / "broadsheet.sqlite3"
    found.file_mb = 0 if url else book.stat().st_size >> 20
    _renew(WARM)
    if bare and not url:
        _bare(found, bare, book, folder)
    found.memory_before_mb = _peak()
    cpu, began = time.process_time(), time.perf_counter()
    found.renewed = _renew(slice_)
    found.seconds, found.cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    found.memory_mb = _peak()
    _check(found)
    return found


def _renew(count: int) -> int:
    """Renew so many, as the job of the product does: some at a time."""
    from tools.bench_billing.filling import DUE  # noqa: PLC0415

    from broadsheet.subscriptions.actions import run_due  # noqa: PLC0415 - Django first

    done = 0
    while done < count:
        happened = run_due(now=DUE, most=min(AT_ONCE, count - done))
        renewed = sum(event.kind == "payment" for event in happened)
        if not renewed:
            break
        done += renewed
    return done


def _bare(found: Measured, count: int, book: Path, folder: Path) -> None:
    """The same renewals by us, and their writes alone on a copy."""
    from django.db import connection  # noqa: PLC0415 - Django first

    connection.close()
    copy = folder / "copy.sqlite3"
    shutil.copyfile(book, copy)
    ear = Ear()
    with connection.execute_wrapper(ear):
        found.bare_renewals = _renew(count)
    found.statements = ear.statements / max(1, found.bare_renewals)
    found.writes = sum(map(len, ear.heard)) / max(1, found.bare_renewals)
    found.bare_seconds = replayed(copy, ear.heard)
    copy.unlink()


def _check(found: Measured) -> None:
    """`billing check` over all of it."""
    from tools.bench_billing.filling import DUE  # noqa: PLC0415

    from broadsheet.subscriptions.check import violations  # noqa: PLC0415 - Django first

    began = time.perf_counter()
    for number, broken in enumerate(violations(now=DUE)):
        if number < 5:  # noqa: PLR2004 - enough to see what it is
            found.faults.append(str(broken))
    found.check_seconds, found.check_memory_mb = time.perf_counter() - began, _peak()


def main() -> int:
    size, slice_, bare = map(int, sys.argv[1:4])
    logging.disable(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-bench-"))
    try:
        print(json.dumps(asdict(measure(size, slice_, bare, sys.argv[4], folder))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
