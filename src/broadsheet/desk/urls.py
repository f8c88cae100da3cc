"""The desk's screens, mounted below /admin/ by wagtail_hooks."""

from django.urls import path

from broadsheet.desk import views

urlpatterns = [
    path("wire/", views.wire_board, name="wire_board"),
    path("wire/quarantine/", views.quarantine, name="wire_quarantine"),
    path("wire/versions/<int:version_id>/", views.wire_version, name="wire_version"),
    path("wire/versions/<int:version_id>/publish/", views.publish_version, name="wire_publish"),
    path("wire/versions/<int:version_id>/reject/", views.reject_version, name="wire_reject"),
    path("wire/files/<int:raw_id>/", views.raw_file, name="wire_raw"),
    path("wire/files/<int:raw_id>/retry/", views.retry_raw, name="wire_retry"),
    path("wire/files/<int:raw_id>/reject/", views.reject_raw, name="wire_reject_raw"),
]
