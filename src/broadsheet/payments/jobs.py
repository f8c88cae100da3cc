"""What the worker does with payments: each entry is thin, and may run late or twice."""

from __future__ import annotations

from broadsheet import clock
from broadsheet.payments import inbox, ledger, reconcile
from broadsheet.payments.events import WebhookReceived


def follow_webhook(event: WebhookReceived) -> None:
    """Do what a provider's message says."""
    inbox.process(event_pk=event.event_pk, now=clock.now())


def follow_up() -> None:
    """Messages nobody understood yet, and attempts nobody has heard of."""
    now = clock.now()
    inbox.process_received(now=now)
    inbox.process_failed(now=now)
    reconcile.poll_unresolved(now=now)


def compare_books() -> None:
    """Our book against the providers'."""
    reconcile.reconcile(now=clock.now())


def close_months() -> None:
    """Revenue of the months that have ended, as far as it is not booked; on most days there is nothing to do."""
    now = clock.now()
    ledger.recognise_revenue(until=ledger.local_day(now), now=now)
