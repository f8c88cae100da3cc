"""Debits of which a bank has to be told first: they wait until it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadsheet.dates import local_date, rfc3339
from broadsheet.payments.adapters.registry import provider
from broadsheet.payments.queries import InvoiceRow, MandateRow, PaymentRow, invoice, mandate
from broadsheet.subscriptions import rules
from broadsheet.subscriptions.actions.history import today, zone
from broadsheet.subscriptions.models import Notice, Subscription
from broadsheet.subscriptions.notice_plan import AT_ONCE, Planned


@dataclass(frozen=True, slots=True)
class BankRequest:
    """What the bank is told: the debit that will be asked for as `key` at `debit_at`."""

    mandate_id: int
    key: str
    amount_minor: int
    currency: str
    text: str
    debit_at: datetime


def bank_request(wanted: Planned, facts: dict[str, Any]) -> BankRequest | None:
    """None where no bank asks for it."""
    if wanted.kind != "pre_debit":
        return None
    held = mandate(facts["mandate"])
    if held is None or not provider(held.provider).capabilities.needs_notice:
        return None
    return BankRequest(
        held.id, facts["reference"], facts["amount_minor"], facts["currency"], facts["plan"], wanted.until
    )


@dataclass(frozen=True, slots=True)
class Debit:
    """How a due debit goes on: under `key`, and not before `wait_until` (None: now). `told_at`: when the bank was told
    of it, where it wants to be."""

    key: str
    wait_until: datetime | None = None
    told_at: datetime | None = None


def before_debit(
    subscription: Subscription, bill: InvoiceRow, held: MandateRow | None, key: str, now: datetime
) -> Debit:
    """Inside the caller's lock. Where the bank has to be told first, the debit waits until it was: of this amount, by
    this mandate, and long enough ago. As long as nobody told it, it is told at once, however late."""
    if held is None or not provider(held.provider).capabilities.needs_notice:
        return Debit(key)
    needed = provider(held.provider).capabilities.min_notice
    names = 1
    for row in _announced(subscription.pk):
        name = str(row.facts.get("reference", ""))
        if row.sent_at is None:
            return Debit(key, max(row.due_at, now) + needed)
        if name.split("+", maxsplit=1)[0] != key or "told_at" not in row.facts:
            continue
        if (row.facts["amount_minor"], row.facts["mandate"]) == (bill.due_minor, held.id):
            told_at = datetime.fromisoformat(row.facts["told_at"])
            return Debit(name, told_at + needed if told_at + needed > now else None, told_at)
        names += 1
    # Another amount is another debit to a bank, and has another name there.
    name = key if names == 1 else f"{key}+{names}"
    facts = {
        "late": True,
        "on": today(now + needed).isoformat(),
        "plan": subscription.plan.name,
        "invoice": bill.id,
        "amount_minor": bill.due_minor,
        "total_minor": bill.total_minor,
        "currency": bill.currency,
        "by": "mandate",
        "label": held.label,
        "reference": name,
        "mandate": held.id,
        "debit_at": rfc3339(now + needed),
    }
    again = {"due_at": now + AT_ONCE, "facts": facts, "dropped_at": None, "sent_at": None}
    Notice.objects.update_or_create(
        key=f"{subscription.pk}:pre_debit:{name}", defaults={"subscription": subscription, "kind": "pre_debit", **again}
    )
    return Debit(name, now + AT_ONCE + needed)


def _announced(subscription_id: int) -> list[Notice]:
    """The newest words about debits that hold."""
    rows = Notice.objects.filter(subscription_id=subscription_id, kind="pre_debit", dropped_at=None)
    return list(rows.order_by("-pk")[:5])


def late(subscription: Subscription, row: Notice) -> Planned | None:
    """A debit that waits for nothing but the bank's being told; None when it was paid or is not to be made any more."""
    bill = invoice(row.facts["invoice"])
    open_still = bill is not None and bill.status == "open" and bill.due_minor == row.facts["amount_minor"]
    held = mandate(subscription.mandate_id)
    if not open_still or held is None or not held.usable or held.id != row.facts["mandate"]:
        return None
    if subscription.status in rules.TERMINAL or subscription.cancel_at_period_end:
        return None
    debit_at = datetime.fromisoformat(row.facts["debit_at"])
    return Planned(row.key, row.kind, local_date(debit_at, zone()), row.due_at, debit_at)


def reference_of(payment: PaymentRow) -> str:
    """The bank's name for what it was told of a debit; empty where it wants none."""
    if payment.mandate_id is None or not provider(payment.provider).capabilities.needs_notice:
        return ""
    number = int(payment.key.split(":")[1])
    told = (row.facts for row in _announced(number) if row.sent_at is not None)
    return next((str(facts["notice_ref"]) for facts in told if facts.get("reference") == payment.key), "")
