"""The parent: it walks the clock through the months, lets several workers do what is due, and counts their deaths."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connections
from tools.prove_billing import control, shift, verdict
from tools.prove_billing.plan import Found, Plan
from tools.prove_billing.shift import Post, Shift, Wish

from broadsheet.bus.models import Job
from broadsheet.payments.models import WebhookEvent
from broadsheet.subscriptions.actions import next_due
from broadsheet.subscriptions.models import Subscription

ZONE = ZoneInfo("Asia/Kolkata")
EPOCH, HALF_HOUR = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=30)
LEASE = timedelta(minutes=6)  # longer than any claim of a dead worker's holds
FROM_OUTSIDE = 0.12  # of the workers that the parent kills at a moment of its own
# None leaves a decline over for the next month: with two more, a subscription would end where the calendar goes on.
SCRIPTS: tuple[tuple[str, ...], ...] = (
    ("decline",),
    ("decline", "decline"),
    ("late_ok",),
    ("timeout",),
    ("timeout", "late_ok"),
    ("decline", "timeout"),
    ("crash_after_charge",),
    ("decline", "crash_after_charge"),
)
SCRIPTED, WISHED, GONE = 0.3, 0.35, 0.01
MOST_ERRORS = 200
MOST_ROUNDS = 60  # at one instant, or without an end


@dataclass
class Worker:
    pid: int
    pipe: int
    slot: int
    killed_at: float | None
    told: str = ""


@dataclass
class Books:
    """What the proof knows beside the paper: who should have what."""

    anchors: dict[int, date]
    readers: dict[int, int] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    gone: dict[int, str] = field(default_factory=dict)  # whose bank refused for good, and in which word


class Proof:
    """`carrier` brings the till's messages: see `post` and `front`."""

    def __init__(
        self, plan: Plan, anchors: dict[int, date], start: datetime, carrier: Any, say: Callable[[str], None]
    ) -> None:
        self._plan, self._say = plan, say
        self._dice = random.Random(plan.seed)  # noqa: S311 - dice
        self._now = start
        self._books = Books(anchors, dict(Subscription.objects.values_list("pk", "reader_id")))
        self._carrier = carrier
        self._kills: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._found = Found()
        self._open_wishes: list[Wish] = []

    def run(self) -> Found:
        began = time.monotonic()
        if self._plan.control:
            control.drop_constraints()
        month = 0
        while self._goes_on(month):
            month += 1
            self._script()
            self._walk(self._now + timedelta(days=31))
            self._wish(month)
            self._say(f"month {month}: {sum(self._kills.values())} killed, {self._found.rounds} rounds")
        if self._plan.control:
            return self._judged(month, began)
        # Whoever was declined, told late or left over comes to an end.
        self._walk(self._now + timedelta(days=26 if self._books.gone else 9), to_the_end=True)
        self._carrier.rest()
        self._walk(self._now, to_the_end=True)
        return self._judged(month, began)

    def _judged(self, month: int, began: float) -> Found:
        found = self._found
        self._kills.update(self._carrier.kills)
        found.kills, found.messages, found.months = dict(self._kills), dict(self._carrier.told), month
        found.answers = dict(self._answers)
        verdict.judge(found, self._books, self._now, strict=not self._plan.control)
        found.seconds = time.monotonic() - began
        return found

    def _goes_on(self, month: int) -> bool:
        """The control ends with the first double charge, the proof when enough have died."""
        if month >= self._plan.most_months:
            return False
        if self._plan.control:
            return not verdict.charged_twice(verdict.taken(Found()))
        return month < self._plan.months or sum(self._kills.values()) < self._plan.kills

    def _script(self) -> None:
        """What the till will answer to some of the readers next."""
        for pk, reader_id in self._books.readers.items():
            if pk in self._books.gone or self._plan.control:
                continue
            roll = self._dice.random()
            if roll < GONE:
                self._books.gone[pk] = answer = self._dice.choice(("hard_decline", "opt_out"))
                self._carrier.script([answer], f"reader:{reader_id}")
                self._answers[answer] += 1
            elif roll < GONE + SCRIPTED:
                answers = self._dice.choice(SCRIPTS)
                self._carrier.script(answers, f"reader:{reader_id}")
                self._answers.update(answers)

    def _wish(self, month: int) -> None:
        for pk in self._books.readers:
            if not self._plan.control and pk not in self._books.gone and self._dice.random() < WISHED:
                wish = Wish(pk, 1 + self._dice.randrange(5_000), f"wish:{pk}:{month}")
                self._books.wishes.append(wish)
                self._open_wishes.append(wish)

    def _walk(self, until: datetime, *, to_the_end: bool = False) -> None:
        """From one instant at which something is due to the next, up to `until`; then until nothing is left over."""
        still = 0
        while True:
            self._round()
            if len(self._found.logged) > MOST_ERRORS:
                raise RuntimeError(f"The workers fail: {self._found.logged[-1]}")
            self._carrier.collect(self._now)
            then = self._next()
            if then is None or then > until:
                if not to_the_end or then is None or then > self._now + timedelta(days=1):
                    self._now = max(self._now, until)
                    return
                still += 1
                if still > MOST_ROUNDS:
                    self._found.faults.append("it does not come to an end")
                    return
            self._now = then

    def _next(self) -> datetime | None:
        """When there is something to do again."""
        left_over = (
            self._open_wishes
            or self._carrier.waiting
            or Job.objects.filter(done_at=None, run_after__lte=self._now + LEASE).exists()
            or WebhookEvent.objects.filter(status="received").exists()
            or Subscription.objects.filter(due_at__lte=self._now).exists()
        )
        soon = self._now + LEASE
        if left_over:
            return soon
        then = next_due(self._now)
        if then is None or then <= soon:
            return soon if then else None
        # What falls due within half an hour is done together: readers bought at different seconds.
        return then + (EPOCH - then) % HALF_HOUR

    def _round(self) -> None:
        """Let every slot of workers come to the end of its shift at one instant; who is killed is replaced."""
        posts = self._carrier.round(self._now)
        connections.close_all()
        self._found.rounds += 1
        slots = self._plan.workers
        shares: list[Sequence[Post]] = [posts[number::slots] for number in range(slots)]
        workers = [self._fork(slot, shares[slot]) for slot in range(slots)]
        deaths = 0
        while workers:
            for worker in list(workers):
                status = self._ended(worker)
                if status is None:
                    continue
                workers.remove(worker)
                if self._heard(worker, status) and deaths < MOST_ROUNDS * slots:
                    deaths += 1
                    left = {post.number for post in self._carrier.unanswered()}
                    shares[worker.slot] = [post for post in shares[worker.slot] if post.number in left]
                    workers.append(self._fork(worker.slot, shares[worker.slot]))
            time.sleep(0.001)

    def _fork(self, slot: int, posts: Sequence[Post]) -> Worker:
        read, write = os.pipe()
        wishes = tuple(wish for number, wish in enumerate(self._open_wishes) if number % self._plan.workers == slot)
        order = Shift(
            self._now, self._dice.getrandbits(32), self._plan.chance, tuple(posts), wishes, self._plan.control
        )
        pid = os.fork()
        if pid == 0:
            os.close(read)
            shift.run(order, write)
        os.close(write)
        outside = self._dice.random() < FROM_OUTSIDE
        return Worker(pid, read, slot, time.monotonic() + self._dice.uniform(0.002, 0.25) if outside else None)

    def _ended(self, worker: Worker) -> int | None:
        if worker.killed_at is not None and time.monotonic() >= worker.killed_at:
            os.kill(worker.pid, signal.SIGKILL)
            worker.killed_at = None
        pid, status = os.waitpid(worker.pid, os.WNOHANG)
        return status if pid else None

    def _heard(self, worker: Worker, status: int) -> bool:
        """Read what a worker left in its pipe. Whether it was killed."""
        point = ""
        for kind, words in _lines(worker.pipe):
            if kind == "K":
                point = words
            elif kind == "D":
                self._carrier.answered(int(words))
            elif kind == "R":
                self._open_wishes = [wish for wish in self._open_wishes if wish.key != words]
            else:
                self._found.logged.append(words)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            self._kills[point or "any instant"] += 1
            return True
        if status != 0:
            self._found.faults.append(f"a worker ended with {status}: {self._found.logged[-1:]}")
        return False


def _lines(pipe: int) -> Iterator[tuple[str, str]]:
    with os.fdopen(pipe, "rb") as source:
        for line in source.read().decode("utf-8", "replace").splitlines():
            yield line[:1], line[2:]
