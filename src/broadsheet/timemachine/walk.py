"""Walks a scenario: from step to step, with every job that falls due on the way, on the real code."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.payments import crash
from broadsheet.subscriptions.actions import next_due, run_due
from broadsheet.subscriptions.rules import RefusedError
from broadsheet.timemachine import shop
from broadsheet.timemachine.books import Books
from broadsheet.timemachine.deeds import DEEDS, Desk
from broadsheet.timemachine.expectations import differences
from broadsheet.timemachine.messages import Messages
from broadsheet.timemachine.scenario import Expect, Scenario, Step

log = logging.getLogger(__name__)
Row = Mapping[str, Any]
MOST_RUNS = 500_000


class StuckError(RuntimeError):
    """The jobs say again and again that something is due, and nothing changes."""


class _Trouble(logging.Handler):
    """Hears of what the jobs logged and went on from: in a walk it is a failure."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


class Walk:
    """One run through a scenario. `tell` is called with every row of the result, in order; `failed` says afterwards
    whether an expectation did not hold."""

    def __init__(self, scenario: Scenario, tell: Callable[[Row], None]) -> None:
        self.failed = False
        self._scenario = scenario
        self._tell = tell
        self._now = scenario.steps[0].at
        self._stopped_until: datetime | None = None
        self._runs = 0
        self._trouble = _Trouble()
        clock.stand_at(self._now)
        self._books = Books(scenario, shop.open_shop(scenario, self._now))
        self._messages = Messages()
        self._desk = Desk(self._books, self._messages)

    def run(self) -> None:
        """Every step, every expectation, then how everything ended."""
        logging.getLogger("broadsheet").addHandler(self._trouble)
        try:
            self._walk()
            self._flush()
            for row in self._books.states(self._now):
                self._tell(row)
            for row in self._books.failures:
                self._tell(row)
            self.failed = bool(self._books.failures)
        finally:
            logging.getLogger("broadsheet").removeHandler(self._trouble)
            crash.install(None)
            clock.stand_at(None)

    def _walk(self) -> None:
        later = sorted((expect for expect in self._scenario.expects if expect.at), key=lambda expect: expect.at or 0)
        for step in self._scenario.steps:
            while later and later[0].at is not None and later[0].at < step.at:
                self._look(later.pop(0))
            self._go(step.at)
            self._do(step)
        self._settle()
        last = self._now
        for expect in self._scenario.expects:
            if expect.at is None or (expect.at == last and expect in later):
                self._check(expect)
        for expect in later:
            if expect.at is not None and expect.at > last:
                self._look(expect)

    def _look(self, expect: Expect) -> None:
        assert expect.at is not None
        self._go(expect.at)
        self._settle()
        self._check(expect)

    def _check(self, expect: Expect) -> None:
        found = self._books.found(expect.reader, expect.subscription, self._now)
        for name, wanted, actual in differences(expect.wants, found):
            self._books.fail(self._now, expect, name, wanted, actual)

    # The clock

    def _go(self, to: datetime) -> None:
        """Move the clock, running what falls due on the way: by `to` too, before whatever happens at `to`."""
        if to > self._now:
            self._settle()
        if self._stopped_until is not None and self._stopped_until <= to:
            self._set(self._stopped_until)
            self._stopped_until = None
            self._jobs()
        while self._stopped_until is None and (due := next_due(self._now)) is not None and due <= to:
            self._set(due)
            self._jobs()
        self._set(to)

    def _set(self, now: datetime) -> None:
        self._now = max(now, self._now)
        clock.stand_at(self._now)

    def _settle(self) -> None:
        """What the steps of this instant made due is done at once, as by a worker that looks every minute."""
        if self._stopped_until is None:
            self._jobs()

    def _jobs(self) -> None:
        """One run of every job, as `broadsheet work` does them. Whoever dies in it is continued by the next."""
        self._runs += 1
        if self._runs > MOST_RUNS:
            raise StuckError(f"The jobs do not come to an end at {self._now}.")
        self._alive(lambda: run_due(now=self._now))
        self._alive(lambda: self._messages.deliver(self._now))
        self._alive(run_due_jobs)
        self._flush()

    def _alive(self, work: Callable[[], object]) -> None:
        try:
            work()
        except crash.CrashError as death:
            self._flush()
            self._tell(self._books.row(self._now, "crashed", {"point": str(death)}))
        except Exception:
            # A defect of ours: it is said at the end, and what else happens is worth seeing all the same.
            log.exception("Something could not be done at %s.", self._now.astimezone(self._scenario.zone))

    # The steps

    def _do(self, step: Step) -> None:
        match step.do:
            case "stop_scheduler":
                until = step.values["until"]
                self._stopped_until = max(until, self._stopped_until or until) if until > self._now else None
            case "run_jobs":
                self._jobs()
            case "advance":
                pass
            case _:
                self._alive(lambda: self._act(step))
        self._flush()

    def _act(self, step: Step) -> None:
        try:
            DEEDS[step.do](self._desk, step, self._now)
        except RefusedError as refusal:
            self._flush()
            self._tell(self._books.refused(step, refusal.reason, self._now))

    def _flush(self) -> None:
        for row in self._books.new_events():
            self._tell(row)
        for trouble in self._trouble.told:
            self._books.trouble(self._now, trouble)
        self._trouble.told.clear()
