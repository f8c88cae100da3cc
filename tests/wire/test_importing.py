import argparse
import json

import pytest

from broadsheet.newsroom import actions as newsroom
from broadsheet.wire import cli
from broadsheet.wire.importing import run_import
from tests.wire import make_wire as make

pytestmark = pytest.mark.django_db
KEYS = ["file", "index", "uri", "version", "status", "reason", "story_id", "url", "reasons"]


@pytest.fixture(autouse=True)
def paper():
    newsroom.ensure_section(name="World", slug="world")


def run(capsys, *words):
    parser = argparse.ArgumentParser()
    cli.add_commands(parser.add_subparsers())
    args = parser.parse_args(["wire", "import", *(str(word) for word in words), "--json"])
    assert args.run == "broadsheet.wire.importing:run_import"
    status = run_import(args)
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_both_kinds_of_saved_page_are_published_and_the_second_import_is_all_duplicates(capsys):
    folder = make.SAMPLES / "saved_page"
    status, rows = run(capsys, folder, "--publish")
    assert status == 0
    assert [list(row) for row in rows] == [KEYS, KEYS]
    assert [(row["status"], row["reason"], row["index"]) for row in rows] == [
        ("published", None, 0),
        ("published", None, 0),
    ]
    assert all(row["url"].endswith(f"-{row['story_id']}") for row in rows)
    _, again = run(capsys, folder, "--publish")
    assert [(row["status"], row["story_id"]) for row in again] == [("duplicate", row["story_id"]) for row in rows]


def test_all_samples_twice(capsys):
    status, rows = run(capsys, make.SAMPLES, "--publish", "--strict")
    assert status == 1
    assert {row["status"] for row in rows} <= {
        "published",
        "held",
        "updated",
        "superseded",
        "withdrawn",
        "quarantined",
        "duplicate",
    }
    _, again = run(capsys, make.SAMPLES, "--publish")
    assert len(again) == len(rows)
    assert {row["status"] for row in again} == {"duplicate"}


def test_item_without_text_is_held_for_that(capsys, tmp_path):
    (tmp_path / "a.json").write_text('{"uri": "urn:a"}')
    _, [row] = run(capsys, tmp_path, "--publish")
    assert (row["status"], row["reason"], row["story_id"], row["url"]) == ("held", "no_text", None, None)


def test_tier_and_draft(capsys, tmp_path):
    from broadsheet.newsroom.queries import story_facts

    (tmp_path / "a.xml").write_bytes(make.g2())
    _, [row] = run(capsys, tmp_path, "--tier", "premium")
    assert (row["status"], row["reason"], row["url"]) == ("held", "awaiting_editor", None)
    assert story_facts(row["story_id"]).tier == "premium"


def test_missing_path_is_usage(capsys, tmp_path):
    assert run(capsys, tmp_path / "none.xml")[0] == 2
