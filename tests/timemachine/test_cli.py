"""The command as people and scripts use it."""

import json
import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = """name: quarterly, renewed once, then cancelled
zone: Asia/Kolkata
publisher_state: Delhi
plans:
  - {id: Q, amount_minor: 90000, months: 3, trial_days: 0, tax: gst18}
taxes:
  gst18: {rate: "18", kind: gst}
steps:
  - {at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: Q, state: Karnataka, rail: card}
  - {at: "2027-04-10 12:00", do: run_jobs}
  - {at: "2027-05-01 10:00", do: cancel, reader: asha, when: period_end}
  - {at: "2027-05-02 10:00", do: pause, reader: ravi, days: 3}
  - {at: "2027-08-01 00:00", do: advance}
expect:
  - {reader: asha, invoices: [{date: 2027-01-10, total_minor: 90000}, {date: 2027-04-10, total_minor: 90000}]}
  - {reader: asha, at: "2027-07-09 23:00", access: true}
  - {reader: asha, at: "2027-07-10 00:00", access: false, status: canceled}
"""


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "broadsheet", *words]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
    source = str(Path(__file__).parent.parent.parent / "src")
    return subprocess.run(
        command,
        env={**clean, "PYTHONPATH": source, **env},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def simulate(folder: Path, text: str, *more: str, **env: str) -> subprocess.CompletedProcess:
    (folder / "file.yaml").write_text(text, "utf-8")
    return run(folder, "billing", "simulate", "file.yaml", *more, **env)


def test_the_example_of_the_interfaces_prints_every_event_in_order(tmp_path):
    done = simulate(tmp_path, EXAMPLE, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    grants = ["grant", "grant"]
    paid = ["invoice_finalised", "charge", "payment"]
    # What readers are told ahead has tests of its own.
    assert [row["event"] for row in rows if row["event"] != "notice"] == [
        "subscription_created", *paid, "status_changed", *grants, *paid, *grants,
        "cancellation_requested", *grants, "refused", "status_changed", "state",
    ]  # fmt: skip
    invoice = rows[1]
    assert (invoice["at"], invoice["reader"], invoice["subscription"]) == ("2027-01-10T09:00:00+05:30", "asha", 1)
    assert (invoice["date"], invoice["period_start"], invoice["period_end"]) == (
        "2027-01-10",
        "2027-01-10",
        "2027-04-10",
    )
    assert (invoice["total_minor"], sum(line["amount_minor"] for line in invoice["lines"])) == (90000, 90000)
    assert (invoice["tax"]["igst_minor"], invoice["tax"]["place_of_supply"]) == (13729, "Karnataka")
    refused = next(row for row in rows if row["event"] == "refused")
    assert (refused["reader"], refused["step"], refused["reason"]) == ("ravi", "pause", "no_subscription")
    state = rows[-1]
    assert {
        name: state[name] for name in ("status", "period_start", "period_end", "access_until", "next_charge_date")
    } == {
        "status": "canceled",
        "period_start": "2027-04-10",
        "period_end": "2027-07-10",
        "access_until": "2027-07-10",
        "next_charge_date": None,
    }
    assert (state["charged_minor"], state["refunded_minor"], state["balance_minor"]) == (180000, 0, 0)
    assert [(bill["date"], bill["total_minor"]) for bill in state["invoices"]] == [
        ("2027-01-10", 90000),
        ("2027-04-10", 90000),
    ]


def test_an_expectation_that_does_not_hold_is_said_last_and_is_status_1(tmp_path):
    done = simulate(tmp_path, EXAMPLE.replace("access: true}", "access: false, status: paused}"), "--json")
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["event"] for row in rows[-3:]] == ["state", "expectation_failed", "expectation_failed"]
    assert {name: rows[-1][name] for name in ("at", "reader", "line", "field", "expected", "found")} == {
        "at": "2027-07-09T23:00:00+05:30",
        "reader": "asha",
        "line": 16,
        "field": "access",
        "expected": False,
        "found": True,
    }


def test_without_json_people_can_read_it(tmp_path):
    done = simulate(tmp_path, EXAMPLE.replace("access: true}", "access: false}"))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "2027-01-10 09:00:00  asha #1         charge" in done.stdout
    assert "amount ₹900" in done.stdout
    assert "active -> canceled" in done.stdout
    assert lines[-1].endswith("line 16: access should be no, is yes")


def test_a_file_that_makes_no_sense_is_status_2_with_its_line(tmp_path):
    done = simulate(tmp_path, EXAMPLE.replace("do: pause", "do: paws"), "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("file.yaml:12: step 4: nothing does 'paws'.")
    missing = run(tmp_path, "billing", "simulate", "nowhere.yaml")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == "nowhere.yaml:1: The file cannot be read: no such file or directory.\n"


def test_the_papers_own_folder_and_options_are_not_touched(tmp_path):
    paper = tmp_path / "paper"
    paper.mkdir()
    (paper / "broadsheet.toml").write_text("this is not even TOML [")
    done = simulate(
        tmp_path, EXAMPLE, "--json", BROADSHEET_DATA=str(paper), BROADSHEET_GRACE_DAYS="nonsense",
        BROADSHEET_DATABASE_URL="postgres://nobody@127.0.0.1:1/none",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in paper.iterdir()] == ["broadsheet.toml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.yaml", "paper"]


def test_the_group_of_commands_knows_it(tmp_path):
    assert "simulate" in run(tmp_path, "--data", str(tmp_path / "data"), "billing", "--help").stdout
    told = run(tmp_path, "billing", "simulate", "--help").stdout
    assert "FILE" in told
    assert not (tmp_path / "broadsheet-data").exists()
