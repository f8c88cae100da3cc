"""Razorpay's entities in our words. Pure: plain dictionaries of its API in, our values out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from broadsheet.payments.adapters import (
    ChargeResult,
    ChargeStatus,
    MandateSeen,
    PaymentSeen,
    RefundResult,
    WebhookNote,
)

KEY = "broadsheet_key"
KIND = "broadsheet_kind"  # `page`: the reader pays there and may try again; `debit`: one try by mandate
MAX = "broadsheet_max_minor"
RECEIPT_HOLDS = 40
RAILS = ("card", "upi")
# Reasons after which the same card or account will not pay another day either.
HARD = frozenset(
    {
        "bank_account_invalid", "card_expired", "card_network_not_enabled", "card_number_invalid",
        "card_not_enrolled", "debit_instrument_blocked", "debit_instrument_inactive", "invalid_vpa",
        "payment_risk_check_failed", "recurring_payment_not_enabled", "card_issuer_invalid",
    }
)  # fmt: skip
OPTED_OUT = frozenset({"payment_cancelled", "debit_declined_by_customer", "pre_debit_notification_declined"})
NO_MANDATE = frozenset(
    {"mandate_not_active", "mandate_revoked", "mandate_cancelled", "mandate_paused", "mandate_expired", "token_invalid"}
)


def receipt_of(key: str) -> str:
    """The receipt an order of `key` carries: at most forty characters."""
    if len(key) <= RECEIPT_HOLDS:
        return key
    return hashlib.blake2b(key.encode(), digest_size=RECEIPT_HOLDS // 2).hexdigest()


def idempotency_of(key: str) -> str:
    """A key as their header takes it: letters and digits, at least ten."""
    return hashlib.blake2b(key.encode(), digest_size=20).hexdigest()


def instant(stamp: int | None) -> datetime | None:
    return datetime.fromtimestamp(int(stamp), UTC) if stamp else None


def notes_of(thing: Mapping[str, Any]) -> dict[str, Any]:
    """An entity's notes; an empty set of them arrives as a list."""
    notes = thing.get("notes")
    return dict(notes) if isinstance(notes, Mapping) else {}


def failure(reason: str, description: str = "") -> str:
    """What an error's `reason` comes to; where there is none, its description is all there is."""
    if reason in NO_MANDATE or "token" in description.lower():
        return "no_mandate"
    if reason in OPTED_OUT:
        return "opted_out"
    return "hard_declined" if reason in HARD else "declined"


def mandate_ref(rail: str, customer_id: str, token_id: str) -> str:
    return f"{rail}:{customer_id}/{token_id}"


def split_ref(ref: str) -> tuple[str, str, str]:
    """(rail, customer, token) of a mandate. ValueError for what is none."""
    rail, _, rest = ref.partition(":")
    customer, _, token = rest.partition("/")
    if rail not in RAILS or not customer or not token:
        raise ValueError(f"{ref!r} is no mandate of Razorpay's.")
    return rail, customer, token


def mandate_seen(payment: Mapping[str, Any], max_minor: str | int | None = None) -> MandateSeen | None:
    """The mandate that a paid registration left behind."""
    rail, customer, token = payment.get("method"), payment.get("customer_id"), payment.get("token_id")
    if rail not in RAILS or not customer or not token:
        return None
    card = payment.get("card") or {}
    label = (
        f"{card.get('network') or 'Card'} ending {card.get('last4', '')}" if card else str(payment.get("vpa") or rail)
    )
    ref = mandate_ref(str(rail), str(customer), str(token))
    return MandateSeen(ref, str(rail), int(max_minor) if max_minor else None, label.strip()[:60])


def charge_result(
    payments: Sequence[Mapping[str, Any]], notes: Mapping[str, Any], *, attempts: int = 0
) -> ChargeResult:
    """What the payments of one order come to. One that was captured counts, whatever failed before it; on a page of
    theirs a failure decides nothing. An order that was attempted and shows no payment yet is under way."""
    debit = notes.get(KIND) == "debit"
    by_state: dict[str, Mapping[str, Any]] = {str(p["status"]): p for p in payments}
    paid = by_state.get("captured") or by_state.get("refunded")
    if paid is not None:
        seen = None if debit else mandate_seen(paid, notes.get(MAX))
        return ChargeResult("succeeded", str(paid["id"]), seen, at=instant(paid.get("created_at")))
    under_way = by_state.get("authorized") or (by_state.get("created") if debit else None)
    if under_way is not None:
        return ChargeResult("processing", str(under_way["id"]))
    failed = by_state.get("failed")
    if debit and failed is not None:
        why = failure(str(failed.get("error_reason") or ""))
        return ChargeResult("failed", str(failed["id"]), failure_code=why, at=instant(failed.get("created_at")))
    return ChargeResult("processing" if debit and attempts else "pending")


def refund_result(refund: Mapping[str, Any]) -> RefundResult:
    states: dict[str, ChargeStatus] = {"processed": "succeeded", "failed": "failed"}
    status = states.get(str(refund.get("status")), "processing")
    return RefundResult(
        status, str(refund["id"]), "refused" if status == "failed" else "", instant(refund.get("created_at"))
    )


def payment_seen(payment: Mapping[str, Any]) -> PaymentSeen:
    states: dict[str, ChargeStatus] = {
        "captured": "succeeded", "refunded": "succeeded", "authorized": "processing", "failed": "failed",
    }  # fmt: skip
    notes = notes_of(payment)
    status = states.get(str(payment["status"]), "pending")
    if status == "failed" and notes.get(KIND) != "debit":
        status = "pending"  # the page is still open: the reader may try another card
    return PaymentSeen(
        key=str(notes.get(KEY) or ""),
        provider_ref=str(payment["id"]),
        amount_minor=int(payment["amount"]),
        currency=str(payment["currency"]).upper(),
        status=status,
        at=instant(payment["created_at"]) or datetime.fromtimestamp(0, UTC),
        refunded_minor=int(payment.get("amount_refunded") or 0),
    )


def note(event_id: str, event: Mapping[str, Any]) -> WebhookNote:
    """An event. Its entities are what stood there when it happened."""
    kind, payload = str(event["event"]), event["payload"]
    base = {"event_id": event_id, "at": instant(event.get("created_at"))}
    if kind.startswith("payment.dispute."):
        return _dispute_note(kind, payload["dispute"]["entity"], base)
    if kind in ("payment.captured", "payment.authorized", "payment.failed", "order.paid"):
        return _charge_note(payload, base)
    if kind in ("refund.processed", "refund.failed"):
        refund = payload["refund"]["entity"]
        return WebhookNote(
            kind="refund",
            key=str(notes_of(refund).get(KEY) or ""),
            charge_ref=str(refund.get("payment_id") or ""),
            amount_minor=int(refund.get("amount") or 0),
            result=refund_result(refund),
            **base,
        )
    if kind in ("token.cancelled", "token.rejected", "token.paused"):
        token = payload["token"]["entity"]
        customer = token.get("customer_id")
        ref = mandate_ref(str(token.get("method")), str(customer), str(token["id"])) if customer else str(token["id"])
        return WebhookNote(kind="mandate_revoked", mandate_ref=ref, **base)
    return WebhookNote(kind="other", **base)


def _charge_note(payload: Mapping[str, Any], base: dict[str, Any]) -> WebhookNote:
    payment = payload["payment"]["entity"]
    order = (payload.get("order") or {}).get("entity") or {}
    notes = {**notes_of(order), **notes_of(payment)}
    result = charge_result([payment], notes)
    key = str(notes.get(KEY) or "")
    if result.status == "pending" or not (key or result.status == "succeeded"):
        return WebhookNote(kind="other", key=key, **base)
    return WebhookNote(
        kind="charge",
        key=key,
        charge_ref=str(payment["id"]),
        amount_minor=int(payment["amount"]),
        result=result,
        **base,
    )


def _dispute_note(kind: str, dispute: Mapping[str, Any], base: dict[str, Any]) -> WebhookNote:
    words = {"created": "opened", "won": "won", "lost": "lost"}
    word = words.get(kind.rpartition(".")[2], "")
    # Enquiries move no money; and `closed` only repeats what won or lost said.
    if not word or dispute.get("phase") in ("fraud", "retrieval"):
        return WebhookNote(kind="other", **base)
    return WebhookNote(
        kind="dispute",
        charge_ref=str(dispute["payment_id"]),
        dispute=word,
        dispute_ref=str(dispute["id"]),
        amount_minor=int(dispute.get("amount") or 0),
        **base,
    )
