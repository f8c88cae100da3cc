"""Readers' pages: the lists and the way onto them, a list's past issues, an issue in the browser."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from broadsheet import clock
from broadsheet.access.queries import asking
from broadsheet.newsletters import queries, rules
from broadsheet.newsletters.actions import signups
from broadsheet.newsletters.letter import words_of
from broadsheet.newsletters.words import cut, facts, is_entitled
from broadsheet.subscriptions.queries import cards_with
from broadsheet.subscriptions.views_road import language, today, with_next

PRIVATE = "private, no-store"
ASKS_AN_HOUR = 20  # from one network address: a family, not a machine that fills strangers' mailboxes
_valid = EmailValidator()


def page(request: HttpRequest, template: str, values: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, f"newsletters/{template}", values, using="jinja2", status=status)
    response.headers["Cache-Control"] = PRIVATE
    return response


def reader_id(request: HttpRequest) -> int | None:
    return request.user.pk if request.user.is_authenticated else None


def _verified(request: HttpRequest) -> str:
    """The address of a signed-in reader who has proven it; "" else."""
    user = request.user
    return user.email if user.is_authenticated and user.verified_at else ""


def _front(
    request: HttpRequest, *, error: str = "", email: str = "", done: str = "", status: int = 200
) -> HttpResponse:
    own = _verified(request)
    card = queries.address_by_email(own) if own else None
    values = {
        "lists": queries.live_lists(),
        "own": own,
        "on": card.lists if card else frozenset(),
        "suppressed": card.suppressed if card else "",
        "picked": frozenset(request.POST.getlist("list")),
        "error": error,
        "email": email,
        "done": done,
        "entitled": is_entitled(asking(reader_id(request), clock.now()), clock.now()),
    }
    return page(request, "front.html", values, status)


@require_http_methods(["GET", "HEAD", "POST"])
def front(request: HttpRequest) -> HttpResponse:
    """The lists. A POST asks for some of them: at once for who is signed in, by a letter for everybody else."""
    if request.method != "POST":
        return _front(request)
    slugs, own = request.POST.getlist("list"), _verified(request)
    if own:
        if signups.choose(email=own, list_slugs=slugs, now=clock.now()):
            return _front(request, done="kept")
        signups.ask(email=own, list_slugs=slugs, now=clock.now())
        return page(request, "asked.html", {"email": own})
    email = rules.normal_email(request.POST.get("email", ""))
    try:
        _valid(email)
    except ValidationError:
        email_is_good = False
    else:
        email_is_good = rules.can_be_mailed(email)
    if not email_is_good:
        return _front(request, error="email", email=email, status=422)
    if not slugs:
        return _front(request, error="lists", email=email, status=422)
    if not _may_ask(request):
        return _front(request, error="often", email=email, status=429)
    signups.ask(email=email, list_slugs=slugs, now=clock.now())
    return page(request, "asked.html", {"email": email})


def _may_ask(request: HttpRequest) -> bool:
    key = f"newsletter-asks:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, 3600)
    try:
        return int(cache.incr(key)) <= ASKS_AN_HOUR
    except ValueError:  # it lapsed between the two
        return True


@require_safe
def archive(request: HttpRequest, slug: str) -> HttpResponse:
    """A list's past issues, newest first."""
    one = queries.list_by_slug(slug)
    if one is None:
        raise Http404
    before = request.GET.get("before", "")
    issues = queries.past_issues(slug, int(before) if before.isdigit() and len(before) < 10 else 0)  # noqa: PLR2004
    older = issues[-1].number if len(issues) == queries.PAST and issues[-1].number > 1 else 0
    return page(request, "list.html", {"one": one, "issues": issues, "older": older})


@require_safe
def web_copy(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """An issue in the browser: whoever opens it gets what a mail to them would hold, whoever it was sent to."""
    issue = queries.public_issue(slug, number)
    if issue is None:
        raise Http404
    now = clock.now()
    who, known = asking(reader_id(request), now), facts(issue.stories)
    words = words_of(issue, known, cut(issue.audience, known, who, now), now, on_site=True)
    offers = [(card, with_next(card.url, request.path)) for card in cards_with(rules.PRODUCT, language(), day=today())]
    values = {
        "letter": words,
        "offers": offers if words.wall else [],
        "list_path": f"/newsletters/{issue.list_slug}/",
        "signed_in": request.user.is_authenticated,
        "sign_in": with_next(reverse("sign_in"), request.path),
    }
    response = page(request, "issue.html", values)
    response.headers["Broadsheet-Variant"] = "wall" if words.wall else "full"
    return response
