"""Imported by the conftest of folders whose tests need Django; the others start without it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadsheet.server.settings")
django.setup()
