"""The sandbox's messages as its HTTP process would post them: signed, into the real inbox, as badly as one asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.apps import apps

from broadsheet.payments import inbox
from broadsheet.payments.adapters import WebhookNote
from broadsheet.payments.adapters.sandbox_notes import charge_note, message, refund_note

TIMES = 3  # what `duplicate` sends of each


class Messages:
    """Whatever the till has to tell since it was last asked. `mode` as in the scenario file, until `until`."""

    def __init__(self) -> None:
        self._mode, self._until = "normal", None
        self._held: list[WebhookNote] = []
        self._last_refund = 0
        self._last_charge = 0
        self._undecided: set[str] = set()

    def set_mode(self, mode: str, until: datetime | None) -> None:
        self._mode, self._until = mode, until

    def deliver(self, now: datetime) -> None:
        """Post what is new; what was held back to be turned round goes when the mode ends."""
        if self._until is not None and now >= self._until:
            self._mode, self._until = "normal", None
        notes = list(self._new(now))
        if self._mode == "reverse":
            self._held += notes
            return
        held, self._held = self._held, []
        for note in [*reversed(held), *notes]:
            self.send(note, now)

    def send(self, note: WebhookNote, now: datetime) -> None:
        if self._mode == "lose":
            return
        post = message(note, now)
        if self._mode == "tamper":
            post = replace(post, body=post.body.replace(b'"succeeded"', b'"failed"') + b" ")
        for _ in range(TIMES if self._mode == "duplicate" else 1):
            inbox.receive(provider="sandbox", headers=post.headers, body=post.body, now=now)

    def _new(self, now: datetime) -> Iterator[WebhookNote]:
        charges = apps.get_model("payments", "SandboxCharge").objects
        fresh = charges.filter(pk__gt=self._last_charge).order_by("pk").values_list("pk", "key")
        for pk, key in fresh:
            self._last_charge = pk
            self._undecided.add(key)
        # A page nobody has pressed on, or money that comes a day later, is told of when it is decided.
        for key in sorted(self._undecided):
            note = charge_note(key, now)
            if note.result is not None and note.result.status in ("succeeded", "failed"):
                self._undecided.discard(key)
                yield note
        refunds = apps.get_model("payments", "SandboxRefund").objects
        for pk, key in refunds.filter(pk__gt=self._last_refund).order_by("pk").values_list("pk", "key"):
            self._last_refund = pk
            yield refund_note(key, now)
