"""The connection Razorpay's library speaks over: with time limits, and with our errors instead of its prints."""

from __future__ import annotations

from typing import Any

from broadsheet.payments.adapters import NoAnswerError

_SERVER_ERROR, _CLIENT_ERROR = 500, 400
# Nothing happened, and asking again may help: too many requests, one still under way, a key that is not (yet) good.
_ASK_AGAIN = (401, 403, 408, 409, 425, 429)


class RefusedError(Exception):
    """Razorpay understood the request and refused it."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.reason = str(error.get("reason") or "")
        self.description = str(error.get("description") or "")
        super().__init__(self.description or self.reason)


def session(timeout: tuple[float, float]) -> Any:
    """A `requests` session. NoAnswerError when nobody knows what became of a request, RefusedError when it was
    refused: both before the library sees the answer, which would write to our standard output."""
    import requests  # noqa: PLC0415 - belongs to the library, which is loaded when it is needed

    class Session(requests.Session):
        def request(self, method: Any, url: Any, **options: Any) -> Any:  # type: ignore[override]
            try:
                answer = super().request(method, url, timeout=timeout, **options)
                values = {} if answer.status_code == 204 else answer.json()  # noqa: PLR2004 - no content
            except requests.exceptions.RequestException as error:
                raise NoAnswerError(f"Razorpay: {type(error).__name__}") from error
            told = values.get("error") if isinstance(values, dict) else None
            if answer.status_code >= _SERVER_ERROR or answer.status_code in _ASK_AGAIN:
                raise NoAnswerError(f"Razorpay: {answer.status_code} {told or ''}")
            if answer.status_code >= _CLIENT_ERROR:
                raise RefusedError(told if isinstance(told, dict) else {})
            return answer

    return Session()
