"""Plans and checkout."""

from __future__ import annotations

from django.urls import path

from broadsheet.subscriptions import views

urlpatterns = [
    path("subscribe/", views.plans, name="subscribe"),
    path("subscribe/thanks/<int:subscription_id>/", views.thanks, name="subscribe_thanks"),
    path("subscribe/<slug:code>/", views.order, name="order"),
]
