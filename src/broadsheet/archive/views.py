"""The search page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.archive import actions, jobs, queries, rules
from broadsheet.archive.index import IndexUnavailableError
from broadsheet.archive.rules import Wanted
from broadsheet.dates import local_date
from broadsheet.newsroom.queries import sections
from broadsheet.subscriptions.queries import cards_with

ORDERS = (("best", "Best first"), ("newest", "Newest first"), ("oldest", "Oldest first"))
KINDS = (("", "Everything"), ("own", "Our own reporting"), ("agency", "From agencies"))


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    now, reader = clock.now(), request.user.pk if request.user.is_authenticated else None
    everything = queries.may_search_all(reader, now)
    wanted, results, building = rules.wanted(request.GET), None, False
    try:
        if wanted.asks:
            page, after = (
                rules.page_number(request.GET.get("page", "1")),
                rules.key_number(request.GET.get("after", "")),
            )
            results = queries.look(wanted, everything=everything, page=page, after=after, now=now)
    except IndexUnavailableError as error:
        building = True
        actions.report_lost(reason=str(error), handler=jobs.handler_name(jobs.rebuild_lost), now=now)
    values = {"wanted": wanted, "results": results, "building": building, **_around(wanted, results, everything, now)}
    response = render(request, "archive/search.html", values, status=503 if building else 200, using="jinja2")
    private = building or request.COOKIES or reader is not None
    response.headers["Cache-Control"] = "private, no-store" if private else "public, max-age=60"
    if building:
        response.headers["Retry-After"] = "30"
    return response


def _around(wanted: Wanted, results: queries.ResultPage | None, everything: bool, now: Any) -> dict[str, Any]:
    """What stands around the results. The line about old years says that there are more, not whether any match."""
    first = queries.open_from(now)
    options = settings.BROADSHEET
    day = local_date(now, options.zone)
    names = {section.slug: section.name for section in sections()}
    counts = results.counts if results else queries.NO_COUNTS
    return {
        "sections": names,
        "orders": ORDERS,
        "kinds": KINDS,
        "years": range(
            day.year, (min(options.archive_since, day.year) if everything or first is None else first.year) - 1, -1
        ),
        "walled": not everything,
        "open_words": _open_words(first) if first and not everything else "",
        "offered": bool(not everything and cards_with(queries.PRODUCT, options.languages[0], day=day)),
        "by_year": [(year, count, _with(wanted, **{"from": year, "to": year})) for year, count in counts.years],
        "by_section": [(names.get(slug, slug), count, _with(wanted, section=slug)) for slug, count in counts.sections],
        "chosen": _chosen(wanted, names),
    }


def _open_words(first: Any) -> str:
    return f"{first.day} {first:%B %Y}"


def _with(wanted: Wanted, **more: object) -> str:
    return queries.search_path({**wanted.pairs(), **more})


def _chosen(wanted: Wanted, names: dict[str, str]) -> list[tuple[str, str]]:
    """Filters that hold, in words, each with the address without it."""
    pairs = wanted.pairs()

    def without(*fields: str) -> str:
        return queries.search_path({name: value for name, value in pairs.items() if name not in fields})

    found = []
    if wanted.first or wanted.last:
        span = str(wanted.first or "the beginning")
        span = span if wanted.first == wanted.last else f"{span} to {wanted.last or 'today'}"
        found.append((span, without("from", "to")))
    if wanted.section:
        found.append((names.get(wanted.section, wanted.section), without("section")))
    if wanted.byline:
        found.append((f"by {wanted.byline}", without("by")))
    if wanted.kind:
        found.append((dict(KINDS)[wanted.kind], without("kind")))
    if wanted.language:
        found.append((wanted.language, without("language")))
    return found
