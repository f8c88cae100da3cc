"""The desk's page says everything that can be typed and everything that can be answered; and the program takes it."""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from broadsheet.subscriptions import cli, import_rows

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "billing-desk.md").read_text()
SOURCE = ROOT / "src" / "broadsheet" / "subscriptions"


def commands():
    found = cli.add_commands(argparse.ArgumentParser().add_subparsers())
    return {name: parser for name, parser in found.choices.items() if name != "run-due"}


def test_every_command_and_option_is_on_the_page():
    for name, parser in commands().items():
        assert re.search(rf"`(billing )?{name}[ `]", PAGE), name
        for action in parser._actions:
            for option in action.option_strings:
                assert option in PAGE or option in ("-h", "--help", "--data"), f"{name} {option}"


def test_every_invariant_is_on_the_page():
    told = re.findall(
        r'(?:yield |Violation\()"(\w+)"', (SOURCE / "invariants.py").read_text() + (SOURCE / "check.py").read_text()
    )
    assert len(set(told)) == 21
    for name in told:
        assert f"`{name}`" in PAGE, name


def test_every_column_and_every_reason_of_the_import_is_on_the_page():
    source = (SOURCE / "import_rows.py").read_text() + (SOURCE / "actions" / "imports.py").read_text()
    for name in [*import_rows.COLUMNS, *re.findall(r'(?:_bad|BadRowError)\(\s*"(\w+)"', source)]:
        assert f"`{name}`" in PAGE, name


WALK = """
import contextlib, io, json, sys
from broadsheet.server.cli import run
told = []
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = run(words)
        except SystemExit as stopped:
            status = stopped.code
    told.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""


def test_the_program_itself(tmp_path):
    """From `broadsheet …` down: one process, one new paper."""
    data, base = tmp_path / "paper", tmp_path / "base.csv"
    base.write_text(
        "email,plan,started,paid_until\nasha@example.org,annual,2026-01-10,2090-01-10\nnobody,annual,2026-01-10,2090-01-10\n"
    )
    billing = ["--data", str(data), "billing"]
    lines = [
        ["--data", str(data), "init", str(data)],
        [*billing, "import", str(base), "--json", "--dry-run"],
        [*billing, "import", str(base), "--json"],
        ["--json", *billing, "find", "asha"],
        [*billing, "show", "asha@example.org", "--json"],
        [*billing, "--json", "check", "--quiet"],
        [*billing, "check"],
        [*billing, "jobs", "--json"],
        [*billing, "cancel", "asha@example.org", "--json", "--actor", "meena"],
        [*billing, "show", "nobody", "--json"],
        [*billing, "extend", "1"],
        [*billing, "export", "subscribers"],
        [*billing, "export", "journal", "--json", "--until", "yesterday"],
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")} | {"BROADSHEET_DATABASE_URL": ""}
    env.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        input=json.dumps(lines),
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert [status for status, _, _ in told] == [0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 2], told
    out = [[json.loads(row) for row in text.splitlines()] if text.startswith("{") else text for _, text, _ in told]
    assert [row["status"] for row in out[2]] == ["refused", "done"]
    assert (out[3][0]["reader"], out[3][0]["plan"]) == ("asha@example.org", "annual")
    assert out[4][0]["paid_until"] == "2090-01-10"
    assert (told[5][1], told[5][2]) == ("", "")
    assert "Nothing is broken." in told[6][2]
    assert out[8][0]["event"] == "cancellation_requested"
    assert out[9] == [{"refused": "not_found", "command": "show"}]
    assert out[11].splitlines()[1].startswith("1,asha@example.org,")
    assert all("Traceback" not in err for _, _, err in told)
