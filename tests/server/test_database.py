"""The packaged schema is exactly what the migrations make, and is used only then."""

import os
import subprocess
import sys

import pytest
from django.core.management import call_command

from broadsheet.server import database

SCRIPT = """
import django; django.setup()
from broadsheet.server.database import freshly_migrated_schema
import sys; sys.stdout.write(freshly_migrated_schema())
"""


def run(tmp_path, script, **env):
    env = {
        **os.environ,
        "BROADSHEET_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "broadsheet.server.settings",
        **env,
    }
    return subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout


def test_the_packaged_schema_is_what_migrate_makes(tmp_path):
    made = run(tmp_path, SCRIPT).splitlines()
    packaged = database.SCHEMA.read_text().splitlines()
    assert sorted(made) == sorted(packaged), "run `make schema`"


def test_a_new_paper_takes_the_packaged_schema_and_then_finds_it_current(tmp_path):
    script = (
        "import django; django.setup()\nfrom broadsheet.server.database import make_ready\n"
        "from django.core.management import call_command\n"
        "print(make_ready(), make_ready())\ncall_command('migrate', check_unapplied=True, verbosity=0)"
    )
    assert run(tmp_path, script).split() == ["created", "current"]


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
