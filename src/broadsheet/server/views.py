"""The program's own pages."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's form
    """`ok`, or what is wrong without a secret, for load balancers and monitors."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database: not reachable\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")
