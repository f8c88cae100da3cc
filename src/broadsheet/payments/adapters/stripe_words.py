"""Stripe's objects in our words. Pure: plain dictionaries of its API in, our values out."""

from __future__ import annotations

from collections.abc import Mapping
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
RAILS = {"card": "card", "upi": "upi"}
# Decline codes after which no bank changes its mind about this card.
HARD = frozenset(
    {
        "expired_card", "fraudulent", "incorrect_number", "invalid_account", "invalid_expiry_month",
        "invalid_expiry_year", "invalid_number", "lost_card", "merchant_blacklist", "new_account_information_available",
        "pickup_card", "restricted_card", "revocation_of_all_authorizations", "security_violation",
        "service_not_allowed", "stolen_card", "transaction_not_allowed", "card_not_supported",
        "currency_not_supported",
    }
)  # fmt: skip
OPTED_OUT = frozenset({"revocation_of_authorization", "stop_payment_order"})
NO_MANDATE = frozenset(
    {"india_recurring_payment_mandate_canceled", "payment_intent_mandate_invalid", "setup_intent_mandate_invalid"}
)


def instant(stamp: int | None) -> datetime | None:
    return datetime.fromtimestamp(stamp, UTC) if stamp else None


def failure(code: str, decline_code: str = "") -> str:
    """What an error's `code` and the bank's `decline_code` come to."""
    if code in NO_MANDATE:
        return "no_mandate"
    if {code, decline_code} & OPTED_OUT:
        return "opted_out"
    return "hard_declined" if {code, decline_code} & HARD else "declined"


def charge_result(intent: Mapping[str, Any], mandate: MandateSeen | None = None) -> ChargeResult:
    """A PaymentIntent. On a page of theirs a declined card decides nothing: the reader may take another."""
    status, ref = str(intent["status"]), str(intent["id"])
    metadata = intent.get("metadata") or {}
    if status == "succeeded":
        charge = intent.get("latest_charge")
        at = charge.get("created") if isinstance(charge, Mapping) else intent.get("created")
        return ChargeResult("succeeded", ref, mandate, at=instant(at))
    if status in ("processing", "requires_capture"):
        return ChargeResult("processing", ref)
    if status == "canceled":
        return ChargeResult("failed", ref, failure_code="withdrawn", at=instant(intent.get("canceled_at")))
    error = intent.get("last_payment_error") or {}
    if metadata.get(KIND) == "debit" and (error or status == "requires_action"):
        told = failure(str(error.get("code") or ""), str(error.get("decline_code") or ""))
        return ChargeResult("failed", ref, failure_code=told)
    return ChargeResult("pending", ref)


def mandate_seen(method: Mapping[str, Any], max_minor: str | int | None = None) -> MandateSeen:
    """A PaymentMethod that later debits may use."""
    kind = str(method.get("type") or "card")
    details = method.get(kind) or {}
    label = f"{str(details.get('brand') or 'card').title()} ending {details.get('last4', '')}" if kind == "card" else ""
    label = label or str(details.get("vpa") or kind)
    return MandateSeen(str(method["id"]), RAILS.get(kind, "card"), int(max_minor) if max_minor else None, label[:60])


def refund_result(refund: Mapping[str, Any]) -> RefundResult:
    states: dict[str, ChargeStatus] = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
    status = states.get(str(refund.get("status")), "processing")
    why = str(refund.get("failure_reason") or "refused") if status == "failed" else ""
    return RefundResult(status, str(refund["id"]), why, instant(refund.get("created")))


def payment_seen(intent: Mapping[str, Any]) -> PaymentSeen:
    charge = intent.get("latest_charge")
    return PaymentSeen(
        key=str((intent.get("metadata") or {}).get(KEY) or ""),
        provider_ref=str(intent["id"]),
        amount_minor=int(intent.get("amount_received") or intent["amount"]),
        currency=str(intent["currency"]).upper(),
        status=charge_result(intent).status,
        at=instant(intent["created"]) or datetime.fromtimestamp(0, UTC),
        refunded_minor=int(charge.get("amount_refunded") or 0) if isinstance(charge, Mapping) else 0,
    )


def setup_seen(intent: Mapping[str, Any]) -> PaymentSeen:
    """A SetupIntent: a mandate alone, an amount of nothing."""
    done = intent["status"] == "succeeded"
    return PaymentSeen(
        key=str((intent.get("metadata") or {}).get(KEY) or ""),
        provider_ref=str(intent["id"]),
        amount_minor=0,
        currency="",
        status="succeeded" if done else "pending",
        at=instant(intent["created"]) or datetime.fromtimestamp(0, UTC),
    )


def note(event: Mapping[str, Any]) -> WebhookNote:
    """An event. Its object is what stood there when it happened; the newest word is fetched by whoever wants it."""
    kind, thing = str(event["type"]), event["data"]["object"]
    base = {"event_id": str(event["id"]), "at": instant(event.get("created"))}
    if kind.startswith("payment_intent."):
        return _charge_note(thing, base)
    if kind.startswith("refund.") or kind == "charge.refund.updated":
        return WebhookNote(
            kind="refund",
            key=str((thing.get("metadata") or {}).get(KEY) or ""),
            charge_ref=str(thing.get("payment_intent") or ""),
            amount_minor=int(thing.get("amount") or 0),
            result=refund_result(thing),
            **base,
        )
    if kind in ("charge.dispute.created", "charge.dispute.closed"):
        return _dispute_note(kind, thing, base)
    ended = kind == "payment_method.detached" or (kind == "mandate.updated" and thing.get("status") == "inactive")
    if ended:
        ref = str(thing["id"] if kind == "payment_method.detached" else thing["payment_method"])
        return WebhookNote(kind="mandate_revoked", mandate_ref=ref, **base)
    return WebhookNote(kind="other", **base)


def _charge_note(intent: Mapping[str, Any], base: dict[str, Any]) -> WebhookNote:
    key = str((intent.get("metadata") or {}).get(KEY) or "")
    result = charge_result(intent, _mandate_of(intent))
    if not key or result.status == "pending":
        return WebhookNote(kind="other", key=key, **base)
    amount = int(intent.get("amount") or 0)
    return WebhookNote(kind="charge", key=key, charge_ref=str(intent["id"]), amount_minor=amount, result=result, **base)


def _mandate_of(intent: Mapping[str, Any]) -> MandateSeen | None:
    """The mandate a paid page left behind, as far as the event itself names it: without the card's brand."""
    metadata, method = intent.get("metadata") or {}, intent.get("payment_method")
    if intent.get("setup_future_usage") != "off_session" or not method:
        return None
    if isinstance(method, Mapping):
        return mandate_seen(method, metadata.get(MAX))
    rail = next((name for name in intent.get("payment_method_types") or () if name in RAILS), "card")
    most = metadata.get(MAX)
    return MandateSeen(str(method), RAILS[rail], int(most) if most else None)


def _dispute_note(kind: str, dispute: Mapping[str, Any], base: dict[str, Any]) -> WebhookNote:
    status = str(dispute.get("status"))
    if status.startswith("warning_"):  # an inquiry: no money has moved
        return WebhookNote(kind="other", **base)
    word = "opened" if kind == "charge.dispute.created" else ("won" if status == "won" else "lost")
    return WebhookNote(
        kind="dispute",
        charge_ref=str(dispute.get("payment_intent") or ""),
        dispute=word,
        dispute_ref=str(dispute["id"]),
        amount_minor=int(dispute.get("amount") or 0),
        **base,
    )
