"""Routes of newsletters. Addresses in mails end without a slash: a redirect would lose a provider's one-click POST."""

from __future__ import annotations

from django.urls import path

from broadsheet.newsletters import views, views_links, views_returns

urlpatterns = [
    path("newsletters/", views.front, name="newsletters"),
    path("newsletters/confirm/<str:token>/", views_links.confirm, name="newsletter_confirm"),
    path("newsletters/u/<str:token>", views_links.leave, name="newsletter_leave"),
    path("newsletters/mine/<str:token>", views_links.mine, name="newsletter_mine"),
    path("newsletters/go/<str:token>", views_links.go, name="newsletter_go"),
    path("newsletters/open/<str:token>", views_links.opened, name="newsletter_open"),
    path("newsletters/returns/", views_returns.take_in, name="newsletter_returns"),
    path("newsletters/<slug:slug>/", views.archive, name="newsletter_list"),
    path("newsletters/<slug:slug>/<int:number>/", views.web_copy, name="newsletter_issue"),
]
