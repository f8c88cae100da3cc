"""The till's messages on their way: some are lost, some come several times, late, in another order, or altered."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from tools.prove_billing.shift import Post

from broadsheet.payments.adapters import WebhookNote, sandbox
from broadsheet.payments.adapters.sandbox_notes import charge_note, message, refund_note
from broadsheet.payments.models import SandboxCharge, SandboxRefund

LOST, LATE, TAMPERED = 0.3, 0.25, 0.1
TIMES = (1, 3)


class Carrier:
    """Reads the till's book for what is new and carries word of it."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._charge = self._refund = self._number = 0
        self._undecided: set[str] = set()
        self._bag: list[tuple[WebhookNote, bool]] = []
        self._open: dict[int, Post] = {}
        self.told: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()  # of its own: it has no processes

    def script(self, answers: Sequence[str], customer: str) -> None:
        sandbox.script(answers, customer)

    def rest(self) -> None:
        """Nothing to do: what is not lost is handed over round by round."""

    def collect(self, now: datetime) -> None:
        """Take what happened at the till since the last look."""
        for note in self._new(now):
            self.told["made"] += 1
            if self._dice.random() < LOST:
                self.told["lost"] += 1
                continue
            times = self._dice.randint(*TIMES)
            self.told["sent"] += times
            self.told["duplicates"] += times - 1
            self._bag += [(note, False)] * times
            if self._dice.random() < TAMPERED:
                self.told["tampered"] += 1
                self._bag.append((note, True))

    def round(self, now: datetime) -> list[Post]:
        """What arrives now, in any order; the rest comes later. What nobody answered comes again."""
        self._dice.shuffle(self._bag)
        late = int(len(self._bag) * LATE)
        arriving, self._bag = self._bag[late:], self._bag[:late]
        for note, tampered in arriving:
            self._number += 1
            made = message(note, now)
            body = made.body.replace(b'"failed"', b'"succeeded"') + b" " if tampered else made.body
            self._open[self._number] = Post(self._number, replace(made, body=body), tampered)
        return self.unanswered()

    def unanswered(self) -> list[Post]:
        """What a worker died over: the till sends it again."""
        again = list(self._open.values())
        self._dice.shuffle(again)
        return again

    def answered(self, number: int) -> None:
        self._open.pop(number, None)

    @property
    def waiting(self) -> bool:
        return bool(self._bag or self._open)

    def _new(self, now: datetime) -> Iterator[WebhookNote]:
        for pk, key in SandboxCharge.objects.filter(pk__gt=self._charge).order_by("pk").values_list("pk", "key"):
            self._charge = pk
            self._undecided.add(key)
        for key in sorted(self._undecided):
            note = charge_note(key, now)
            if note.result is not None and note.result.status in ("succeeded", "failed"):
                self._undecided.discard(key)
                yield note
        for pk, key in SandboxRefund.objects.filter(pk__gt=self._refund).order_by("pk").values_list("pk", "key"):
            self._refund = pk
            yield refund_note(key, now)
