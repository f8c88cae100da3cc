"""The account's pages. Signing in and out stand in readers.urls, invoices in payments.urls."""

from __future__ import annotations

from django.urls import path

from broadsheet.account import views, views_devices, views_saved, views_seats, views_stories
from broadsheet.account import views_subscription as mine

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/subscription/cancel/", mine.cancel, name="subscription_cancel"),
    path("account/subscription/undo/", mine.undo_cancel, name="subscription_undo"),
    path("account/subscription/pause/", mine.pause, name="subscription_pause"),
    path("account/subscription/resume/", mine.resume, name="subscription_resume"),
    path("account/subscription/change/", mine.plans, name="change_plans"),
    path("account/subscription/change/<slug:code>/", mine.change, name="change_plan"),
    path("account/payment-method/", mine.method, name="payment_method"),
    path("account/payment-method/done/", mine.method_done, name="payment_method_done"),
    path("account/seats/", views_seats.seats, name="seats"),
    path("account/seats/number/", views_seats.number, name="seats_number"),
    path("account/devices/", views_devices.devices, name="devices"),
    path("account/devices/<int:device_id>/end/", views_devices.end, name="device_end"),
    path("account/devices/others/", views_devices.end_others, name="devices_end_others"),
    path("account/saved/", views_saved.saved, name="saved"),
    path("account/saved/<str:before>/", views_saved.saved),
    path("account/save/<int:story_id>/", views_saved.save, name="save_story"),
    path("account/gifts/", views_stories.gifts, name="gifts"),
    path("account/gifts/<int:gift_id>/revoke/", views_stories.revoke_gift, name="gift_revoke"),
    path("account/gift/<int:story_id>/", views_stories.gift, name="gift"),
]
