"""Staff's screens: stock, the monthly files both ways, what is to be revoked, one reader's claims. Scripts are not
needed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from broadsheet import clock
from broadsheet.dates import add_months, day_start, local_date
from broadsheet.partners import actions, queries, rules, statements, stocking
from broadsheet.partners.models import Batch, Claim, Offer, Partner
from broadsheet.readers.queries import reader_by_email

PERMISSION = "partners.change_partner"
LARGEST = 10 * 2**20
SHOWN = 200


def _may(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> TemplateResponse:
    return TemplateResponse(request, f"partners/admin/{template}", context, using="django", status=status)


def _partner(code: str) -> Partner:
    row = Partner.objects.filter(code=code).first()
    if row is None:
        raise Http404
    return row


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Every offer with its stock, and every partner with its files."""
    _may(request)
    now = clock.now()
    offers = [
        (row, queries.stock_of(row, now) if row.kind == Offer.Kind.CODES else None)
        for row in Offer.objects.select_related("partner").order_by("partner__position", "partner_id", "position", "id")
    ]
    month = add_months(local_date(now, settings.BROADSHEET.zone).replace(day=1), -1)
    due = {
        row.pk: Claim.objects.filter(offer__partner=row, report="due")[:1000].count() for row in Partner.objects.all()
    }
    partners = [(row, due[row.pk]) for row in Partner.objects.all()]
    return _page(request, "overview.html", {"offers": offers, "partners": partners, "month": f"{month:%Y-%m}"})


@require_http_methods(["GET", "HEAD", "POST"])
def stock(request: HttpRequest, offer_id: int) -> HttpResponse:
    """Put a file of codes in, and see what became of every line."""
    _may(request)
    row = Offer.objects.select_related("partner").filter(pk=offer_id, kind=Offer.Kind.CODES).first()
    if row is None:
        raise Http404
    wrong, batch = "", None
    if request.method == "POST":
        lines, name, wrong = _given(request)
        if not wrong:
            by = request.user.get_username()
            batch = stocking.add_codes(offer_id=row.pk, name=name, lines=lines, by=by, now=clock.now())
    shown = {"offer": row, "stock": queries.stock_of(row, clock.now()), "wrong": wrong, "batch": batch}
    shown |= {
        "outcomes": _outcomes(batch) if batch else (),
        "batches": Batch.objects.filter(offer=row).order_by("-pk")[:10],
    }
    return _page(request, "stock.html", shown, status=400 if wrong else 200)


def _outcomes(batch: Batch) -> list[tuple[str, int]]:
    words = rules.OUTCOMES
    return [(words[name], count) for name, count in batch.counts.items() if count]


def _given(request: HttpRequest) -> tuple[list[str], str, str]:
    """The lines of an uploaded file, else of the text field; or what is wrong with it."""
    file = request.FILES.get("file")
    if file is not None and file.size > LARGEST:
        return [], "", "The file is larger than 10 MB. Split it, or use the command line."
    raw = file.read() if file is not None else request.POST.get("text", "").encode()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], "", "The file is not UTF-8 text."
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        return [], "", "There is nothing in it."
    return lines, (file.name if file is not None else "typed in"), ""


class _Echo:
    """csv writes into it and has the line back at once."""

    def write(self, value: str) -> str:
        return value


def _csv(rows: Iterable[dict[str, str]], columns: tuple[str, ...], name: str) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        writer = csv.DictWriter(_Echo(), columns, lineterminator="\r\n")
        yield writer.writeheader()
        for row in rows:
            yield writer.writerow(row)

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_GET
def report(request: HttpRequest, partner: str) -> HttpResponse:
    """The month's claims, streamed."""
    _may(request)
    row, zone = _partner(partner), settings.BROADSHEET.zone
    month = request.GET.get("month", "")
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise Http404 from None
    start, end = day_start(first, zone), day_start(add_months(first, 1), zone)
    return _csv(queries.month_report(row.code, start, end), queries.REPORT_COLUMNS, f"{row.code}-{month}.csv")


REVOKED = ("claim", "offer", "subject", "code", "ended_on", "reason")


@require_http_methods(["GET", "HEAD", "POST"])
def revocations(request: HttpRequest, partner: str) -> HttpResponse:
    """GET: the file of what ended. POST: all of it up to the last line of that file was reported."""
    _may(request)
    row, now = _partner(partner), clock.now()
    if request.method == "POST":
        last = request.POST.get("last", "")
        rows = [one for one in queries.revocations(row.code) if last.isdecimal() and int(one["claim"]) <= int(last)]
        count = actions.mark_reported(claim_ids=[int(one["claim"]) for one in rows], now=now)
        messages.success(request, f"{count} noted as reported.")
        return redirect("partners_revocations_page", partner=row.code)
    return _csv(queries.revocations(row.code), REVOKED, f"{row.code}-ended-{_day(now)}.csv")


def _day(now: datetime) -> str:
    return str(local_date(now, settings.BROADSHEET.zone))


@require_GET
def revocations_page(request: HttpRequest, partner: str) -> HttpResponse:
    _may(request)
    row = _partner(partner)
    rows = list(islice(queries.revocations(row.code, limit=SHOWN), SHOWN))
    return _page(request, "revocations.html", {"partner": row, "rows": rows, "most": len(rows) == SHOWN})


@require_http_methods(["GET", "HEAD", "POST"])
def reconcile(request: HttpRequest, partner: str) -> HttpResponse:
    """The partner's statement against our books; changes nothing."""
    _may(request)
    row = _partner(partner)
    wrong, found, more = "", None, False
    if request.method == "POST":
        lines, _, wrong = _given(request)
        if not wrong:
            try:
                found = list(islice(statements.reconcile(partner=row.code, lines=lines), SHOWN + 1))
            except ValueError as error:
                wrong = str(error)
        if found is not None:
            more, found = len(found) > SHOWN, found[:SHOWN]
    shown = {"partner": row, "wrong": wrong, "found": found, "more": more}
    return _page(request, "reconcile.html", shown, status=400 if wrong else 200)


@require_GET
def claims(request: HttpRequest) -> HttpResponse:
    """One reader's claims, by address, or one claim by its subject. Codes are not shown: they are their owner's."""
    _may(request)
    text = request.GET.get("q", "").strip()[:254]
    rows = Claim.objects.none()
    if text:
        card = reader_by_email(text)
        rows = Claim.objects.filter(reader_id=card.id) if card else Claim.objects.filter(subject=text)
    found = rows.select_related("offer__partner", "reader").order_by("-pk")[:SHOWN]
    return _page(request, "claims.html", {"q": text, "found": found})


@require_POST
def revoke(request: HttpRequest, claim_id: int) -> HttpResponseRedirect:
    _may(request)
    done = actions.revoke(claim_id=claim_id, now=clock.now())
    messages.success(request, "Revoked; the partner is told." if done else "It did not run any more.")
    subject = Claim.objects.filter(pk=claim_id).values_list("subject", flat=True).first()
    response = redirect("partners_claims")
    response.headers["Location"] += f"?q={subject}" if subject else ""
    return response
