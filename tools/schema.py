"""Writes src/broadsheet/server/schema.sql: what `migrate` makes of an empty SQLite file."""

import os
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    os.environ |= {"BROADSHEET_DATA": folder, "DJANGO_SETTINGS_MODULE": "broadsheet.server.settings"}
    import django

    django.setup()
    from broadsheet.server.database import SCHEMA, freshly_migrated_schema

    SCHEMA.write_text(freshly_migrated_schema(), "utf-8")
    sys.stdout.write(f"{SCHEMA.name}: {SCHEMA.stat().st_size // 1024} kB\n")
