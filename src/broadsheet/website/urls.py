"""Routes of the website. Included last: the page tree takes every path nobody else wants."""

from __future__ import annotations

from django.urls import include, path, re_path
from wagtail import urls as wagtail_urls

from broadsheet.website import views

urlpatterns = [
    path("", views.printed),
    path("feed.xml", views.printed),
    path("robots.txt", views.robots),
    path("favicon.ico", views.favicon),
    path("sitemap.xml", views.sitemap_index),
    path("sitemap-pages.xml", views.page_sitemap),
    re_path(r"^sitemap-(?P<year>\d{4})-(?P<month>\d{2})\.xml$", views.month_sitemap),
    path("news-sitemap.xml", views.news_sitemap),
    path("<slug:slug>/", views.printed),
    path("<slug:slug>/feed.xml", views.printed),
    path("<slug:slug>/older/<str:place>/", views.older),
    path("", include(wagtail_urls)),
]
