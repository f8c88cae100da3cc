"""Routes of the archive."""

from __future__ import annotations

from django.urls import path

from broadsheet.archive import views

urlpatterns = [path("search", views.search)]
