"""What every test may rely on: a data folder of its own, no skip unless it is allowed, no network but loopback."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything of ours is imported: settings read the data folder when Django is set up.
_DATA = tempfile.mkdtemp(prefix="broadsheet-test-")
os.environ["BROADSHEET_DATA"] = _DATA
# Some machines write no bytecode: each of the suite's hundreds of processes would compile Django anew.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    cache = os.environ.setdefault(
        "PYTHONPYCACHEPREFIX", str(Path(__file__).parent.parent / ".pytest_cache" / "bytecode")
    )
    sys.pycache_prefix, sys.dont_write_bytecode = cache, False
for name in [name for name in os.environ if name.startswith("BROADSHEET_")]:
    if name not in ("BROADSHEET_DATA", "BROADSHEET_DATABASE_URL", "BROADSHEET_SHARED"):
        del os.environ[name]


# A shared machine is slow now and then; how long an example took says nothing about the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

# The longest files start first, the longest of all at the head, so that no worker ends with one of them alone.
SLOW = (
    "test_postgres.py", "test_twins.py", "test_processes.py", "test_plants.py", "test_the_whole_road.py", "test_seed_pages.py",
    "test_subscriber.py", "test_running.py", "test_cli.py", "test_exactly_once.py", "test_nginx.py", "test_a_night_of_changes.py", "test_mutants.py",
    "test_scenarios.py", "test_wire_limits.py", "test_races.py", "test_http_contract.py", "test_varnish.py", "test_outbox.py",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # xdist would start the files of many tests first, and those are quick
    if getattr(config.option, "numprocesses", None):
        # A folder's own conftest has set Django up here; a worker that inherits that would use this process's folder.
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: SLOW.index(item.path.name) if item.path.name in SLOW else len(SLOW))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """REQUIRE_ALL=1: a skip is a failure that names what is missing."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("REQUIRE_ALL") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although REQUIRE_ALL=1: {report.longrepr}"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):
    """The database of the test's own data folder, made from the packaged schema: milliseconds, not a migration."""
    from broadsheet.server.database import make_ready

    with django_db_blocker.unblock():
        make_ready()


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory):
    """An empty paper that a module fills, starts and uses; stopped at the module's end."""
    from tests.papers import Paper

    made = Paper(tmp_path_factory.mktemp("paper") / "data").init()
    yield made
    made.stop()
