"""The paper's side of `sandbox_server`: the same till, met over a network that may fail."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from broadsheet.payments.adapters import (
    Capabilities,
    ChargeRequest,
    ChargeResult,
    CheckoutRequest,
    NoAnswerError,
    PaymentSeen,
    RefundRequest,
    RefundResult,
    WebhookNote,
)
from broadsheet.payments.adapters.sandbox import AUTO_LIMIT
from broadsheet.payments.adapters.sandbox_messages import charge_result, read_note, refund_result, verify

TIMEOUT = 10.0  # seconds to connect, and for each piece of an answer


def _values(request: Any) -> dict[str, Any]:
    return {**asdict(request), "at": request.at.isoformat()}


class SandboxHttpTill:
    """Answers to `payments.adapters.Provider`; the options `sandbox_url` and `sandbox_secret` say where it is."""

    code = "sandbox-http"
    sandbox = True
    capabilities = Capabilities(max_auto_minor=AUTO_LIMIT)

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout

    def _ask(self, method: str, path: str, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The lines of an answer. NoAnswerError when there is none in time, or not a whole one."""
        place = urlsplit(settings.BROADSHEET.sandbox_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=self._timeout)
        target, body = (f"{path}?{urlencode(values)}", None) if method == "GET" else (path, json.dumps(values))
        headers = {"Authorization": f"Bearer {settings.BROADSHEET.sandbox_secret}", "Content-Type": "application/json"}
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise NoAnswerError(f"The till said {answer.status} to {path}: {answer.read(300)!r}")
            for line in answer:
                yield json.loads(line)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswerError(f"The till did not answer {path}: {error!r}") from error
        finally:
            connection.close()

    def _one(self, method: str, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
        for answer in self._ask(method, path, values):
            return answer
        raise NoAnswerError(f"The till's answer to {path} is empty.")

    def open_checkout(self, request: CheckoutRequest) -> str:
        back = settings.BROADSHEET.public_url + request.return_url
        return (
            settings.BROADSHEET.sandbox_url
            + self._one("POST", "/v1/checkouts", {**_values(request), "return_url": back})["path"]
        )

    def charge(self, request: ChargeRequest) -> ChargeResult:
        return charge_result(self._one("POST", "/v1/charges", _values(request)))

    def notify_debit(self, request: ChargeRequest, debit_at: datetime) -> str:
        raise NotImplementedError("The sandbox needs no notice.")

    def fetch(self, key: str, at: datetime) -> ChargeResult | None:
        result = self._one("GET", "/v1/charge", {"key": key, "at": at.isoformat()})["result"]
        return charge_result(result) if result else None

    def withdraw(self, key: str, at: datetime) -> ChargeResult:
        return charge_result(self._one("POST", "/v1/withdrawals", {"key": key, "at": at.isoformat()}))

    def refund(self, request: RefundRequest) -> RefundResult:
        return refund_result(self._one("POST", "/v1/refunds", _values(request)))

    def revoke_mandate(self, mandate_ref: str, at: datetime) -> None:
        self._one("POST", "/v1/revocations", {"mandate_ref": mandate_ref, "at": at.isoformat()})

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, at: datetime) -> WebhookNote:
        verify(headers, body, settings.BROADSHEET.sandbox_secret.encode(), at)
        return read_note(body)

    def read_webhook(self, event_id: str, body: bytes) -> WebhookNote:
        return read_note(body)

    def list_payments(self, since: datetime, until: datetime) -> Iterator[PaymentSeen]:
        whole = False
        for line in self._ask("GET", "/v1/payments", {"since": since.isoformat(), "until": until.isoformat()}):
            if line.get("end"):
                whole = True
            else:
                yield PaymentSeen(**{**line, "at": datetime.fromisoformat(line["at"])})
        if not whole:
            raise NoAnswerError("The till's list broke off.")
