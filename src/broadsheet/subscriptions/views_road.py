"""What the pages between a plan and a payment share: where the reader came from, and the way to a till."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control

from broadsheet import clock
from broadsheet.dates import local_date
from broadsheet.readers.rules import local_path

private = cache_control(private=True, no_store=True)
# Pages of the road itself are no place to go back to.
ON_THE_ROAD = ("/account/", "/subscribe/", "/till/", "/admin/", "/gift/", "/pay/", "/withdraw/", "/seat/")


def wanted(request: HttpRequest) -> str:
    """The story the reader came from: named in the address, else the page of ours that the browser says led here."""
    named = request.POST.get("next") or request.GET.get("next")
    if named is not None:
        return local_path(named)
    referrer = urlsplit(request.headers.get("Referer", ""))
    path = local_path(referrer.path) if referrer.netloc == request.get_host() else ""
    return "" if path.startswith(ON_THE_ROAD) else path


def with_next(url: str, path: str) -> str:
    return f"{url}?{urlencode({'next': path})}" if path else url


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """To the sign-in, and back to this very page."""
    return redirect(with_next(reverse("sign_in"), request.get_full_path()))


def today() -> date:
    return local_date(clock.now(), settings.BROADSHEET.zone)


def language() -> str:
    return settings.BROADSHEET.languages[0]


def paper() -> str:
    return settings.BROADSHEET.name


def to_the_till(request: HttpRequest, url: str) -> HttpResponse:
    """A page of ours leads there at once. Another site is left for by a page that says so: a form's answer may not lead
    a browser elsewhere, whatever else it was tricked into."""
    if url.startswith("/"):
        return redirect(url)
    return render(request, "subscriptions/away.html", {"url": url, "host": urlsplit(url).netloc})
