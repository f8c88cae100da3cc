"""What the worker does with payments: each entry is thin, and may run late or twice."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.payments import inbox
from broadsheet.payments.events import WebhookReceived


def follow_webhook(event: WebhookReceived) -> None:
    """Do what a provider's message says."""
    inbox.process(event_pk=event.event_pk, now=clock.now())
