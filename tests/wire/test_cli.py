import argparse
import io
import json
import subprocess
import sys

import pytest

from broadsheet.wire import cli
from broadsheet.wire.items import Item
from tests.wire import make_wire as make

FIELDS = [
    "file",
    "index",
    "format",
    "parser",
    "uri",
    "source",
    "version",
    "version_label",
    "pub_status",
    "signals",
    "embargoed",
    "urgency",
    "priority",
    "first_created",
    "version_created",
    "language",
    "headline",
    "slugline",
    "byline",
    "authors",
    "dateline",
    "body_html",
    "body_text",
    "ed_note",
    "correction_note",
    "subjects",
    "keywords",
    "places",
    "associations",
    "copyright_holder",
    "usage_terms",
    "credit",
    "disclaimer",
    "via",
    "quotes",
    "takes",
    "removed",
    "warnings",
]


def run(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    cli.add_commands(parser.add_subparsers())
    args = parser.parse_args([str(word) for word in words])
    out = io.StringIO()
    return cli.run_parse(args, out), out.getvalue().splitlines()


def test_every_item_has_exactly_the_published_fields():
    status, lines = run("--json", "wire", "parse", make.SAMPLES / "newsml-g2/constructed__v3_correction.xml")
    [found] = map(json.loads, lines)
    assert status == 0
    assert list(found) == FIELDS
    assert found["version_created"] == "2031-03-04T09:11:00+05:30"
    assert found["dateline"] == {
        "text": "ALDERPORT, March 4 (NWA)",
        "city": "Alderport",
        "country": None,
        "date": "2031-03-04",
        "agency": "NWA",
    }
    assert found["quotes"] == [{"text": "We held the price for six years", "speaker": "Brenn"}]
    assert found["embargoed"] is None


def test_folder_is_read_sorted_and_json_may_stand_behind_the_command():
    status, lines = run("wire", "parse", make.SAMPLES / "hostile", "--json")
    rows = [json.loads(line) for line in lines]
    assert status == 0
    assert [row["file"] for row in rows] == sorted(row["file"] for row in rows)
    assert {
        "file": str(make.SAMPLES / "hostile/constructed__empty.xml"),
        "reason": "empty",
        "detail": "the file holds no bytes",
        "index": None,
        "status": "quarantined",
    } in rows


def test_strict_fails_on_a_quarantined_file():
    assert run("wire", "parse", "--strict", make.SAMPLES / "hostile")[0] == 1
    assert run("wire", "parse", "--strict", make.SAMPLES / "nitf")[0] == 0


def test_missing_file_is_a_usage_error(tmp_path, capsys):
    assert run("wire", "parse", tmp_path / "none.xml")[0] == 2
    assert "none.xml" in capsys.readouterr().err


def test_human_line_says_what_matters():
    _, lines = run("wire", "parse", make.SAMPLES / "newsml-g2/constructed__v4_canceled.xml")
    assert lines[0].endswith("newsml_g2 v4, canceled, 0 words, NWA: KILL: Alderport to raise harbour toll")


def test_unknown_format_is_refused_by_the_parser(capsys):
    with pytest.raises(SystemExit) as stop:
        run("wire", "parse", "--format", "telex", "x")
    assert stop.value.code == 2


def test_parsing_needs_no_django():
    code = "import sys, broadsheet.wire.cli; sys.exit('django' in sys.modules or 'wagtail' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_item_fields_are_the_published_ones():
    assert list(Item.__dataclass_fields__) == FIELDS
