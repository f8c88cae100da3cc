"""Editors' screens, mounted below /admin/ by wagtail_hooks."""

from django.urls import path

from broadsheet.markets import admin_views as views

urlpatterns = [
    path("markets/", views.overview, name="markets_desk"),
    path("markets/upload/", views.upload, name="markets_upload"),
    path("markets/imports/<int:import_id>/", views.one_import, name="markets_import"),
    path("markets/held/", views.held, name="markets_held"),
    path("markets/held/decide/", views.decide_held, name="markets_decide_held"),
    path("markets/actions/", views.actions_page, name="markets_actions"),
    path("markets/actions/add/", views.add_action, name="markets_add_action"),
    path("markets/actions/<int:action_id>/", views.decide_action, name="markets_decide_action"),
]
