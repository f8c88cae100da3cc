"""Razorpay, by its own library: registration and payment links, debits by token, the word to the bank that goes before.

A debit has no idempotency key there. So every attempt has an order of its own, found by its receipt, and whoever asks
again looks at the order's payments before anything is charged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings

from broadsheet.payments.adapters import (
    Capabilities,
    ChargeRequest,
    ChargeResult,
    CheckoutRequest,
    MandateWish,
    NoAnswerError,
    PaymentSeen,
    RefundRequest,
    RefundResult,
    SignatureError,
    WebhookNote,
)
from broadsheet.payments.adapters import razorpay_words as words
from broadsheet.payments.adapters.razorpay_session import RefusedError, session
from broadsheet.payments.adapters.razorpay_words import KEY, KIND, MAX, receipt_of
from broadsheet.payments.adapters.upi_hours import off_peak

Values = dict[str, Any]
TIMEOUT = (5.0, 25.0)  # seconds to connect, and to answer
PAGE_OPEN = timedelta(hours=23)
MANDATE_LASTS = timedelta(days=3650)
AUTO_LIMIT = 1_500_000  # INR 15,000
LEAST = 100  # INR 1: a mandate alone is registered by a payment of it, which goes back
# A card's bank wants 36 hours and 5 minutes from our asking to the debit, an account by UPI 25 hours.
ASK_AHEAD = timedelta(hours=37)
_PAGE = 100


class RazorpayTill:
    """Answers to `payments.adapters.Provider`. `base_url` is another server's, for tests."""

    code = "razorpay"
    sandbox = False
    capabilities = Capabilities(
        needs_notice=True, min_notice=ASK_AHEAD, max_auto_minor={"INR": AUTO_LIMIT}, idempotent_charge=False
    )

    def __init__(self, base_url: str = "", timeout: tuple[float, float] = TIMEOUT) -> None:
        self._base_url = base_url
        self._timeout = timeout

    @cached_property
    def _api(self) -> Any:
        import razorpay  # noqa: PLC0415 - start-up time that only papers with Razorpay should pay

        options = settings.BROADSHEET
        # The library's own repetition stays off: it would post a debit twice.
        return razorpay.Client(
            session=session(self._timeout),
            auth=(options.razorpay_key_id, options.razorpay_key_secret),
            **({"base_url": self._base_url} if self._base_url else {}),
        )

    # The reader's page

    def open_checkout(self, request: CheckoutRequest) -> str:
        wish = request.mandate
        found = self._registration(request.key) if wish else self._link(request.key)
        if found is None:
            found = self._register(request, wish) if wish else self._make_link(request)
        return str(found["short_url"])

    def _registration(self, key: str) -> Values | None:
        receipt = receipt_of(key)
        rows = self._api.invoice.all({"type": "link", "receipt": receipt}).get("items", [])
        return next((row for row in rows if row.get("receipt") == receipt), None)

    def _link(self, key: str) -> Values | None:
        receipt = receipt_of(key)
        rows = self._api.payment_link.all({"reference_id": receipt}).get("payment_links", [])
        return next((row for row in rows if row.get("reference_id") == receipt), None)

    def _register(self, request: CheckoutRequest, wish: MandateWish) -> Values:
        most = wish.max_minor or AUTO_LIMIT
        notes = {KEY: request.key, KIND: "page" if request.amount_minor else "mandate", MAX: str(most)}
        registration = {
            "method": wish.rail,
            "max_amount": most,
            "expire_at": int((request.at + MANDATE_LASTS).timestamp()),
        }
        if wish.rail == "upi":
            registration["frequency"] = "as_presented"  # quarters and years are no frequency of UPI's
        made: Values = self._api.registration_link.create(
            {
                "type": "link",
                "customer": {"email": request.email} if request.email else {},
                "amount": max(LEAST, request.amount_minor),
                "currency": request.currency,
                "description": request.description[:255],
                "subscription_registration": registration,
                "receipt": receipt_of(request.key),
                "expire_by": int((request.at + PAGE_OPEN).timestamp()),
                "email_notify": False,
                "sms_notify": False,
                "notes": notes,
            }
        )
        return made

    def _make_link(self, request: CheckoutRequest) -> Values:
        made: Values = self._api.payment_link.create(
            {
                "amount": request.amount_minor,
                "currency": request.currency,
                "description": request.description[:255],
                "reference_id": receipt_of(request.key),
                "customer": {"email": request.email} if request.email else {},
                "expire_by": int((request.at + PAGE_OPEN).timestamp()),
                "notify": {"sms": False, "email": False},
                "reminder_enable": False,
                "notes": {KEY: request.key, KIND: "page"},
                "callback_url": settings.BROADSHEET.public_url + request.return_url,
                "callback_method": "get",
            }
        )
        return made

    def withdraw(self, key: str, at: datetime) -> ChargeResult:
        for found, cancel in self._pages(key):
            if found.get("status") in ("issued", "created"):
                try:
                    cancel(found["id"])
                except RefusedError:
                    break  # the reader was faster
        result = self.fetch(key, at)
        settled = result is not None and result.status in ("succeeded", "processing")
        return result if result and settled else ChargeResult("failed", failure_code="withdrawn", at=at)

    def _pages(self, key: str) -> Iterator[tuple[Values, Callable[[str], Any]]]:
        if registration := self._registration(key):
            yield registration, self._api.invoice.cancel
        if link := self._link(key):
            yield link, self._api.payment_link.cancel

    # Debits

    def notify_debit(self, request: ChargeRequest, debit_at: datetime) -> str:
        """Have the bank told, by an order that names the debit's instant; for UPI that is moved out of busy hours."""
        rail, _, token = words.split_ref(request.mandate_ref)
        moved = off_peak(debit_at) if rail == "upi" else debit_at
        notice = {"token_id": token, "payment_after": int(moved.timestamp())}
        # What was announced with another amount is announced anew: the bank debits what it told the reader.
        order = _of_amount(self._orders(request.key), request.amount_minor)
        return str((order or self._make_order(request, notice))["id"])

    def charge(self, request: ChargeRequest) -> ChargeResult:
        rail, customer_id, token = words.split_ref(request.mandate_ref)
        orders = self._orders(request.key)
        known = self._known(orders)
        if known is not None:
            return known
        order = _of_amount(orders, request.amount_minor)
        if rail == "upi" and order is not None and off_peak(request.at) != request.at:
            raise NoAnswerError("UPI debits wait until the busy hours are over.")
        order = order or self._make_order(request, None)
        try:
            customer = self._api.customer.fetch(customer_id, {})
            self._api.payment.createRecurring(
                {
                    "email": customer.get("email") or request.email,
                    "contact": customer.get("contact") or "",
                    "amount": request.amount_minor,
                    "currency": request.currency,
                    "order_id": order["id"],
                    "customer_id": customer_id,
                    "token": token,
                    "recurring": True,
                    "description": request.description[:255],
                    "notes": {KEY: request.key, KIND: "debit"},
                }
            )
        except RefusedError as error:
            result = self._result(self._api.order.fetch(order["id"], {}))
            if result.status in ("failed", "succeeded"):
                return result
            return ChargeResult("failed", failure_code=words.failure(error.reason, error.description), at=request.at)
        result = self._result(self._api.order.fetch(order["id"], {}))
        return ChargeResult("processing") if result.status == "pending" else result

    def _orders(self, key: str) -> list[Values]:
        """The orders of a debit: one, or several when the amount changed after the bank was told."""
        receipt = receipt_of(key)
        rows = self._api.order.all({"receipt": receipt, "count": _PAGE}).get("items", [])
        return [row for row in rows if row.get("receipt") == receipt and words.notes_of(row).get(KIND) == "debit"]

    def _known(self, orders: Sequence[Mapping[str, Any]]) -> ChargeResult | None:
        """What is known of a debit; None while nothing was debited. An order alone moves nothing: whoever made it died
        before the debit, or only had the bank told."""
        results = {result.status: result for order in orders if (result := self._result(order)).status != "pending"}
        return results.get("succeeded") or results.get("processing") or results.get("failed")

    def _make_order(self, request: ChargeRequest, notice: Values | None) -> Values:
        made: Values = self._api.order.create(
            {
                "amount": request.amount_minor,
                "currency": request.currency,
                "receipt": receipt_of(request.key),
                "payment_capture": True,
                "notes": {KEY: request.key, KIND: "debit"},
                **({"notification": notice} if notice else {}),
            }
        )
        return made

    def _result(self, order: Mapping[str, Any], notes: Mapping[str, Any] | None = None) -> ChargeResult:
        payments = self._api.order.payments(order["id"], {}).get("items", [])
        notes = notes or words.notes_of(order)
        result = words.charge_result(payments, notes, attempts=int(order.get("attempts") or 0))
        if notes.get(KIND) == "mandate" and result.status == "succeeded":
            self._give_back(next(p for p in payments if p["id"] == result.provider_ref), str(notes[KEY]))
        return result

    def _give_back(self, payment: Mapping[str, Any], key: str) -> None:
        """The rupee that registered a mandate was nobody's debt."""
        if int(payment.get("amount_refunded") or 0) < int(payment["amount"]):
            self._refund(str(payment["id"]), int(payment["amount"]), f"back:{key}", "mandate registered")

    def fetch(self, key: str, at: datetime) -> ChargeResult | None:
        orders = self._orders(key)
        if orders:
            return self._known(orders)
        for page, _ in self._pages(key):
            ended = page.get("status") in ("cancelled", "expired")
            result = ChargeResult("pending")
            if page.get("order_id"):
                result = self._result(self._api.order.fetch(page["order_id"], {}), words.notes_of(page))
            if result.status == "pending" and ended:
                return ChargeResult("failed", failure_code="withdrawn", at=at)
            return result
        return None

    def revoke_mandate(self, mandate_ref: str, at: datetime) -> None:
        _, customer, token = words.split_ref(mandate_ref)
        try:
            self._api.token.cancel(customer, token, {})
        except RefusedError:
            state = self._api.token.fetch(customer, token, {}).get("recurring_details") or {}
            if state.get("status") not in ("cancelled", "cancellation_initiated", "rejected", "expired"):
                raise

    # Money back

    def refund(self, request: RefundRequest) -> RefundResult:
        found = None if request.charge_ref else self.fetch(request.charge_key, request.at)
        ref = request.charge_ref or (found.provider_ref if found else "")
        if not ref:
            return RefundResult("failed", failure_code="unknown_charge", at=request.at)
        for refund in self._api.payment.fetch_multiple_refund(ref, {"count": _PAGE}).get("items", []):
            if words.notes_of(refund).get(KEY) == request.key:
                return words.refund_result(refund)
        try:
            return words.refund_result(self._refund(ref, request.amount_minor, request.key, request.reason))
        except RefusedError as error:
            return RefundResult("failed", failure_code=(error.reason or "refused")[:40], at=request.at)

    def _refund(self, payment_id: str, amount_minor: int, key: str, reason: str) -> Values:
        made: Values = self._api.payment.refund(
            payment_id,
            {"amount": amount_minor, "speed": "normal", "notes": {KEY: key, "why": reason[:250]}},
            headers={"X-Refund-Idempotency": words.idempotency_of(key)},
        )
        return made

    # Their words

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, at: datetime) -> WebhookNote:
        """Razorpay signs no time: what makes an old message harmless is that each is understood once, by its id."""
        secret, signature = settings.BROADSHEET.razorpay_webhook_secret, headers.get("x-razorpay-signature", "")
        event_id = headers.get("x-razorpay-event-id", "")
        if not secret or not event_id:
            raise SignatureError("A message without a name, or a paper without the secret of messages.")
        try:
            # The library wants the very text that was signed, not a copy of what it means.
            self._api.utility.verify_webhook_signature(body.decode(), signature, secret)
        except Exception as error:
            raise SignatureError("The signature does not fit the message.") from error
        return self.read_webhook(event_id, body)

    def read_webhook(self, event_id: str, body: bytes) -> WebhookNote:
        try:
            return words.note(event_id, json.loads(body))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"This is no event of Razorpay's: {error!r}") from error

    def list_payments(self, since: datetime, until: datetime) -> Iterator[PaymentSeen]:
        window = {"from": int(since.timestamp()), "to": int(until.timestamp()), "count": _PAGE}
        skip = 0
        while True:
            page = self._api.payment.all({**window, "skip": skip}).get("items", [])
            for payment in page:
                if since <= (words.instant(payment["created_at"]) or since) < until:
                    yield words.payment_seen(payment)
            if len(page) < _PAGE:
                return
            skip += len(page)


def _of_amount(orders: Sequence[Values], amount_minor: int) -> Values | None:
    return next((order for order in orders if int(order["amount"]) == amount_minor), None)
