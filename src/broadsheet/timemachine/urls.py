"""The screen, mounted below /admin/ by wagtail_hooks."""

from __future__ import annotations

from django.urls import path

from broadsheet.timemachine import views

urlpatterns = [
    path("time-machine/", views.time_machine, name="time_machine"),
    path("time-machine/<str:run_id>/", views.time_machine_run, name="time_machine_run"),
]
