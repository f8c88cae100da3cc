"""Routes of the archive."""

from __future__ import annotations

from django.urls import path, re_path

from broadsheet.archive import views, views_calendar

urlpatterns = [
    path("search", views.search),
    path("archive/", views_calendar.years),
    re_path(r"^archive/(?P<year>\d{4})/$", views_calendar.year),
    re_path(r"^archive/(?P<year>\d{4})/(?P<month>\d{2})/$", views_calendar.month),
    re_path(r"^archive/(?P<year>\d{4})/(?P<month>\d{2})/(?P<day>\d{2})/$", views_calendar.day),
]
