"""Numbers of documents: consecutive, each once, none left out, whoever takes them and however that ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from django.db import connection, transaction

from broadsheet.payments.check import series_have_no_gap
from broadsheet.payments.models import DocumentSeries, Invoice
from broadsheet.payments.series import next_number
from tests.django_up import kept_database  # noqa: F401 - its tests commit
from tests.payments import make_money as make
from tests.postgres import a_postgres

EACH = 40


@pytest.mark.django_db
def test_each_series_and_each_fiscal_year_begins_at_one():
    numbers = [
        next_number(series=series, day=make.day(day))
        for series, day in [("BS", "2027-03-31"), ("BS", "2027-03-31"), ("CN", "2027-03-31"), ("BS", "2027-04-01")]
    ]
    assert numbers == ["BS/26-27/000001", "BS/26-27/000002", "CN/26-27/000001", "BS/27-28/000001"]


@pytest.mark.django_db
def test_numbers_keep_to_what_the_law_allows_to_the_last_one():
    DocumentSeries.objects.create(name="BS/26-27", last=9_999_998)
    number = next_number(series="BS", day=make.day("2027-03-31"))
    assert number == "BS/26-27/9999999"
    assert re.fullmatch(r"[A-Z0-9/-]{1,16}", number)
    with pytest.raises(ValueError, match="from 1 to 9999999"), transaction.atomic():
        next_number(series="BS", day=make.day("2027-03-31"))
    assert DocumentSeries.objects.get().last == 9_999_999


@pytest.mark.django_db
def test_a_number_that_is_not_used_goes_to_the_next():
    with transaction.atomic():
        assert next_number(series="BS", day=make.day("2027-03-31")) == "BS/26-27/000001"
        transaction.set_rollback(True)
    assert next_number(series="BS", day=make.day("2027-03-31")) == "BS/26-27/000001"


@pytest.mark.django_db(transaction=True)
def test_no_number_is_taken_outside_a_transaction():
    assert not connection.in_atomic_block
    with pytest.raises(RuntimeError, match="could be lost"):
        next_number(series="BS", day=make.day("2027-03-31"))
    assert not DocumentSeries.objects.exists()


@pytest.mark.django_db
def test_a_gap_is_found():
    reader = make.reader()
    bills = [make.bill(reader, make.line(100), on="2027-01-10") for _ in range(4)]
    assert list(series_have_no_gap()) == []
    Invoice.objects.filter(pk=bills[1].id).update(number="XX/1")
    assert [(bad.rule, bad.detail) for bad in series_have_no_gap()] == [
        ("series_has_no_gap", "BS/26-27/000003 follows 1"),
        ("documents_are_of_a_series", "1 documents belong to no series"),
    ]
    Invoice.objects.filter(pk=bills[3].id).update(number="XX/2")
    assert "the last is 3, the series counts 4" in [bad.detail for bad in series_have_no_gap()]


def test_processes_side_by_side_leave_no_gap(tmp_path):
    race({"BROADSHEET_DATA": str(tmp_path / "data")}, tmp_path)


@pytest.mark.postgres
def test_processes_side_by_side_leave_no_gap_on_postgres(tmp_path):
    with a_postgres() as server:
        url = server.database("series")
        race({"BROADSHEET_DATA": str(tmp_path / "data"), "BROADSHEET_DATABASE_URL": url}, tmp_path)


def race(options: dict[str, str], tmp_path) -> None:
    """Three processes take numbers at once, roll some back, and one dies with a number in its hand."""
    (tmp_path / "data").mkdir()
    paths = os.pathsep.join(["src", ".", os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "broadsheet.server.settings", **options, "PYTHONPATH": paths}
    command = [sys.executable, "-m", "tests.payments.series_process", str(EACH)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["ended"] == [0, 0, 9]
    assert EACH < len(told["numbers"]) < 3 * EACH
    assert told["numbers"] == [f"BS/26-27/{ordinal:06}" for ordinal in range(1, len(told["numbers"]) + 1)]
