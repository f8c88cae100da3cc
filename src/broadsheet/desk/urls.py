"""The desk's screens, mounted below /admin/ by wagtail_hooks."""

from django.urls import path

from broadsheet.desk import policy_views, views, why_views

urlpatterns = [
    path("policy/", policy_views.policy, name="policy"),
    path("policy/switch/", policy_views.policy_switch, name="policy_switch"),
    path("policy/emergency/", policy_views.policy_emergency, name="policy_emergency"),
    path("policy/back/<int:revision>/", policy_views.policy_back, name="policy_back"),
    path("policy/trial/<str:token>/", policy_views.policy_trial, name="policy_trial"),
    path("why/", why_views.why, name="why"),
    path("wire/", views.wire_board, name="wire_board"),
    path("wire/quarantine/", views.quarantine, name="wire_quarantine"),
    path("wire/versions/<int:version_id>/", views.wire_version, name="wire_version"),
    path("wire/versions/<int:version_id>/publish/", views.publish_version, name="wire_publish"),
    path("wire/versions/<int:version_id>/reject/", views.reject_version, name="wire_reject"),
    path("wire/files/<int:raw_id>/", views.raw_file, name="wire_raw"),
    path("wire/files/<int:raw_id>/retry/", views.retry_raw, name="wire_retry"),
    path("wire/files/<int:raw_id>/reject/", views.reject_raw, name="wire_reject_raw"),
]
