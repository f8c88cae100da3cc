"""The section's front, an instrument's page, and the search for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from broadsheet import clock
from broadsheet.markets import fronts, personal_queries, queries
from broadsheet.markets.charting import PUBLIC_RANGE, RANGES, SHORT, ChartView, chart_view, first_day, in_range
from broadsheet.markets.charts import SMALL, Size
from broadsheet.markets.doors import may_enter, page
from broadsheet.markets.values import Bar, Quote

STORIES, SHOWN = 60, 8
SAID, WRONG = "markets_did", "markets_why"  # in the session: what the last form came to
PUBLIC_SIZES: tuple[Size, ...] = (Size("wide", 760, 260, 4, 9, 250, 0), SMALL._replace(name="narrow"))


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The same for everyone, and printed: the gate answers the next."""
    if not queries.works():
        raise Http404
    return public(request, *fronts.print_front(now=clock.now()))


def public(request: HttpRequest, text: str, content_type: str, etag: str) -> HttpResponse:
    """As the gate would answer: a shared cache never learns to keep what came with somebody's cookies."""
    cache = "private, no-store" if request.COOKIES else "public, max-age=60, stale-while-revalidate=60"
    response = HttpResponse(text, content_type=content_type, headers={"ETag": etag, "Cache-Control": cache})
    return get_conditional_response(request, etag=etag, response=response) or response


def known(code: str) -> Quote:
    """The instrument of an address; 404 for one that nobody knows."""
    found = queries.quote(code)
    if found is None:
        raise Http404
    return found


def bars_of(quote: Quote, span: str) -> Sequence[Bar]:
    """The adjusted bars of a range."""
    if quote.day is None:
        return ()
    return in_range(queries.series(quote.code, start=first_day(span, quote.day)).bars, span)


@require_safe
def instrument(request: HttpRequest, code: str) -> HttpResponse:
    """Its last close, the day and a year's chart are for everyone; the rest is for who has the product."""
    quote = queries.quote(code)
    if quote is None:
        moved = queries.moved_to(code)
        if moved is None:
            raise Http404
        return redirect("instrument", code=moved)
    if not may_enter(request):
        bars = bars_of(quote, PUBLIC_RANGE)
        drawn = chart_view(quote, bars, PUBLIC_RANGE, sizes=PUBLIC_SIZES, public=True)
        return page(request, "markets/instrument.html", {"quote": quote, "chart": drawn}, walled=True)
    values: dict[str, Any] = {**_chart(request, quote), "quote": quote}
    if request.GET.get("part") == "chart":
        return page(request, "markets/chart.html", values)
    return page(request, "markets/instrument.html", {**values, **_rest(request, quote, values["chart"])})


def _chart(request: HttpRequest, quote: Quote) -> dict[str, Any]:
    """The chart of the range asked for, beside another instrument if one is named."""
    span = request.GET.get("range", PUBLIC_RANGE)
    span = span if span in RANGES else PUBLIC_RANGE
    words = " ".join(request.GET.get("with", "").replace("\0", " ").split())[:60]
    other = _named(words, quote) if words else None
    bars = bars_of(quote, span)
    stories = queries.related_stories(quote.code, STORIES, since=bars[0].day) if bars else ()
    versus = (other, queries.series(other.code, start=bars[0].day).bars) if other and bars else None
    return {
        "chart": chart_view(quote, bars, span, stories=stories, versus=versus),
        "span": span,
        "ranges": [(key, SHORT[key], name) for key, name in RANGES.items()],
        "other": other,
        "other_words": words,
    }


def _named(words: str, quote: Quote) -> Quote | None:
    """The instrument a reader means: by its code, else the first that is found."""
    found = queries.quote(words.lower()) or next(iter(queries.find(words, 1)), None)
    return found if found and found.code != quote.code else None


def _rest(request: HttpRequest, quote: Quote, chart: ChartView | None) -> dict[str, Any]:
    """What stands around the chart. Stories that are marked on it are not listed twice."""
    reader_id = request.user.pk
    marked = {story.story_id for _, story in chart.marked} if chart else set()
    lists = personal_queries.watch_lists(reader_id) if reader_id else ()
    return {
        "actions": tuple(reversed(queries.actions_of(quote.code))),
        "lists": lists,
        "on_lists": [one for one in lists if quote.code in {held.code for held in one.quotes}],
        "stories": [one for one in queries.related_stories(quote.code, STORIES) if one.story_id not in marked][:SHOWN],
        "did": request.session.pop(SAID, "") if reader_id else "",
        "why": request.session.pop(WRONG, "") if reader_id else "",
    }


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Instruments by name, symbol, ISIN or number; the only one that is found is opened at once."""
    words = " ".join(request.GET.get("q", "").replace("\0", " ").split())[:60]
    found = queries.find(words) if words else []
    if len(found) == 1:
        return redirect("instrument", code=found[0].code)
    return page(request, "markets/find.html", {"query": words, "quotes": found})
