"""Sign-up and sign-in are one form: an email address, then the code we sent there. allauth keeps the code."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from allauth.account.forms import RequestLoginCodeForm
from allauth.account.views import ConfirmLoginCodeView, RequestLoginCodeView
from allauth.core import ratelimit
from django import forms
from django.contrib.auth import get_user_model, logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from broadsheet import clock
from broadsheet.readers.actions import end_device_of, ensure_reader
from broadsheet.readers.rules import local_path

log = logging.getLogger(__name__)

CODE_REQUEST = "request_login_code"
WAIT_SECONDS = 60
WHY = {
    "wrong": "That was the third wrong code, so it is no longer good. Ask for a new one.",
    "late": "That code is no longer good. Ask for a new one.",
}


def wanted_path(request: HttpRequest) -> str:
    """Where the reader wants to go afterwards: a path of this site, or nothing."""
    return local_path(request.POST.get("next") or request.GET.get("next") or "")


def _with_next(url: str, request: HttpRequest, **more: str) -> str:
    wanted = wanted_path(request)
    query = {**more, **({"next": wanted} if wanted else {})}
    return f"{url}?{urlencode(query)}" if query else url


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - a handler's signature
    """Somebody asks for code after code: a page that says so and when to come back."""
    response = render(request, "readers/too_many.html", {"again": _with_next(reverse("sign_in"), request)}, status=429)
    response.headers["Retry-After"] = str(WAIT_SECONDS)
    return response


def letter_not_sent(request: HttpRequest, error: OSError) -> HttpResponse:
    """The mail server is away (every error of its is an OSError): said plainly, instead of a wait for nothing."""
    log.error("The letter with a code could not be sent: %s", error)
    return render(request, "readers/not_sent.html", {"again": _with_next(reverse("sign_in"), request)}, status=503)


class SignInForm(RequestLoginCodeForm):
    """Answers alike for an address we know and one we do not: the reader's row is made either way."""

    email = forms.EmailField(max_length=254)
    request: HttpRequest
    rate_limited = False

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].strip().lower()
        if not ratelimit.consume(self.request, action=CODE_REQUEST, key=email):
            self.rate_limited = True
            raise ValidationError("Too many codes were asked for.", code="rate_limited")
        ensure_reader(email=email, now=clock.now())
        # A closed account finds nobody: allauth then shows the same page and sends nothing.
        self._user = get_user_model().objects.filter(email=email, is_active=True).first()
        return email


class SignIn(RequestLoginCodeView):
    form_class = SignInForm
    template_name = "readers/sign_in.html"

    def get_form(self, form_class: type | None = None) -> SignInForm:
        form = super().get_form(form_class)
        form.request = self.request
        return form

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: object) -> None:
        """A reader who mistyped the address comes back to this form instead of being sent on to the code."""

    def form_valid(self, form: SignInForm) -> HttpResponse:
        try:
            return super().form_valid(form)
        except OSError as error:
            return letter_not_sent(self.request, error)

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        return too_many_requests(self.request) if form.rate_limited else super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form") or self.get_form()
        return {
            "error": "Write an email address, such as name@example.org." if form.errors else "",
            "email": form["email"].value() or "",
            "next": wanted_path(self.request),
            "why": WHY.get(self.request.GET.get("why", ""), ""),
        }


class TypeCode(ConfirmLoginCodeView):
    template_name = "readers/code.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().dispatch(request, *args, **kwargs)
        if isinstance(response, HttpResponseRedirect) and response.url == reverse("sign_in"):
            wrong = request.method == "POST" and getattr(self, "_process", None) is not None
            return redirect(_with_next(response.url, request, why="wrong" if wrong else "late"))
        return response

    def _resend_form_valid(self, form: Any) -> HttpResponse:
        if not ratelimit.consume(self.request, action=CODE_REQUEST, key=self._process.state["email"]):
            return too_many_requests(self.request)
        try:
            return super()._resend_form_valid(form)
        except OSError as error:
            return letter_not_sent(self.request, error)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form") or self.get_form()
        return {
            "email": self._process.state["email"],
            "error": "That is not the code we sent." if form.errors else "",
            "can_resend": self._process.can_resend,
            "next": wanted_path(self.request),
            "start_again": _with_next(reverse("sign_in"), self.request),
        }


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this browser's session; the passport goes with it."""
    if request.session.session_key:
        end_device_of(key=request.session.session_key)
    logout(request)
    return redirect(wanted_path(request) or "/")
