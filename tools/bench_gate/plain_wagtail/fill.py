"""Makes the database and its pages from stories on stdin; prints their paths."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tools.bench_gate.plain_wagtail.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django first
from tools.bench_gate.plain_wagtail.models import StoryPage  # noqa: E402
from wagtail.models import Page, Site  # noqa: E402

call_command("migrate", verbosity=0)
root = Page.objects.get(depth=1)
home = root.add_child(instance=Page(title="Home", slug="front"))
site = Site.objects.first() or Site(hostname="localhost", is_default_site=True)
site.root_page = home
site.save()
paths = []
for number, story in enumerate(json.load(sys.stdin)):
    page = StoryPage(title=story["headline"], slug=f"story-{number}", standfirst=story["standfirst"])
    page.body, page.byline = story["body_html"], story["bylines"][0]
    home.add_child(instance=page)
    paths.append(page.get_url(current_site=site) or page.url)
print(json.dumps([path if path.startswith("/") else "/" + path.split("/", 3)[3] for path in paths]))
