"""How a worker dies: at a named point of the product's, in the middle of a transaction, or whenever its parent likes.

A death is SIGKILL: nothing is cleaned up, no handler runs. Just before it the point is written into the worker's pipe,
so that the parent can count.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from typing import Any, NoReturn

from broadsheet.payments import crash, inbox
from broadsheet.payments.actions import refunds
from broadsheet.subscriptions.actions import renewals, settlement

POINTS = (
    "claiming", "claimed", "before_charge", "after_charge", "recording", "recorded",
    "before_refund", "after_refund", "refunding",
    "keeping", "webhook_kept", "webhook_read", "webhook_followed",
)  # fmt: skip
REFUNDS, RARE = ("before_refund", "after_refund", "refunding"), 2  # far fewer visits: so much likelier deaths
# Inside of a transaction: where the module looks the function up, and under which name a death before it is counted.
MIDDLES = (
    (renewals, "_leased", "claiming"),
    (settlement, "sync_access", "recording"),
    (refunds, "emit", "refunding"),
    (inbox, "emit", "keeping"),
)


class Death:
    """The hook of one worker. `chance` is that of each visit to a point."""

    def __init__(self, pipe: int, chance: float, dice: random.Random) -> None:
        self._pipe, self._chance, self._dice = pipe, chance, dice

    def install(self) -> None:
        crash.install(self.visit)
        for module, name, point in MIDDLES:
            setattr(module, name, self._before(getattr(module, name), point))

    def _before(self, function: Callable[..., Any], point: str) -> Callable[..., Any]:
        def dies_or_does(*args: Any, **kwargs: Any) -> Any:
            self.visit(point)
            return function(*args, **kwargs)

        return dies_or_does

    def visit(self, point: str) -> None:
        if self._dice.random() < self._chance * (RARE if point in REFUNDS else 1):
            self.die(point)

    def die(self, point: str) -> NoReturn:
        tell(self._pipe, f"K {point}")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a killed process goes on")


def tell(pipe: int, line: str) -> None:
    """One short line to the parent; whole even if the next instruction is the last."""
    os.write(pipe, (line.replace("\n", " ")[:300] + "\n").encode())
