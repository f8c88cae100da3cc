"""The account's pages. Signing in and out stand in readers.urls."""

from __future__ import annotations

from django.urls import path

from broadsheet.account import views

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/subscription/cancel/", views.cancel, name="subscription_cancel"),
    path("account/subscription/undo/", views.undo_cancel, name="subscription_undo"),
    path("account/gifts/", views.gifts, name="gifts"),
    path("account/gifts/<int:gift_id>/revoke/", views.revoke_gift, name="gift_revoke"),
    path("account/gift/<int:story_id>/", views.gift, name="gift"),
]
