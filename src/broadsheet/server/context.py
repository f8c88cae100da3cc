"""What every page that Django renders may use besides its own values."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.html import format_html
from django.utils.safestring import SafeString

from broadsheet.press.queries import chrome


def page(request: HttpRequest) -> dict[str, Any]:
    """`chrome`, and `csrf_input` for forms: made only when a template asks for it, as it sets a cookie."""

    def csrf_input() -> SafeString:
        return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request))

    return {"chrome": chrome(), "csrf_input": _Lazy(csrf_input)}


class _Lazy:
    def __init__(self, make: Any) -> None:
        self._make = make

    def __html__(self) -> str:
        return str(self._make())

    __str__ = __html__
