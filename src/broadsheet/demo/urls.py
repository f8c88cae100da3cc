"""The demo's routes. They may stand in every installation: the views refuse outside a demo."""

from __future__ import annotations

from django.urls import path

from broadsheet.demo import views

urlpatterns = [
    path("demo/", views.doors, name="demo"),
    path("demo/mail", views.mail, name="demo_mail"),
    path("demo/<slug:door>", views.enter, name="demo_door"),
]
