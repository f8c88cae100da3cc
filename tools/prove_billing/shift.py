"""What one worker process does until it is through or killed: the product's own jobs, and what comes in meanwhile."""

from __future__ import annotations

import logging
import os
import random
import traceback
from dataclasses import dataclass
from datetime import datetime

from tools.prove_billing import control
from tools.prove_billing.deaths import Death, tell

from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.payments import crash, inbox, reconcile
from broadsheet.payments.adapters.sandbox_messages import Message
from broadsheet.payments.queries import refund_by_key
from broadsheet.subscriptions import actions


@dataclass(frozen=True)
class Post:
    """A provider's message on its way; it is sent again until somebody answered."""

    number: int
    message: Message
    tampered: bool


@dataclass(frozen=True)
class Wish:
    """A refund that the desk wants; asked for again until it is written down."""

    subscription_id: int
    amount_minor: int
    key: str


@dataclass(frozen=True)
class Shift:
    now: datetime
    seed: int
    chance: float
    posts: tuple[Post, ...]
    wishes: tuple[Wish, ...]
    control: bool


class _Teller(logging.Handler):
    def __init__(self, pipe: int) -> None:
        super().__init__(logging.ERROR)
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else ""
        tell(self._pipe, f"E {record.getMessage()} {error!r}")


def run(shift: Shift, pipe: int) -> None:
    """In a fork of its own; never returns."""
    status = 0
    try:
        dice = random.Random(shift.seed)  # noqa: S311 - dice
        death = Death(pipe, shift.chance, dice)
        logging.root.handlers[:] = [_Teller(pipe)]
        clock.start_at(shift.now)
        if shift.control:
            control.take_out()
        death.install()
        try:
            _work(shift, pipe)
        except crash.CrashError:  # the till took the money, and who asked for it died of the answer
            death.die("till_answered")
    except BaseException:  # noqa: BLE001 - told to the parent
        tell(pipe, "E " + traceback.format_exc()[-290:])
        status = 1
    os._exit(status)


def _work(shift: Shift, pipe: int) -> None:
    posts, wishes = list(shift.posts), list(shift.wishes)
    half = len(posts) // 2
    _take(posts[:half], shift.now, pipe)
    for wish in wishes:
        if refund_by_key(wish.key) is None:
            actions.refund_payment(
                subscription_id=wish.subscription_id,
                amount_minor=wish.amount_minor,
                key=wish.key,
                actor="desk",
                reason="Asked for",
                now=shift.now,
            )
        tell(pipe, f"R {wish.key}")
    actions.run_due(now=shift.now)
    _take(posts[half:], shift.now, pipe)
    inbox.process_received(now=shift.now)
    inbox.process_failed(now=shift.now)
    reconcile.poll_unresolved(now=shift.now)
    run_due_jobs()


def _take(posts: list[Post], now: datetime, pipe: int) -> None:
    for post in posts:
        status = inbox.receive(provider="sandbox", headers=post.message.headers, body=post.message.body, now=now)
        if status != (400 if post.tampered else 200):
            tell(pipe, f"E a message was answered {status}")
        tell(pipe, f"D {post.number}")
