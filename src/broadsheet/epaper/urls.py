"""Routes of the e-paper."""

from __future__ import annotations

from django.urls import path, re_path

from broadsheet.epaper import views, views_clips, views_data, views_kept

# A day, then the edition's city when the paper has several. A city has a letter in it; a number is a page.
_EDITION = r"^epaper/(?P<day>\d{4}-\d{2}-\d{2})/(?:(?P<city>[a-z0-9-]*[a-z][a-z0-9-]*)/)?"
_DATA = r"^epaper/e/(?P<edition>\d{1,18})/"
_CLIP = r"^epaper/clips/(?P<clip_id>\d{1,18})/"

urlpatterns = [
    path("epaper/", views.shelf),
    path("epaper/front.jpg", views_data.front),
    path("epaper/worker.js", views_data.worker),
    path("epaper/rights.json", views_data.rights),
    path("epaper/kept/", views_kept.kept),
    path("epaper/clips/", views_clips.clips),
    path("epaper/clips/new/", views_clips.clip),
    re_path(_CLIP + r"share/$", views_clips.share),
    re_path(_CLIP + r"remove/$", views_clips.remove),
    re_path(_CLIP + r"(?P<part>\d{1,3})\.jpg$", views_clips.own_picture),
    re_path(r"^epaper/clip/(?P<token>[A-Za-z0-9_-]{1,64})/$", views_clips.shared),
    re_path(r"^epaper/clip/(?P<token>[A-Za-z0-9_-]{1,64})/(?P<part>\d{1,3})\.jpg$", views_clips.shared_picture),
    re_path(_DATA + r"edition\.json$", views_data.places),
    re_path(_DATA + r"search\.json$", views_data.search),
    re_path(_DATA + r"words/(?P<number>\d{1,4})\.json$", views_data.words),
    re_path(_DATA + r"(?P<number>\d{1,4})-(?P<width>\d{1,5})-(?P<key>[A-Za-z0-9]{1,16})\.jpg$", views_data.picture),
    re_path(_DATA + r"keep/$", views_kept.keep),
    re_path(_DATA + r"let-go/$", views_kept.let_go),
    re_path(_EDITION + r"search/$", views.search),
    re_path(_EDITION + r"story/(?P<area>\d{1,18})/$", views.story),
    re_path(_EDITION + r"pdf/$", views_kept.download),
    re_path(_EDITION + r"(?:(?P<number>\d{1,4})/)?$", views.read),
]
