"""Our book against the providers': what we missed is applied, what does not agree is put before somebody.

Both books are read in pages; what was seen there is remembered in a file of this run, so memory does not grow with the
number of payments.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Q, Sum

from broadsheet.payments import inbox, ports, rules
from broadsheet.payments.actions import check_later, complete_mandate, request_charge
from broadsheet.payments.adapters import ChargeResult, NoAnswerError, PaymentSeen, Provider
from broadsheet.payments.adapters.registry import provider, providers
from broadsheet.payments.conditions import UNRESOLVED
from broadsheet.payments.models import Discrepancy, Invoice, Mandate, Payment, Refund

log = logging.getLogger(__name__)

DAYS = 7
PAGE = 500
ASK_AGAIN = timedelta(hours=1)
# A payment of the last minutes may stand in one book and not yet in the other.
SETTLING = timedelta(minutes=15)
_Kind = Discrepancy.Kind


@dataclass(slots=True)
class ReconcileReport:
    """What a comparison found. `missed` are results of ours that only the provider knew; `found` are new disagreements
    by kind; `unreachable` are providers that could not be asked."""

    compared: int = 0
    missed: int = 0
    found: dict[str, int] = field(default_factory=dict)
    unreachable: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.found and not self.unreachable


def reconcile(*, now: datetime, days: int = DAYS) -> ReconcileReport:
    """Compare the last `days` of every provider that keeps a list. Running it again finds nothing new."""
    report = ReconcileReport()
    inbox.process_received(now=now)
    inbox.process_failed(now=now)
    for till in providers().values():
        if till.capabilities.lists:
            try:
                _Comparison(till, now, report).run(now - timedelta(days=days))
            except NoAnswerError as error:
                log.warning("The books could not be compared with %s: %s", till.code, error)
                report.unreachable.append(till.code)
    return report


class _Comparison:
    """One provider's list of a stretch of days against ours."""

    def __init__(self, till: Provider, now: datetime, report: ReconcileReport) -> None:
        self._till = till
        self._now = now
        self._report = report

    def run(self, since: datetime) -> None:
        with closing(_Seen()) as seen:
            for page in _pages(self._till.list_payments(since, self._now)):
                ours = self._ours(page)
                seen.add(row.key for ref, row in ours.items() if row.provider_ref in ("", ref))
                for theirs in page:
                    self._report.compared += 1
                    self._compare(theirs, ours.get(theirs.provider_ref))
            # Only a list that came to its end says what is not in it.
            self._look_for_unknown(since, seen)
        for row in Payment.objects.filter(provider=self._till.code, surplus=True, created_at__gte=since).iterator():
            if row.refunded_minor < row.amount_minor:
                self._raise(_Kind.SURPLUS, row.key, {"amount_minor": row.amount_minor, "currency": row.currency})

    def _ours(self, page: Sequence[PaymentSeen]) -> dict[str, Payment]:
        """Our attempts by the provider's reference: found by our key, else by that reference."""
        mine = Payment.objects.filter(provider=self._till.code)
        by_key = {row.key: row for row in mine.filter(key__in=[p.key for p in page if p.key])}
        refs = [p.provider_ref for p in page if p.key not in by_key]
        by_ref = {row.provider_ref: row for row in mine.filter(provider_ref__in=refs)}
        return {
            p.provider_ref: row for p in page if (row := by_key.get(p.key) or by_ref.get(p.provider_ref)) is not None
        }

    def _compare(self, theirs: PaymentSeen, ours: Payment | None) -> None:
        if ours is None:
            self._unknown_here(theirs)
        elif ours.status == Payment.Status.SUCCEEDED and ours.provider_ref not in ("", theirs.provider_ref):
            # Another try under the same key. That it failed is history; that it succeeded is money taken twice.
            if theirs.status == "succeeded" and theirs.refunded_minor < theirs.amount_minor:
                self._raise(_Kind.PAID_UNKNOWN, theirs.provider_ref, _facts(theirs, ours))
        elif (theirs.amount_minor, theirs.currency.upper()) != (ours.amount_minor, ours.currency.upper()):
            self._raise(_Kind.AMOUNT, theirs.provider_ref, _facts(theirs, ours))
        elif theirs.status in ("succeeded", "failed") and rules.may_move(ours.status, theirs.status):
            self._apply(ours, theirs)
        elif ours.status == Payment.Status.SUCCEEDED and theirs.status != "succeeded":
            self._raise(_Kind.UNPAID_KNOWN, ours.key, _facts(theirs, ours))
        elif theirs.refunded_minor != _refunded(ours):
            self._raise(_Kind.AMOUNT, f"refunds of {theirs.provider_ref}"[:120], _facts(theirs, ours))

    def _apply(self, ours: Payment, theirs: PaymentSeen) -> None:
        """A result that was lost on its way to us. The whole of it is fetched: a list does not name the mandate."""
        result = self._till.fetch(ours.key, self._now) or ChargeResult(theirs.status, theirs.provider_ref, at=theirs.at)
        ports.record_result(key=ours.key, result=result, now=self._now)
        self._report.missed += 1

    def _unknown_here(self, theirs: PaymentSeen) -> None:
        if theirs.status != "succeeded":
            return
        if (
            theirs.amount_minor == 0
            or Mandate.objects.filter(provider=self._till.code, provider_ref=theirs.key).exists()
        ):
            self._mandate_alone(theirs)
        elif theirs.refunded_minor < theirs.amount_minor:
            self._raise(_Kind.PAID_UNKNOWN, theirs.provider_ref, _facts(theirs))
            self._look_at_mandate(theirs)

    def _mandate_alone(self, theirs: PaymentSeen) -> None:
        """A page that registered a mandate and charged nothing: ours to complete, or nobody's."""
        row = Mandate.objects.filter(provider=self._till.code, provider_ref=theirs.key).first()
        if row is None:
            self._look_at_mandate(theirs)
        elif complete_mandate(mandate_id=row.pk, now=self._now) is not None:
            self._report.missed += 1

    def _look_at_mandate(self, theirs: PaymentSeen) -> None:
        result = self._till.fetch(theirs.key, self._now) if theirs.key else None
        seen = result.mandate if result else None
        if seen and not Mandate.objects.filter(provider=self._till.code, provider_ref=seen.ref).exists():
            self._raise(_Kind.ORPHAN_MANDATE, seen.ref, _facts(theirs))

    def _look_for_unknown(self, since: datetime, seen: _Seen) -> None:
        """What we hold for paid and the list does not name; each is asked after before anybody is alarmed."""
        rows = (
            Payment.objects.filter(provider=self._till.code, status=Payment.Status.SUCCEEDED)
            .filter(created_at__gte=since, created_at__lt=self._now - SETTLING)
            .exclude(kind=Payment.Kind.HAND)
            .order_by("pk")
        )
        for page in _pages(rows.iterator(chunk_size=PAGE)):
            there = seen.of([row.key for row in page])
            for row in page:
                if row.key in there:
                    continue
                result = self._till.fetch(row.key, self._now)
                if result is None or result.status != "succeeded":
                    facts = {"key": row.key, "amount_minor": row.amount_minor, "currency": row.currency}
                    self._raise(_Kind.UNPAID_KNOWN, row.key, {**facts, "there": result.status if result else None})

    def _raise(self, kind: str, ref: str, facts: dict[str, object]) -> None:
        _, new = Discrepancy.objects.get_or_create(
            kind=kind, provider=self._till.code, ref=ref[:120], defaults={"facts": facts, "found_at": self._now}
        )
        if new:
            self._report.found[kind] = self._report.found.get(kind, 0) + 1


def _refunded(ours: Payment) -> int:
    """What has gone back for certain. A refund that is still under way says nothing yet."""
    if not ours.refunded_minor:
        return 0
    return ours.refunds.filter(status=Refund.Status.SUCCEEDED).aggregate(total=Sum("amount_minor"))["total"] or 0


def _facts(theirs: PaymentSeen, ours: Payment | None = None) -> dict[str, object]:
    facts: dict[str, object] = {
        "key": theirs.key,
        "provider_ref": theirs.provider_ref,
        "amount_minor": theirs.amount_minor,
        "currency": theirs.currency,
        "status": theirs.status,
        "refunded_minor": theirs.refunded_minor,
        "at": theirs.at.isoformat(),
    }
    if ours is not None:
        facts |= {
            "our_amount_minor": ours.amount_minor,
            "our_status": ours.status,
            "our_refunded_minor": _refunded(ours),
        }
    return facts


def _pages(rows: Iterable[PaymentSeen]) -> Iterator[list[PaymentSeen]]:
    source = iter(rows)
    while page := list(islice(source, PAGE)):
        yield page


class _Seen:
    """A set of keys on the disk: SQLite's own temporary file, gone when it is closed."""

    def __init__(self) -> None:
        self._book = sqlite3.connect("", isolation_level=None)
        self._book.execute("CREATE TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, keys: Iterable[str]) -> None:
        self._book.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(key,) for key in keys])

    def of(self, keys: Sequence[str]) -> set[str]:
        marks = ",".join("?" * len(keys))
        return {row[0] for row in self._book.execute(f"SELECT key FROM seen WHERE key IN ({marks})", keys)}  # noqa: S608 - question marks alone

    def close(self) -> None:
        self._book.close()


def poll_unresolved(*, now: datetime, limit: int = 1000) -> int:
    """Ask after every attempt whose `check_at` has come; how many are resolved now. One that cannot be asked after
    waits an hour; the others go on."""
    due = Payment.objects.filter(UNRESOLVED, check_at__lte=now).order_by("check_at", "pk")
    return sum(_poll(key, now) for key in list(due.values_list("key", flat=True)[:limit]))


def _poll(key: str, now: datetime) -> bool:
    # First the next look: whoever dies over this one does not hold up the others.
    check_later(key=key, check_at=now + ASK_AGAIN)
    try:
        result = _ask(key, now)
        if result is None or result.status == "pending":
            return False
        ports.record_result(key=key, result=result, now=now)
    except NoAnswerError as error:
        log.info("Nobody could say what became of %s: %s", key, error)
        return False
    except Exception:
        log.exception("What became of %s could not be found out.", key)
        return False
    if result.status == "processing":
        check_later(key=key, check_at=now + ASK_AGAIN)
    return result.status in ("succeeded", "failed")


def _ask(key: str, now: datetime) -> ChargeResult | None:
    row = Payment.objects.select_related("invoice").get(key=key)
    result = provider(row.provider).fetch(key, now)
    if row.mandate_id is None or (result is not None and result.status != "pending"):
        return result
    # Never heard of, or only announced: nothing was charged. While it is owed it is asked for again, by the same key.
    if row.invoice.status == Invoice.Status.OPEN:
        return request_charge(key=key, now=now)
    return ChargeResult("failed", failure_code="withdrawn", at=now)


@transaction.atomic
def close_discrepancy(*, discrepancy_id: int, actor: str, note: str, now: datetime) -> bool:
    """Somebody has looked at it and says what was done. False when it was closed before."""
    if not note.strip():
        raise ValueError("Say what was done about it.")
    rows = Discrepancy.objects.filter(Q(closed_at=None), pk=discrepancy_id)
    return bool(rows.update(closed_at=now, closed_by=actor[:60], closing_note=note.strip()[:300]))
