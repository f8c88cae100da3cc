"""Routes of advertising. What runs just now, /ads/running.json, is the gate's."""

from __future__ import annotations

from django.urls import path

from broadsheet.ads import views

urlpatterns = [
    path("ads.txt", views.ads_txt),
    path("app-ads.txt", views.app_ads_txt),
    path("ads/go/<int:creative>", views.go, name="ads_go"),
    path("ads/seen", views.seen),
]
