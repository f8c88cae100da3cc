"""For a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tools.bench_gate.plain_wagtail.settings")
application = get_wsgi_application()
