"""Plans, checkout, gifts, and the signed addresses in letters."""

from __future__ import annotations

from django.urls import path

from broadsheet.subscriptions import views, views_gifts, views_links, views_order, views_withdrawal

urlpatterns = [
    path("subscribe/", views.plans, name="subscribe"),
    path("subscribe/thanks/<int:subscription_id>/", views.thanks, name="subscribe_thanks"),
    path("subscribe/<slug:code>/", views_order.order, name="order"),
    path("gift/", views_gifts.give, name="gift_buy"),
    path("gift/thanks/<int:gift_id>/", views_gifts.thanks, name="gift_thanks"),
    path("gift/<str:token>/", views_gifts.redeem, name="gift_redeem"),
    path("pay/<str:token>/", views_links.pay, name="pay_link"),
    path("seat/<str:token>/", views_links.seat, name="seat_claim"),
    path("withdraw/", views_withdrawal.withdraw, name="withdraw"),
    path("withdraw/<str:token>/", views_withdrawal.withdraw, name="withdraw_link"),
]
