"""The desk's screens, mounted below /admin/ by wagtail_hooks."""

from django.urls import path

from broadsheet.desk import policy_views, subscriber_views, views, why_views

urlpatterns = [
    path("policy/", policy_views.policy, name="policy"),
    path("policy/switch/", policy_views.policy_switch, name="policy_switch"),
    path("policy/emergency/", policy_views.policy_emergency, name="policy_emergency"),
    path("policy/back/<int:revision>/", policy_views.policy_back, name="policy_back"),
    path("policy/trial/<str:token>/", policy_views.policy_trial, name="policy_trial"),
    path("subscribers/", subscriber_views.subscribers, name="subscribers"),
    path("subscribers/money/", subscriber_views.money_desk, name="subscriber_money"),
    path("subscribers/refunds/<int:refund_id>/", subscriber_views.decide_refund, name="decide_refund"),
    path("subscribers/messages/<int:event_id>/", subscriber_views.replay_webhook, name="replay_webhook"),
    path("subscribers/books/<int:discrepancy_id>/", subscriber_views.close_discrepancy, name="close_discrepancy"),
    path("subscribers/<int:subscription_id>/", subscriber_views.subscriber, name="subscriber"),
    path("subscribers/<int:subscription_id>/paylink/", subscriber_views.subscriber_paylink, name="subscriber_paylink"),
    path("subscribers/<int:subscription_id>/<slug:name>/", subscriber_views.subscriber_deed, name="subscriber_deed"),
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
