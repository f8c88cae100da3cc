"""`billing import`: a file of subscribers, batch by batch; what was refused goes into a file of its own."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from broadsheet.payments.adapters.registry import providers
from broadsheet.subscriptions.actions.history import policies, today
from broadsheet.subscriptions.actions.imports import FileBook, Verdict, judge, take_over
from broadsheet.subscriptions.import_rows import (
    REFUSED,
    BadFileError,
    BadRowError,
    PlanFacts,
    Raw,
    Subscriber,
    World,
    opened,
    read,
)
from broadsheet.subscriptions.models import Coupon, Plan

BATCH = 500


@dataclass(slots=True)
class Tally:
    """How many lines were read, and what became of them."""

    rows: int = 0
    imported: int = 0
    known: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not taken: `reason` is a word, `detail` what stood there."""

    line: int
    email: str
    reason: str
    detail: str


def world(now: datetime) -> World:
    """What lines are held against today."""
    plans = {}
    for plan in Plan.objects.prefetch_related("prices"):
        prices = sorted(plan.prices.all(), key=lambda price: (price.new_from, price.pk))
        currency = prices[-1].currency if prices else ""
        plans[plan.code] = PlanFacts(plan.pk, plan.months, plan.min_quantity, plan.max_quantity, currency)
    coupons = {row.code.casefold(): (row.pk, row.duration == "forever") for row in Coupon.objects.all()}
    able = frozenset(code for code, till in providers().items() if till.capabilities.mandates)
    return World(today(now), plans, coupons, able, policies())


def import_file(
    path: Path,
    *,
    rejects: Path,
    dry_run: bool,
    actor: str,
    now: datetime,
    tally: Tally,
    progress: Callable[[], object] = tuple,
) -> Iterator[Refusal]:
    """Read a file into the paper, refusing line by line what cannot be taken; `rejects` gets those lines as they were.
    A dry run says the same and writes nothing but that file. Running it again takes only what is missing.

    BadFileError when the file as a whole cannot be read, or `rejects` not be written.
    """
    held = world(now)
    with ExitStack() as stack:
        columns, lines = stack.enter_context(opened(path))
        book = stack.enter_context(closing(FileBook()))
        kept = _Rejects(stack, rejects, [name for name in columns if name not in REFUSED])
        while batch := list(islice(lines, BATCH)):
            good, bad = _read(batch, held)
            verdicts = judge(good, book)
            if not dry_run:
                verdicts = take_over(verdicts, actor=actor, now=now)
            _count(tally, len(batch), verdicts)
            bad += [(one.row.line, one.fault) for one in verdicts if one.fault is not None]
            raws = {raw.line: raw for raw in batch}
            for line, fault in sorted(bad, key=lambda one: one[0]):
                tally.refused += 1
                kept.write(raws[line], fault)
                yield Refusal(line, raws[line].cells.get("email", ""), fault.reason, fault.detail)
            progress()


def _read(batch: list[Raw], held: World) -> tuple[list[Subscriber], list[tuple[int, BadRowError]]]:
    good: list[Subscriber] = []
    bad: list[tuple[int, BadRowError]] = []
    for raw in batch:
        try:
            good.append(read(raw, held))
        except BadRowError as fault:
            bad.append((raw.line, fault))
    return good, bad


def _count(tally: Tally, rows: int, verdicts: list[Verdict]) -> None:
    tally.rows += rows
    tally.imported += sum(one.status == "imported" for one in verdicts)
    tally.known += sum(one.status == "known" for one in verdicts)


class _Rejects:
    """The file of refused lines: made when there is one, so that an old one does not stay for new trouble."""

    def __init__(self, stack: ExitStack, path: Path, columns: list[str]) -> None:
        self._stack, self._path, self._columns = stack, path, columns
        self._writer: Any = None
        path.unlink(missing_ok=True)

    def write(self, raw: Raw, fault: BadRowError) -> None:
        if self._writer is None:
            try:
                file = self._stack.enter_context(self._path.open("w", encoding="utf-8", newline=""))
            except OSError as error:
                raise BadFileError(f"{self._path}: {error.strerror}.") from None
            self._writer = csv.writer(file)
            self._writer.writerow([*self._columns, *REFUSED])
        cells: Mapping[str, str] = raw.cells
        own = [cells.get(name, "") for name in self._columns]
        self._writer.writerow([*own, raw.line, fault.reason, fault.detail])
