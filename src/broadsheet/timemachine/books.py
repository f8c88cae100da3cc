"""What the scratch paper's books say: every event in its order, and how things stand at an instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.apps import apps

from broadsheet.access.queries import live_grants
from broadsheet.dates import local_date, rfc3339
from broadsheet.payments.queries import InvoiceRow, credit_balance, invoice, payments_of
from broadsheet.readers.queries import reader as reader_card
from broadsheet.subscriptions.queries import SubscriptionRow, subscription
from broadsheet.subscriptions.rules import LIVE
from broadsheet.timemachine.scenario import Expect, Scenario, Step
from broadsheet.timemachine.shop import Shop

Row = dict[str, Any]
_PLAN_FACTS = ("plan", "from", "to")


class Books:
    """Reads only. Readers and plans are called what the file calls them; a reader's subscriptions count from 1."""

    def __init__(self, scenario: Scenario, shop: Shop) -> None:
        self.shop = shop
        self.failures: list[Row] = []
        self.zone = scenario.zone
        self.currency = scenario.currency
        self._last_event = 0
        self._told: list[Row] = []

    # Events

    def row(
        self, at: datetime, event: str, facts: Mapping[str, Any], reader: str | None = None, number: int | None = None
    ) -> Row:
        head = {"at": rfc3339(at.astimezone(self.zone)), "event": event, "reader": reader, "subscription": number}
        return {**head, **facts}

    def new_events(self) -> Iterator[Row]:
        """What the books have noted since they were last asked."""
        events = apps.get_model("subscriptions", "SubscriptionEvent").objects
        for event in events.filter(pk__gt=self._last_event).order_by("pk"):
            self._last_event = event.pk
            name = self.shop.reader_named(event.reader_id)
            number = self.number_of(event.reader_id, event.subscription_id)
            facts = self._facts(event.kind, event.facts)
            if event.reason and "reason" not in facts:
                facts["reason"] = event.reason
            row = self.row(event.at, event.kind, facts, name, number)
            self._told.append(row)
            yield row

    def _facts(self, kind: str, facts: Mapping[str, Any]) -> Row:
        if kind not in ("subscription_created", "plan_changed"):
            return dict(facts)
        return {
            name: self.shop.plan_named(value) if name in _PLAN_FACTS and isinstance(value, str) else value
            for name, value in facts.items()
        }

    def refused(self, step: Step, reason: str, at: datetime) -> Row:
        pk = self.subscription_of(step) if step.reader else None
        number = self.number_of(self.shop.readers[step.reader], pk) if step.reader and pk else step.subscription
        row = self.row(at, "refused", {"step": step.do, "reason": reason, "line": step.line}, step.reader, number)
        self._told.append(row)
        return row

    # Whose

    def subscriptions_of(self, reader_id: int) -> list[int]:
        rows = apps.get_model("subscriptions", "Subscription").objects.filter(reader_id=reader_id)
        return list(rows.order_by("pk").values_list("pk", flat=True))

    def number_of(self, reader_id: int, subscription_id: int | None) -> int | None:
        if subscription_id is None:
            return None
        return self.subscriptions_of(reader_id).index(subscription_id) + 1

    def subscription_of(self, step: Step) -> int | None:
        """The one a step is about: the one it names, else the one that lives, else the latest."""
        assert step.reader is not None
        return self._choose(self.shop.readers[step.reader], step.subscription)

    def _choose(self, reader_id: int, number: int | None) -> int | None:
        ids = self.subscriptions_of(reader_id)
        if number is not None:
            return ids[number - 1] if number <= len(ids) else None
        rows = [subscription(pk) for pk in ids]
        return next((row.id for row in rows if row and row.status in LIVE), ids[-1] if ids else None)

    def email_of(self, name: str) -> str:
        card = reader_card(self.shop.readers[name])
        return card.email if card else ""

    def gift_for(self, reader_id: int) -> str:
        """The token of the gift a reader holds in their hands: empty where one was sent to their address."""
        waiting = apps.get_model("subscriptions", "Gift").objects.filter(status="paid").order_by("pk")
        card = reader_card(reader_id)
        if card is None or waiting.filter(to_email=card.email).exists():
            return ""
        known = [self.email_of(name) for name in self.shop.readers]
        return waiting.exclude(to_email__in=known).values_list("token", flat=True).first() or ""

    # How things stand

    def found(self, reader: str | None, number: int | None, now: datetime) -> Row:
        """Every field an expectation may name. Without a number, lists and sums are of all a reader's subscriptions
        and gifts, and the rest is of the one that lives, else of the latest."""
        if reader is None:
            return {"refused": sum(row["event"] == "refused" for row in self._told)}
        reader_id = self.shop.readers[reader]
        chosen = self._choose(reader_id, number)
        told = [row for row in self._told if row["reader"] == reader and number in (None, row["subscription"])]
        # One that is named and does not exist has nothing.
        nothing = number is not None and chosen is None
        only = f"subscription:{chosen}" if number is not None else None
        row = subscription(chosen) if chosen else None
        return {
            **self._standing(row),
            **({} if nothing else self._money(reader_id, only)),
            "access": self._access(reader_id, only, now) and not nothing,
            "refused": sum(event["event"] == "refused" for event in told),
            "charges": [self._dated(event, "amount_minor", "result") for event in told if event["event"] == "charge"],
            "notices": [self._dated(event, "kind") for event in told if event["event"] == "notice"],
        }

    def _dated(self, event: Row, *names: str) -> Row:
        return {"date": event["at"][:10], **{name: event.get(name) for name in names}}

    def states(self, now: datetime) -> Iterator[Row]:
        """One row a subscription, in the order they were made."""
        rows = apps.get_model("subscriptions", "Subscription").objects.order_by("pk")
        for pk, reader_id in rows.values_list("pk", "reader_id"):
            name, number = self.shop.reader_named(reader_id), self.number_of(reader_id, pk)
            row = subscription(pk)
            assert row is not None
            facts = {**self._standing(row), **self._money(reader_id, f"subscription:{pk}")}
            facts = {"plan": self.shop.plan_named(row.plan_code), **facts}
            facts["invoices"] = [
                {key: bill[key] for key in ("number", "date", "total_minor", "status")} for bill in facts["invoices"]
            ]
            yield self.row(now, "state", facts, name, number)

    def _standing(self, row: SubscriptionRow | None) -> Row:
        names = ("status", "period_start", "period_end", "access_until", "next_charge_date")
        if row is None:
            return dict.fromkeys(names)
        values = (row.status, row.period_start, row.paid_until, self._access_until(row), row.next_charge_on)
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in zip(names, values, strict=True)
        }

    def _access_until(self, row: SubscriptionRow) -> date | None:
        """The first day without access: as promised while it lives, and when it really ended afterwards."""
        if row.status in ("trialing", "active", "past_due"):
            return row.access_until
        ends = apps.get_model("access", "Grant").objects.filter(source=f"subscription:{row.id}")
        last = max(ends.values_list("ends_at", flat=True), default=None)
        return local_date(last, self.zone) if last else None

    def _access(self, reader_id: int, source: str | None, now: datetime) -> bool:
        return any(grant.starts_at <= now and source in (None, grant.source) for grant in live_grants(reader_id, now))

    def _money(self, reader_id: int, subject: str | None) -> Row:
        rows = apps.get_model("payments", "Invoice").objects.filter(reader_id=reader_id).order_by("pk")
        ids = (rows.filter(subject=subject) if subject else rows).values_list("pk", flat=True)
        bills = [bill for pk in ids if (bill := invoice(pk))]
        paid = [one for bill in bills for one in payments_of(bill.id) if one.status == "succeeded"]
        notes = apps.get_model("payments", "CreditNote").objects.filter(invoice_id__in=[bill.id for bill in bills])
        refunds = apps.get_model("payments", "Refund").objects.filter(payment_id__in=[one.id for one in paid])
        owed = sum(max(0, bill.due_minor) for bill in bills)
        return {
            "balance_minor": owed - credit_balance(reader_id, self.currency),
            "currency": self.currency,
            "invoices": [self._bill(bill) for bill in bills if bill.status != "void"],
            "credit_notes": [
                {"number": note.number, "date": note.issued_on.isoformat(), "amount_minor": note.total_minor}
                for note in notes.order_by("pk")
            ],
            "charged_minor": sum(one.amount_minor for one in paid) + self._ahead(reader_id, subject),
            "refunded_minor": sum(row.amount_minor for row in refunds if row.status == "succeeded"),
        }

    def _ahead(self, reader_id: int, subject: str | None) -> int:
        """Money that came before anything was owed: it has no invoice yet."""
        events = apps.get_model("subscriptions", "SubscriptionEvent").objects.filter(
            reader_id=reader_id, kind="payment"
        )
        if subject:
            events = events.filter(subscription_id=int(subject.partition(":")[2]))
        facts = events.values_list("facts", flat=True)
        return sum(fact["amount_minor"] for fact in facts if fact.get("kind") == "ahead")

    def _bill(self, bill: InvoiceRow) -> Row:
        taxes = {name: value for name, value in bill.tax.items() if name.endswith("_minor")}
        return {
            **taxes,
            "number": bill.number,
            "date": bill.issued_on.isoformat(),
            "period_start": bill.period_start.isoformat(),
            "period_end": bill.period_end.isoformat(),
            "taxable_minor": bill.taxable_minor,
            "tax_minor": bill.tax_minor,
            "total_minor": bill.total_minor,
            "status": bill.status,
        }

    # What is wrong

    def fail(self, at: datetime, expect: Expect, name: str, wanted: Any, found: Any) -> None:
        facts = {"line": expect.line, "field": name, "expected": wanted, "found": found}
        self.failures.append(self.row(at, "expectation_failed", facts, expect.reader, expect.subscription))

    def trouble(self, at: datetime, told: str) -> None:
        """A job logged an error and went on: whatever was expected, this walk did not go as it should."""
        self.failures.append(self.row(at, "trouble", {"text": told}))
