"""Staff register clients here, and nowhere else: nobody registers itself."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadsheet import clock
from broadsheet.api import actions, queries
from broadsheet.api.forms import ClientForm, initial

PERMISSION: Final = "allauth_idp_oidc.change_client"


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> TemplateResponse:
    return TemplateResponse(request, f"api/admin/{name}", context, using="django")


def _allowed(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


@require_safe
def clients(request: HttpRequest) -> HttpResponse:
    _allowed(request)
    return _page(request, "clients.html", {"clients": queries.clients()})


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    _allowed(request)
    form = ClientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = actions.add_client(draft=form.draft(), now=clock.now())
        except ValidationError as error:
            _told(form, error)
        else:
            # The one time the secret is shown: in the answer itself, so that it lies in no session and no address.
            return _page(request, "client_added.html", {"client": row, "secret": secret})
    return _page(request, "client.html", {"form": form, "client": None})


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, client_id: str) -> HttpResponse:
    _allowed(request)
    row = queries.client(client_id)
    if row is None:
        raise Http404
    form = ClientForm(request.POST or None, initial=initial(row))
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_client(client_id=client_id, draft=form.draft())
        except ValidationError as error:
            _told(form, error)
        else:
            messages.success(request, f"{form.cleaned_data['name']} is changed.")
            return redirect("api_clients")
    return _page(request, "client.html", {"form": form, "client": row})


@require_POST
def secret(request: HttpRequest, client_id: str) -> HttpResponse:
    _allowed(request)
    row = queries.client(client_id)
    if row is None or row.public:
        raise Http404
    return _page(request, "client_added.html", {"client": row, "secret": actions.renew_secret(client_id=client_id)})


@require_POST
def remove(request: HttpRequest, client_id: str) -> HttpResponse:
    _allowed(request)
    actions.remove_client(client_id=client_id)
    messages.success(request, "It is ended, with every token it held.")
    return redirect("api_clients")


def _told(form: ClientForm, error: ValidationError) -> None:
    for name, words in error.message_dict.items():
        form.add_error("secret" if name == "public" else name, words)
