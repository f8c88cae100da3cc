"""Charts as pictures by their own addresses: in stories and on the paper's front for everyone, else for readers."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broadsheet.markets import fronts, pictures
from broadsheet.markets.charting import PUBLIC_RANGE, RANGES, chart_plot
from broadsheet.markets.doors import may_enter
from broadsheet.markets.views import bars_of, known, public

NOT_FOUND = 404


def _picture(request: HttpRequest, printed: fronts.Printed | None) -> HttpResponse:
    if printed is None:
        raise Http404
    return _painted(public(request, *printed))


def _painted(response: HttpResponse) -> HttpResponse:
    response.headers["Content-Security-Policy"] = pictures.POLICY
    return response


@require_safe
def card(request: HttpRequest, code: str) -> HttpResponse:
    return _picture(request, fronts.print_card(code))


@require_safe
def strip(request: HttpRequest, name: str) -> HttpResponse:
    return _picture(request, fronts.print_strip(name) if name in pictures.STRIPS else None)


@require_safe
def chart(request: HttpRequest, code: str) -> HttpResponse:
    """A year's closes for everyone; other ranges and volumes for who has the product. What is not for the asker is as
    if it were not there."""
    span = request.GET.get("range", PUBLIC_RANGE)
    entitled = may_enter(request)
    if span not in RANGES or not (entitled or span == PUBLIC_RANGE):
        raise Http404
    quote = known(code)
    bars = bars_of(quote, span)
    if len(bars) < 2:  # noqa: PLR2004 - a line has two ends
        raise Http404
    text = pictures.chart(chart_plot(quote, bars, public=not entitled))
    response = HttpResponse(text, content_type=fronts.SVG)
    response.headers["Cache-Control"] = "private, no-store"
    return _painted(response)
