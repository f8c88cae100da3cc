"""One flat route table. Story pages and fronts are the gate's; what stands here is what it hands over."""

from __future__ import annotations

from django.urls import include, path, re_path
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from broadsheet.server import views
from broadsheet.website.views import not_found

urlpatterns = [
    path("healthz", views.healthz),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("", include("broadsheet.readers.urls")),
    path("", include("broadsheet.account.urls")),
    path("", include("broadsheet.subscriptions.urls")),
    path("", include("broadsheet.payments.urls")),
    path("", include("broadsheet.archive.urls")),
    path("", include("broadsheet.epaper.urls")),
    path("", include("broadsheet.newsletters.urls")),
    path("", include("broadsheet.markets.urls")),
    path("", include("broadsheet.partners.urls")),
    path("", include("broadsheet.ads.urls")),
    path("", include("broadsheet.api.urls")),
    path("", include("broadsheet.demo.urls")),
    path("media/<path:name>", views.media),
    # A story's address that the gate did not answer: there is no such story, or it is not published.
    re_path(r"^[a-z0-9-]+/[a-z0-9-]*-[0-9]+$", not_found),
    path("", include("broadsheet.website.urls")),
]

handler403 = "broadsheet.website.views.forbidden"
handler404 = "broadsheet.website.views.not_found"
handler500 = "broadsheet.website.views.server_error"
