"""Stripe, by its own library: hosted Checkout pages, later charges off session, refunds, signed events.

Stripe forgets an idempotency key after a day, and our attempts may be asked for again much later. So every call that
moves money first looks whether it has moved already: charges are found by their customer, refunds by their charge.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

from django.conf import settings

from broadsheet.payments.adapters import (
    Capabilities,
    ChargeRequest,
    ChargeResult,
    CheckoutRequest,
    MandateSeen,
    NoAnswerError,
    PaymentSeen,
    RefundRequest,
    RefundResult,
    SignatureError,
    WebhookNote,
)
from broadsheet.payments.adapters import stripe_words as words
from broadsheet.payments.adapters.stripe_words import KEY, KIND, MAX

Found = TypeVar("Found")
TIMEOUT = (5.0, 25.0)  # seconds to connect, and to answer
TOLERANCE = timedelta(minutes=5)
PAGE_OPEN = timedelta(hours=23)  # Stripe allows a day at most
# How far back a key is looked for when Stripe's search has not heard of it (yet): as long as a page may stand open.
RECENT = timedelta(hours=26)
MOST_RECENT = 5_000


class StripeTill:
    """Answers to `payments.adapters.Provider`. `base_url` is another server's, for tests."""

    code = "stripe"
    sandbox = False
    # Banks in India are told by Stripe itself, a day before it debits: a charge there is `processing` for that long.
    capabilities = Capabilities(max_auto_minor={"INR": 1_500_000})

    def __init__(self, base_url: str = "", timeout: tuple[float, float] = TIMEOUT) -> None:
        self._base_url = base_url
        self._timeout = timeout

    @cached_property
    def _sdk(self) -> Any:
        import stripe  # noqa: PLC0415 - a second of start-up time that only papers with Stripe should pay

        return stripe

    @cached_property
    def _api(self) -> Any:
        return self._sdk.StripeClient(
            settings.BROADSHEET.stripe_key,
            base_addresses={"api": self._base_url} if self._base_url else None,
            # A repetition is ours to decide: it looks first.
            max_network_retries=0,
            http_client=self._sdk.RequestsClient(timeout=self._timeout),
        ).v1

    def _ask(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call Stripe. Card and request errors pass; whatever leaves us without an answer is NoAnswerError."""
        try:
            return call(*arguments, **named)
        except (self._sdk.CardError, self._sdk.InvalidRequestError):
            raise
        except self._sdk.StripeError as error:
            raise NoAnswerError(f"Stripe: {type(error).__name__}: {error}") from error

    def _list(self, call: Callable[..., Any], most: int | None = None, **params: Any) -> Iterator[dict[str, Any]]:
        pages = iter(self._ask(call, params={"limit": 100, **params}).auto_paging_iter())
        count = 0
        while most is None or count < most:
            thing = self._ask(next, pages, None)
            if thing is None:
                return
            count += 1
            yield thing.to_dict()

    # The reader's page

    def open_checkout(self, request: CheckoutRequest) -> str:
        customer = self._customer(request)
        sessions = self._list(self._api.checkout.sessions.list, customer=customer, status="open")
        for session in sessions:
            if session.get("client_reference_id") == request.key and session.get("url"):
                return str(session["url"])
        params = self._session(request, customer)
        made = self._ask(self._api.checkout.sessions.create, params=params, options={"idempotency_key": request.key})
        return str(made.url)

    def _customer(self, request: CheckoutRequest) -> str:
        if request.email:
            for customer in self._list(self._api.customers.list, email=request.email):
                if (customer.get("metadata") or {}).get("broadsheet_customer") == request.customer:
                    return str(customer["id"])
        params: dict[str, Any] = {"metadata": {"broadsheet_customer": request.customer}}
        if request.email:
            params["email"] = request.email
        return str(self._ask(self._api.customers.create, params=params).id)

    def _session(self, request: CheckoutRequest, customer: str) -> dict[str, Any]:
        back = settings.BROADSHEET.public_url + request.return_url
        metadata = {KEY: request.key, KIND: "page"}
        params: dict[str, Any] = {
            "customer": customer,
            "client_reference_id": request.key,
            "success_url": back,
            "cancel_url": back,
            "expires_at": int((request.at + PAGE_OPEN).timestamp()),
            "metadata": metadata,
        }
        wish = request.mandate
        if wish is not None:
            params["payment_method_types"] = [wish.rail]
            if wish.max_minor is not None:
                metadata[MAX] = str(wish.max_minor)
            if wish.rail == "upi":
                most = min(wish.max_minor or 1_500_000, 1_500_000)
                options = {"amount": most, "amount_type": "maximum", "description": request.description[:20]}
                params["payment_method_options"] = {"upi": {"mandate_options": options}}
        if request.amount_minor == 0:
            return {
                **params,
                "mode": "setup",
                "currency": request.currency.lower(),
                "setup_intent_data": {"metadata": metadata},
            }
        price = {
            "currency": request.currency.lower(),
            "unit_amount": request.amount_minor,
            "product_data": {"name": request.description},
        }
        data: dict[str, Any] = {"metadata": metadata, "description": request.description}
        if wish is not None:
            data["setup_future_usage"] = "off_session"
        return {
            **params,
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 1}],
            "payment_intent_data": data,
        }

    def withdraw(self, key: str, at: datetime) -> ChargeResult:
        since = int((at - RECENT).timestamp())
        for session in self._list(self._api.checkout.sessions.list, status="open", created={"gte": since}):
            if session.get("client_reference_id") == key:
                try:
                    self._ask(self._api.checkout.sessions.expire, session["id"])
                except self._sdk.InvalidRequestError:
                    break  # the reader was faster
        result = self.fetch(key, at)
        settled = result is not None and result.status in ("succeeded", "processing")
        return result if result and settled else ChargeResult("failed", failure_code="withdrawn", at=at)

    # Charges

    def charge(self, request: ChargeRequest) -> ChargeResult:
        method = self._method(request.mandate_ref)
        customer = str(method.get("customer") or "") if method else ""
        if not customer:
            return ChargeResult("failed", failure_code="no_mandate", at=request.at)
        intents = self._list(self._api.payment_intents.list, customer=customer)
        made = next((intent for intent in intents if _key_of(intent) == request.key), None)
        if made is not None:
            return words.charge_result(made)
        params = {
            "amount": request.amount_minor,
            "currency": request.currency.lower(),
            "customer": customer,
            "payment_method": request.mandate_ref,
            "payment_method_types": [str(method["type"])] if method else ["card"],
            "off_session": True,
            "confirm": True,
            "description": request.description,
            "metadata": {KEY: request.key, KIND: "debit"},
        }
        try:
            intent = self._ask(
                self._api.payment_intents.create, params=params, options={"idempotency_key": request.key}
            )
        except self._sdk.CardError as error:
            return self._declined(error, request.at)
        return words.charge_result(intent.to_dict())

    def _declined(self, error: Any, at: datetime) -> ChargeResult:
        told = (error.json_body or {}).get("error") or {}
        intent = told.get("payment_intent") or {}
        why = words.failure(str(told.get("code") or ""), str(told.get("decline_code") or ""))
        return ChargeResult("failed", str(intent.get("id") or ""), failure_code=why, at=at)

    def _method(self, ref: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._ask(self._api.payment_methods.retrieve, ref).to_dict()
        except self._sdk.InvalidRequestError:
            return None
        return found

    def notify_debit(self, request: ChargeRequest, debit_at: datetime) -> str:
        raise NotImplementedError("Stripe tells the reader's bank itself.")

    def fetch(self, key: str, at: datetime) -> ChargeResult | None:
        intent = self._find(self._api.payment_intents, key, at, search=True)
        if intent is not None:
            return words.charge_result(intent, self._mandate(intent))
        setup = self._find(self._api.setup_intents, key, at, search=False)
        if setup is None:
            return None
        if setup["status"] != "succeeded":
            return ChargeResult("pending", str(setup["id"]))
        return ChargeResult("succeeded", str(setup["id"]), self._mandate(setup), at=words.instant(setup["created"]))

    def _find(self, service: Any, key: str, at: datetime, *, search: bool) -> dict[str, Any] | None:
        """The intent of a key: by Stripe's search, which is a minute behind and not offered everywhere, else among the
        latest."""
        if search:
            quoted = key.replace("\\", "\\\\").replace("'", "\\'")
            try:
                for intent in islice(self._list(service.search, query=f"metadata['{KEY}']:'{quoted}'"), 1):
                    fresh: dict[str, Any] = self._ask(service.retrieve, intent["id"]).to_dict()
                    return fresh
            except self._sdk.InvalidRequestError:
                pass
        recent = self._list(service.list, MOST_RECENT, created={"gte": int((at - RECENT).timestamp())})
        return next((intent for intent in recent if _key_of(intent) == key), None)

    def _mandate(self, intent: Mapping[str, Any]) -> MandateSeen | None:
        metadata, method = intent.get("metadata") or {}, intent.get("payment_method")
        usage = intent.get("setup_future_usage") or intent.get("usage")
        if intent["status"] != "succeeded" or usage != "off_session" or metadata.get(KIND) != "page" or not method:
            return None
        found = self._method(str(method))
        return words.mandate_seen(found, metadata.get(MAX)) if found else None

    def revoke_mandate(self, mandate_ref: str, at: datetime) -> None:
        method = self._method(mandate_ref)
        if method and method.get("customer"):
            try:
                self._ask(self._api.payment_methods.detach, mandate_ref)
            except self._sdk.InvalidRequestError:
                if (self._method(mandate_ref) or {}).get("customer"):
                    raise

    # Money back

    def refund(self, request: RefundRequest) -> RefundResult:
        found = None if request.charge_ref else self.fetch(request.charge_key, request.at)
        ref = request.charge_ref or (found.provider_ref if found else "")
        if not ref:
            return RefundResult("failed", failure_code="unknown_charge", at=request.at)
        for refund in self._list(self._api.refunds.list, payment_intent=ref):
            if _key_of(refund) == request.key:
                return words.refund_result(refund)
        params = {
            "payment_intent": ref,
            "amount": request.amount_minor,
            "reason": "requested_by_customer",
            "metadata": {KEY: request.key, "why": request.reason[:500]},
        }
        try:
            made = self._ask(self._api.refunds.create, params=params, options={"idempotency_key": request.key})
        except self._sdk.InvalidRequestError as error:
            return RefundResult("failed", failure_code=str(error.code or "refused")[:40], at=request.at)
        return words.refund_result(made.to_dict())

    # Their words

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, at: datetime) -> WebhookNote:
        header = headers.get("stripe-signature", "")
        try:
            # The age is judged by the paper's clock, below, not by the machine's.
            self._sdk.WebhookSignature.verify_header(body, header, settings.BROADSHEET.stripe_webhook_secret, None)
        except (self._sdk.SignatureVerificationError, UnicodeDecodeError) as error:
            raise SignatureError(str(error)) from error
        stamp = next(int(part[2:]) for part in header.split(",") if part.startswith("t="))
        if abs(at.timestamp() - stamp) > TOLERANCE.total_seconds():
            raise SignatureError("The message was signed too long ago.")
        return self.read_webhook("", body)

    def read_webhook(self, event_id: str, body: bytes) -> WebhookNote:
        try:
            return words.note(json.loads(body))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"This is no event of Stripe's: {error!r}") from error

    def list_payments(self, since: datetime, until: datetime) -> Iterator[PaymentSeen]:
        created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        for intent in self._list(self._api.payment_intents.list, created=created, expand=["data.latest_charge"]):
            yield words.payment_seen(intent)
        for intent in self._list(self._api.setup_intents.list, created=created):
            if _key_of(intent):
                yield words.setup_seen(intent)


def _key_of(thing: Mapping[str, Any]) -> str:
    return str((thing.get("metadata") or {}).get(KEY) or "")
