"""Invoices and credit notes as pages and as PDFs, for whom they name and for staff who may look at invoices."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from broadsheet.payments import documents
from broadsheet.payments.documents import Document
from broadsheet.payments.pdf import pdf_of

LONGEST = 16
Find = Callable[..., Document | None]
private = cache_control(private=True, no_store=True)


def _found(request: HttpRequest, find: Find, number: str) -> tuple[Document, bool]:
    """The document, and whether it is the reader's own. Somebody else's is not found, but for staff."""
    if len(number) > LONGEST or not number.isprintable():
        raise Http404
    mine = find(number, reader_id=request.user.pk)
    if mine is not None:
        return mine, True
    staff = request.user.is_staff and request.user.has_perm("payments.view_invoice")
    document = find(number) if staff else None
    if document is None:
        raise Http404
    return document, False


def _page(request: HttpRequest, find: Find, number: str) -> HttpResponse:
    document, mine = _found(request, find, number)
    return render(request, "payments/document.html", {"document": document, "mine": mine})


def _pdf(request: HttpRequest, find: Find, number: str) -> HttpResponse:
    document, _ = _found(request, find, number)
    answer = HttpResponse(pdf_of(document), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{document.file_name}"'
    return answer


@private
@login_required
@require_safe
def invoice(request: HttpRequest, number: str) -> HttpResponse:
    return _page(request, documents.invoice_document, number)


@private
@login_required
@require_safe
def invoice_pdf(request: HttpRequest, number: str) -> HttpResponse:
    return _pdf(request, documents.invoice_document, number)


@private
@login_required
@require_safe
def note(request: HttpRequest, number: str) -> HttpResponse:
    return _page(request, documents.note_document, number)


@private
@login_required
@require_safe
def note_pdf(request: HttpRequest, number: str) -> HttpResponse:
    return _pdf(request, documents.note_document, number)
