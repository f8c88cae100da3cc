"""The search page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.archive import actions, jobs, queries, rules
from broadsheet.archive.index import IndexUnavailableError


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    query = " ".join(request.GET.get("q", "").replace("\0", " ").split())[: rules.LONGEST]
    results, building = None, False
    try:
        if query:
            results = queries.search(query, rules.page_number(request.GET.get("page", "1")))
    except IndexUnavailableError as error:
        building = True
        actions.report_lost(reason=str(error), handler=jobs.handler_name(jobs.rebuild_lost), now=clock.now())
    values = {"query": query, "results": results, "building": building}
    response = render(request, "archive/search.html", values, status=503 if building else 200, using="jinja2")
    response.headers["Cache-Control"] = "private, no-store" if building or request.COOKIES else "public, max-age=60"
    if building:
        response.headers["Retry-After"] = "30"
    return response
