"""The sandbox till, and where providers send their messages."""

from __future__ import annotations

from django.urls import path

from broadsheet.payments import views

urlpatterns = [
    path("till/<str:token>/", views.till, name="till"),
    path("transfer/<str:token>/", views.transfer, name="transfer"),
    path("hooks/<slug:provider>/", views.hook, name="hook"),
]
