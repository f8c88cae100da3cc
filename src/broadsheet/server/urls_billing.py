"""The addresses that billing itself writes into what it sends: see settings_billing."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("broadsheet.subscriptions.urls")),
    path("", include("broadsheet.payments.urls")),
]
