"""Routes of partners."""

from __future__ import annotations

from django.urls import path

from broadsheet.partners import views, views_inward

urlpatterns = [
    path("account/partners/", views.titles, name="partner_titles"),
    path("account/partners/<slug:partner>/<slug:offer>/", views.title, name="partner_title"),
    path("account/partners/<slug:partner>/<slug:offer>/go/", views.go, name="partner_go"),
    path("partners/redeem/", views_inward.redeem, name="partner_redeem"),
    path("partners/keys.json", views_inward.keys, name="partner_keys"),
    path("partners/<slug:partner>/enter/", views_inward.enter, name="partner_enter"),
    path("partners/welcome/", views_inward.welcome, name="partner_welcome"),
]
