"""Routes of markets."""

from __future__ import annotations

from django.urls import path

from broadsheet.markets import views, views_lists, views_pictures, views_portfolio, views_screen

urlpatterns = [
    path("investor/", views.front, name="investor"),
    path("investor/find/", views.find, name="find_instrument"),
    path("investor/watch/", views_lists.watch, name="watch_lists"),
    path("investor/portfolio/", views_portfolio.portfolio, name="portfolio"),
    path("investor/portfolio/upload/", views_portfolio.upload, name="portfolio_upload"),
    path("investor/portfolio/trades.csv", views_portfolio.export, {"what": "trades"}, name="portfolio_trades"),
    path("investor/portfolio/holdings.csv", views_portfolio.export, {"what": "holdings"}, name="portfolio_holdings"),
    path("investor/screener/", views_screen.screener, name="screener"),
    path("investor/card/<slug:code>.svg", views_pictures.card),
    path("investor/strip-<slug:name>.svg", views_pictures.strip),
    path("investor/chart/<slug:code>.svg", views_pictures.chart, name="instrument_chart"),
    path("investor/<slug:code>/", views.instrument, name="instrument"),
]
