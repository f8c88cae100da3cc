import argparse
import json
from datetime import timedelta

import pytest

from broadsheet import clock
from broadsheet.dates import rfc3339
from broadsheet.payments.adapters import registry
from broadsheet.payments.adapters.sandbox import SandboxTill
from broadsheet.payments.models import Payment, SandboxCharge
from broadsheet.subscriptions import cli
from tests.subscriptions import make_subscriptions as make


def run(until, *, as_json=True):
    parser = argparse.ArgumentParser()
    cli.add_commands(parser.add_subparsers())
    args = parser.parse_args(["billing", "run-due", "--until", until, *(["--json"] if as_json else [])])
    return args.run(args)


@pytest.fixture
def bought(db):
    """A quarter bought now, by the program's clock."""
    make.plan()
    return make.buy(make.reader(), clock.now())


@pytest.fixture
def real_money(monkeypatch):
    class Bank(SandboxTill):
        code, sandbox = "bank", False

    monkeypatch.setattr(registry, "providers", lambda: {"sandbox": SandboxTill(), "bank": Bank()})


def test_it_walks_to_the_instant_and_prints_each_event(bought, capsys):
    due = bought.period_end
    assert run(f"{due + timedelta(days=1)}T12:00:00+05:30") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(event["at"][:10] < due.isoformat() for event in told if event["event"] == "notice")
    events = [event for event in told if event["event"] != "notice"]
    assert [event["event"] for event in events] == ["invoice_finalised", "charge", "payment", "grant", "grant"]
    assert {event["at"] for event in events} == {f"{due}T00:00:00+05:30"}
    assert {(event["reader"], event["subscription"]) for event in events} == {("asha@example.org", bought.pk)}
    charge = events[1]
    assert (charge["amount_minor"], charge["currency"], charge["result"], charge["attempt"]) == (
        90_000,
        "INR",
        "succeeded",
        1,
    )
    bill = events[0]
    assert (bill["period_start"], bill["total_minor"], bill["currency"]) == (due.isoformat(), 90_000, "INR")
    assert bill["lines"] == [{"text": "Q subscription, 3 months", "amount_minor": 90_000}]


def test_a_second_run_prints_nothing_and_charges_nothing(bought, capsys):
    until = f"{bought.period_end + timedelta(days=1)}T12:00:00+05:30"
    run(until)
    charged = list(SandboxCharge.objects.values_list("key", flat=True))
    capsys.readouterr()
    assert run(until) == 0
    assert capsys.readouterr().out == ""
    assert list(SandboxCharge.objects.values_list("key", flat=True)) == charged


def test_without_json_it_speaks_to_people(bought, capsys):
    run(f"{bought.period_end}T12:00:00+05:30", as_json=False)
    assert "charge number=BS/" in capsys.readouterr().out


def test_the_future_is_refused_where_money_moves(bought, real_money, capsys):
    before = list(Payment.objects.values())
    assert run(rfc3339(clock.now() + timedelta(days=200))) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "moves real money" in told.err
    assert list(Payment.objects.values()) == before


def test_the_past_and_the_present_are_not_refused(bought, real_money, capsys):
    assert run(rfc3339(clock.now())) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("until", ["tomorrow", "2027-04-10", "2027-04-10T12:00:00"])
def test_an_instant_without_an_offset_is_refused(until, capsys):
    assert run(until) == 2
    assert "--until:" in capsys.readouterr().err


def test_the_walk_stops_at_every_local_midnight():
    start, until = make.at("2027-01-10 09:00"), make.at("2027-01-12 08:00")
    assert list(cli.instants(start, until, make.ZONE)) == [
        start, make.at("2027-01-11 00:00"), make.at("2027-01-12 00:00"), until,
    ]  # fmt: skip
    assert list(cli.instants(until, start, make.ZONE)) == [start]
