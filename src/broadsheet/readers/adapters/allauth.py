"""django-allauth in this paper's voice: local redirects only, one letter of ours, no flash messages."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from broadsheet import clock
from broadsheet.mail import Letter, send
from broadsheet.readers.actions import mark_verified
from broadsheet.readers.rules import local_path

CODE_LETTER = "account/email/login_code"


class ReaderAdapter(DefaultAccountAdapter):
    def is_safe_url(self, url: str) -> bool:
        return bool(local_path(url or ""))

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        return False  # readers sign up by our one form; allauth's own pages are not mounted

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our pages say what happened themselves."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The letter with the code. allauth has no other letter to send here; one we do not know is an error."""
        if template_prefix != CODE_LETTER:
            raise LookupError(f"There is no letter {template_prefix!r}.")
        send(code_letter(email, context["code"]))

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        mark_verified(reader_id=user.pk, now=clock.now())
        # The passport is issued from the stored session, and has to go out with this very answer.
        request.session.save()
        return super().post_login(request, user, **kwargs)


def code_letter(email: str, code: str) -> Letter:
    """The code stands in the subject too: most readers take it from the notification and never open the letter."""
    name = settings.BROADSHEET.name
    minutes = settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60
    ask = f"Type this code to log in to {name}:"
    terms = f"It is good for {minutes} minutes and can be used once."
    other = (
        "If you did not ask for it, you need not do anything: without the code nobody gets in. Never give it to "
        "anybody; we do not ask for it by telephone or in a letter."
    )
    html = format_html(
        "<p>{}</p><p style='font-size:1.75em;letter-spacing:.08em'><strong>{}</strong></p><p>{}</p><p>{}</p><p>{}</p>",
        ask, code, terms, other, name,
    )  # fmt: skip
    text = f"{ask}\n\n    {code}\n\n{terms}\n\n{other}\n\n{name}\n"
    return Letter(to=email, subject=f"{code} is your code for {name}", text=text, html=str(html))
