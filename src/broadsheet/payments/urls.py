"""Invoices and credit notes, the sandbox till, and where providers send their messages."""

from __future__ import annotations

from django.urls import path

from broadsheet.payments import document_views, views

urlpatterns = [
    path("account/invoices/<path:number>.pdf", document_views.invoice_pdf, name="invoice_pdf"),
    path("account/invoices/<path:number>/", document_views.invoice, name="invoice"),
    path("account/credit-notes/<path:number>.pdf", document_views.note_pdf, name="credit_note_pdf"),
    path("account/credit-notes/<path:number>/", document_views.note, name="credit_note"),
    path("till/<str:token>/", views.till, name="till"),
    path("transfer/<str:token>/", views.transfer, name="transfer"),
    path("hooks/<slug:provider>/", views.hook, name="hook"),
]
