"""Editors' screens, mounted below /admin/ by wagtail_hooks."""

from django.urls import path

from broadsheet.newsletters import admin_views as views

urlpatterns = [
    path("newsletters/", views.overview, name="newsletter_overview"),
    path("newsletters/addresses/", views.addresses, name="newsletter_addresses"),
    path("newsletters/begin/<int:list_id>/", views.begin, name="newsletter_begin"),
    path("newsletters/issues/<int:issue_id>/", views.edit, name="newsletter_edit"),
    path("newsletters/issues/<int:issue_id>/preview/", views.preview, name="newsletter_preview"),
    path("newsletters/issues/<int:issue_id>/test/", views.send_test, name="newsletter_test"),
    path("newsletters/issues/<int:issue_id>/status/", views.status, name="newsletter_status"),
    path("newsletters/issues/<int:issue_id>/do/<slug:name>/", views.deed, name="newsletter_deed"),
]
