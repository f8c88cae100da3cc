"""What a walk tells, beyond what the scenarios expect."""

import ast
from pathlib import Path

import pytest

from tests.timemachine.test_cli import run
from tests.timemachine.walks import rows, simulate, walked

SOURCE = Path(__file__).parent.parent.parent / "src" / "broadsheet"
SCENARIOS = Path(__file__).parent.parent / "scenarios"
PLANS = """name: a walk
plans:
  - {id: Q, amount_minor: 90000, months: 3}
  - {id: M, amount_minor: 30000, months: 1}
"""


def states(told):
    return [row for row in told if row["event"] == "state"]


def test_names_of_the_file_may_be_anything_and_come_back_as_they_were(tmp_path):
    status, told = walked(
        tmp_path,
        """name: names
plans:
  - {id: "Ein Jahr & mehr / 12", amount_minor: 90000, months: 12}
  - {id: plan1, amount_minor: 30000, months: 1}
steps:
  - {at: "2027-01-10 09:00", do: subscribe, reader: "आशा वर्मा", plan: "Ein Jahr & mehr / 12"}
  - {at: "2027-01-10 09:00", do: subscribe, reader: Asha, plan: plan1}
  - {at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: plan1}
  - {at: "2027-01-10 09:00", do: subscribe, reader: Asha@Example.org, plan: plan1}
  - {at: "2027-01-11 09:00", do: change_plan, reader: asha, plan: "Ein Jahr & mehr / 12"}
""",
    )
    assert status == 0
    assert [(row["reader"], row["plan"]) for row in states(told)] == [
        ("आशा वर्मा", "Ein Jahr & mehr / 12"),
        ("Asha", "plan1"),
        ("asha", "Ein Jahr & mehr / 12"),
        ("Asha@Example.org", "plan1"),
    ]
    changed = next(row for row in told if row["event"] == "plan_changed")
    assert (changed["reader"], changed["from"], changed["to"]) == ("asha", "plan1", "Ein Jahr & mehr / 12")


def test_several_subscriptions_of_a_reader_are_counted_from_one(tmp_path):
    status, told = walked(
        tmp_path,
        PLANS
        + """steps:
  - {at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: M}
  - {at: "2027-01-12 09:00", do: cancel, reader: asha, when: now}
  - {at: "2027-01-13 09:00", do: subscribe, reader: asha, plan: Q}
  - {at: "2027-01-14 09:00", do: cancel, reader: asha, subscription: 1}
  - {at: "2027-01-14 10:00", do: cancel, reader: asha, subscription: 3}
  - {at: "2027-01-14 11:00", do: cancel, reader: asha}
expect:
  - {reader: asha, charged_minor: 120000, status: active, refused: 2}
  - {reader: asha, subscription: 1, charged_minor: 30000, status: canceled, refused: 1, access: false}
  - {reader: asha, subscription: 2, charged_minor: 90000, status: active, next_charge_date: null, access: true}
  - {reader: asha, subscription: 3, status: null, access: false, invoices: [], refused: 1}
""",
    )
    assert status == 0, told[-3:]
    assert [(row["subscription"], row["plan"], row["status"]) for row in states(told)] == [
        (1, "M", "canceled"),
        (2, "Q", "active"),
    ]
    assert [(row["step"], row["reason"], row["subscription"]) for row in told if row["event"] == "refused"] == [
        ("cancel", "nothing_to_cancel", 1),
        ("cancel", "no_subscription", 3),
    ]


def test_an_expectation_later_than_the_last_step_is_walked_to(tmp_path):
    status, told = walked(
        tmp_path,
        PLANS
        + """steps:
  - {at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: Q}
expect:
  - {reader: asha, at: "2027-07-10 00:00", charged_minor: 270000}
  - {reader: asha, charged_minor: 90000}
  - {reader: asha, at: "2027-01-09 00:00", status: null, access: false, invoices: []}
""",
    )
    assert status == 0, told[-3:]
    assert [row["date"] for row in told if row["event"] == "invoice_finalised"] == [
        "2027-01-10",
        "2027-04-10",
        "2027-07-10",
    ]
    assert states(told)[0]["at"] == "2027-07-10T00:00:00+05:30"


def test_a_death_is_told_and_the_next_run_goes_on(tmp_path):
    status, told = walked(
        tmp_path,
        PLANS
        + """steps:
  - {at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: M}
  - {at: "2027-02-01 09:00", do: crash, point: after_charge}
  - {at: "2027-02-01 09:00", do: webhooks, mode: lose}
  - {at: "2027-02-20 09:00", do: advance}
""",
    )
    assert status == 0
    dead = next(row for row in told if row["event"] == "crashed")
    assert (dead["at"], dead["point"]) == ("2027-02-10T00:00:00+05:30", "after_charge")
    charges = [(row["at"], row["result"]) for row in told if row["event"] == "charge"]
    assert charges == [("2027-01-10T09:00:00+05:30", "succeeded"), ("2027-02-10T00:05:00+05:30", "succeeded")]


def test_a_gift_to_nobody_in_particular_is_redeemed_by_whoever_holds_it(tmp_path):
    status, told = walked(
        tmp_path,
        PLANS
        + """steps:
  - {at: "2027-01-10 09:00", do: buy_gift, reader: asha, plan: Q}
  - {at: "2027-01-10 09:00", do: buy_gift, reader: asha, plan: M, to: devi}
  - {at: "2027-01-12 09:00", do: redeem_gift, reader: ravi}
  - {at: "2027-01-12 10:00", do: redeem_gift, reader: devi}
  - {at: "2027-01-12 11:00", do: redeem_gift, reader: john}
expect:
  - {reader: ravi, status: active, period_end: 2027-04-12}
  - {reader: devi, status: active, period_end: 2027-02-12}
  - {reader: john, status: null, refused: 1}
  - {reader: asha, charged_minor: 120000, invoices: [{total_minor: 90000}, {total_minor: 30000}]}
""",
    )
    assert status == 0, told[-3:]


def test_jobs_may_be_run_by_hand_while_the_scheduler_stands(tmp_path):
    status, told = walked(
        tmp_path,
        PLANS
        + """steps:
  - {at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: M}
  - {at: "2027-02-01 09:00", do: stop_scheduler, until: "2027-03-01 09:00"}
  - {at: "2027-02-10 15:00", do: run_jobs}
  - {at: "2027-02-11 15:00", do: advance}
expect:
  - {reader: asha, at: "2027-02-10 14:00", charged_minor: 30000}
  - {reader: asha, at: "2027-02-10 15:00", charged_minor: 60000, period_start: 2027-02-10}
""",
    )
    assert status == 0, told[-3:]


def test_only_the_products_of_a_plan_are_granted(tmp_path):
    status, told = walked(
        tmp_path,
        """name: products
plans:
  - {id: some, amount_minor: 30000, months: 1, products: [premium]}
  - {id: other, amount_minor: 30000, months: 1, products: [unlimited, crossword]}
steps:
  - {at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: some}
  - {at: "2027-01-10 09:00", do: subscribe, reader: ravi, plan: other}
""",
    )
    assert status == 0
    granted = [(row["reader"], row["product"], row["valid_until"]) for row in told if row["event"] == "grant"]
    assert granted == [
        ("asha", "premium", "2027-02-10"),
        ("ravi", "unlimited", "2027-02-10"),
        ("ravi", "crossword", "2027-02-10"),
    ]


@pytest.mark.parametrize(
    "name", ["dunning-to-the-end", "vat-on-top-with-parts", "gift-while-subscribed", "cancel-undone"]
)
def test_the_paper_with_billing_alone_tells_what_the_whole_program_tells(tmp_path, name):
    path = SCENARIOS / f"{name}.yaml"
    alone = run(tmp_path, "billing", "simulate", str(path), "--json")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert rows(alone) == rows(simulate(path, "--json"))


def test_every_event_of_billing_is_wired_where_billing_runs_alone():
    wiring = (SOURCE / "server" / "wiring_billing.py").read_text()
    for package in ("payments", "subscriptions"):
        for node in ast.parse((SOURCE / package / "events.py").read_text()).body:
            if isinstance(node, ast.ClassDef):
                assert f"    {node.name}: (" in wiring, node.name
