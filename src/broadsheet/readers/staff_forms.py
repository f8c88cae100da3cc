"""The newsroom's own log-in, with a limit on guesses: readers have no password to guess, staff have."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.core.exceptions import ValidationError
from wagtail.admin.forms.auth import LoginForm, PasswordResetForm

TOO_MANY = "Too many tries. Wait five minutes before the next one."


class StaffLoginForm(LoginForm):
    """Few tries for a name from one network, more for a name from all of them: whoever fails on purpose from elsewhere
    does not shut an editor out. A try that is one too many is not even looked at."""

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", "")).strip().lower()
        here = f"{name} {get_adapter().get_client_ip(self.request)}"
        limited = (("staff_login", here), ("staff_login_name", name))
        if not all(ratelimit.consume(self.request, action=action, key=key) for action, key in limited):
            raise ValidationError(TOO_MANY, code="rate_limited")
        cleaned: dict[str, Any] = super().clean()
        return cleaned


class StaffPasswordResetForm(PasswordResetForm):
    """Answers alike for every address; the letters to one are few."""

    def save(self, *args: Any, request: Any = None, **kwargs: Any) -> None:
        email = self.cleaned_data["email"].strip().lower()
        if ratelimit.consume(request, action="staff_reset", key=email):
            super().save(*args, request=request, **kwargs)
