"""One flat route table. Story pages and fronts are the gate's; what stands here is what it hands over."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path, re_path
from django.views.static import serve
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from broadsheet.server import views

urlpatterns = [
    path("healthz", views.healthz),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    re_path(r"^media/(?P<path>images/.*|original_images/.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
]
