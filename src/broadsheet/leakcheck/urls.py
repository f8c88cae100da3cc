"""The report, mounted below /admin/ by wagtail_hooks."""

from __future__ import annotations

from django.urls import path

from broadsheet.leakcheck import views

urlpatterns = [
    path("leaks/", views.leaks, name="leaks"),
    path("leaks/<int:finding_id>/close/", views.close, name="leak_close"),
]
