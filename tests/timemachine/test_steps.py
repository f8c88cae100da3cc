"""A scenario file is read with care: what a careful author might write is understood, every mistake has its line."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from broadsheet.timemachine.reading import ScenarioError, read_instant
from broadsheet.timemachine.steps import FORMS, parse

HEAD = """name: a test
plans:
  - {id: Q, amount_minor: 90000, months: 3}
coupons:
  - {id: HALF, percent: 50}
"""
SUBSCRIBE = '{at: "2027-01-10 09:00", do: subscribe, reader: asha, plan: Q}'
STEPS = f"steps:\n  - {SUBSCRIBE}\n"


def wrong(text: str) -> tuple[int, str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    return caught.value.line, str(caught.value)


def step(fields: str) -> dict:
    return dict(parse(f'{HEAD}{STEPS}  - {{at: "2027-02-01 09:00", reader: asha, {fields}}}\n').steps[1].values)


def test_the_smallest_file_takes_the_defaults_of_the_format():
    scenario = parse(HEAD + STEPS)
    assert (scenario.zone.key, scenario.currency, scenario.publisher_state) == ("Asia/Kolkata", "INR", "")
    plan = scenario.plans[0]
    assert (plan.name, plan.trial_days, plan.tax, plan.tax_inclusive, plan.products) == ("Q", 0, "", True, ())
    assert scenario.policies.dunning_days is None
    assert scenario.steps[0].at == datetime(2027, 1, 10, 3, 30, tzinfo=UTC)
    said = scenario.steps[0].values
    assert (said["quantity"], said["rail"], said["coupon"], said["trial"]) == (1, "card", "", None)
    assert step("do: cancel") == {"when": "period_end", "refund": "none", "reason": ""}
    assert step("do: change_plan, plan: Q") == {"plan": "Q", "when": "auto", "keep_date": False}
    assert step("do: refund, amount_minor: 5") == {"amount_minor": 5, "adjust": True}


@pytest.mark.parametrize(
    ("written", "zone", "instant"),
    [
        ("2027-01-10 09:00", "Asia/Kolkata", datetime(2027, 1, 10, 3, 30, tzinfo=UTC)),
        ("2027-01-10T09:00:30", "Asia/Kolkata", datetime(2027, 1, 10, 3, 30, 30, tzinfo=UTC)),
        ("2027-01-10 9:05", "UTC", datetime(2027, 1, 10, 9, 5, tzinfo=UTC)),
        ("2027-01-10", "Asia/Kolkata", datetime(2027, 1, 9, 18, 30, tzinfo=UTC)),
        ("2027-01-10T09:00Z", "Asia/Kolkata", datetime(2027, 1, 10, 9, tzinfo=UTC)),
        ("2027-01-10 09:00:00 +05:30", "UTC", datetime(2027, 1, 10, 3, 30, tzinfo=UTC)),
        ("2027-01-10T09:00-0800", "UTC", datetime(2027, 1, 10, 17, tzinfo=UTC)),
        # Skipped by daylight saving: as if the clocks had not been changed yet. Met twice: the first time.
        ("2015-03-08 02:00", "America/Los_Angeles", datetime(2015, 3, 8, 10, tzinfo=UTC)),
        ("2015-11-01 01:30", "America/Los_Angeles", datetime(2015, 11, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_instants_are_local_unless_they_say_otherwise(written, zone, instant):
    assert read_instant(written, ZoneInfo(zone)) == instant


@pytest.mark.parametrize("written", ["tomorrow", "2027-02-30 09:00", "2027-01-10 25:00", "09:00", "10.01.2027", ""])
def test_what_is_no_instant_is_refused(written):
    with pytest.raises(ValueError):
        read_instant(written, ZoneInfo("UTC"))


def test_yaml_s_own_dates_and_times_are_read_as_they_were_written():
    text = HEAD + STEPS + "  - {at: 2027-02-01 09:00:00, do: price, plan: Q, amount_minor: 1, new_from: 2027-03-01}\n"
    scenario = parse(text + "expect:\n  - {reader: asha, period_end: 2027-04-10, status: active}\n")
    assert scenario.steps[1].at == datetime(2027, 2, 1, 3, 30, tzinfo=UTC)
    assert scenario.steps[1].values["new_from"] == date(2027, 3, 1)
    assert scenario.expects[0].wants == {"period_end": "2027-04-10", "status": "active"}


@pytest.mark.parametrize(
    ("written", "bp"), [("18", 1800), ('"18"', 1800), ('"5.5"', 550), ("12.5", 1250), ("18%", 1800), ("0", 0)]
)
def test_rates_may_be_quoted_or_have_decimals(written, bp):
    text = f"name: t\ntaxes:\n  gst: {{rate: {written}, kind: gst}}\n{STEPS}"
    assert (
        parse(text.replace("plan: Q", "plan: P") + "plans: [{id: P, amount_minor: 5, months: 1, tax: gst}]")
        .taxes[0]
        .rate_bp
        == bp
    )


@pytest.mark.parametrize(
    ("duration", "meant"),
    [
        ("once", ("once", 1)),
        ("forever", ("forever", 1)),
        ("{repeating: 3}", ("repeating", 3)),
        ('"repeating: 3"', ("repeating", 3)),
        ("repeating 3", ("repeating", 3)),
        ("repeating, periods: 4", ("repeating", 4)),
    ],
)
def test_a_coupons_duration_may_be_written_in_several_ways(duration, meant):
    coupon = parse(f"{HEAD}  - {{id: C, amount_minor: 500, duration: {duration}}}\n{STEPS}").coupons[1]
    assert (coupon.duration, coupon.periods) == meant


def test_the_due_date_is_always_tried():
    assert parse(f"policies: {{dunning_days: [8, 16, 24]}}\n{HEAD}{STEPS}").policies.dunning_days == (0, 8, 16, 24)
    assert parse(f"policies: {{dunning_days: []}}\n{HEAD}{STEPS}").policies.dunning_days == (0,)


def test_aliases_and_merged_mappings_are_yaml_too():
    text = (
        f"name: t\nplans:\n  - &q {{id: Q, amount_minor: 90000, months: 3}}\n  - {{<<: *q, id: Y, months: 12}}\n{STEPS}"
    )
    assert [(plan.id, plan.amount_minor, plan.months) for plan in parse(text).plans] == [
        ("Q", 90000, 3),
        ("Y", 90000, 12),
    ]


def test_an_expectation_may_leave_the_reader_out_when_there_is_one():
    scenario = parse(HEAD + STEPS + "expect: [{status: active}, {next_charge_date: null}]\n")
    assert [(expect.reader, expect.wants) for expect in scenario.expects] == [
        ("asha", {"status": "active"}),
        ("asha", {"next_charge_date": None}),
    ]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (HEAD + "steps: []\n", 6, "There are no steps."),
        (HEAD + "steps:\n  - {do: subscribe, reader: asha, plan: Q}\n", 7, "'at' is missing"),
        (
            HEAD + STEPS + '  - {at: "2027-01-11 09:00", do: subscrive, reader: a, plan: Q}\n',
            8,
            "Did you mean 'subscribe'?",
        ),
        (
            HEAD + STEPS + '  - {at: "2027-01-09 09:00", do: advance}\n',
            8,
            "earlier than the step before it (2027-01-10 09:00)",
        ),
        (HEAD + STEPS + "  - {at: soon, do: advance}\n", 8, "Write a local time such as 2027-01-10 09:00"),
        (HEAD + STEPS.replace("plan: Q", "plan: X"), 7, "there is no plan 'X'. There are: Q."),
        (HEAD + STEPS.replace("plan: Q", "plan: Q, coupon: HALP"), 7, "Did you mean 'HALF'?"),
        (HEAD + STEPS.replace("plan: Q", "plan: Q, colour: red"), 7, "there is no 'colour' here"),
        (HEAD + STEPS.replace("plan: Q", "plan: Q, plan: Q"), 7, "stands here twice"),
        (HEAD + STEPS.replace("reader: asha, ", ""), 7, "'reader' is missing"),
        (HEAD + STEPS.replace("plan: Q", "plan: Q, quantity: many"), 7, "Write a whole number"),
        (HEAD + STEPS.replace("plan: Q", "plan: Q, quantity: 0"), 7, "Write a whole number"),
        (HEAD + STEPS.replace("plan: Q", "plan: Q, rail: cash"), 7, "card, upi, manual, external"),
        (
            HEAD + STEPS + '  - {at: "2027-01-11 09:00", do: till, next: [ok, nope]}\n',
            8,
            "a till does not answer 'nope'",
        ),
        (
            HEAD + STEPS + '  - {at: "2027-01-11 09:00", do: crash, point: midnight}\n',
            8,
            "claimed, before_charge, after_charge, recorded",
        ),
        (HEAD + STEPS + "expect:\n  - {reader: ravi, status: active}\n", 9, "no step names a reader 'ravi'"),
        (HEAD + STEPS + "expect:\n  - {reader: asha, status: alive}\n", 9, "there is no status 'alive'"),
        (HEAD + STEPS + "expect:\n  - {reader: asha, stat: active}\n", 9, "Did you mean 'status'?"),
        (HEAD + STEPS + "expect:\n  - {reader: asha}\n", 9, "nothing is expected here"),
        (
            HEAD + STEPS + "expect:\n  - {reader: asha, invoices: [{date: 2027-13-01}]}\n",
            9,
            "Write a date such as 2027-01-10",
        ),
        (HEAD.replace("months: 3", "months: 0") + STEPS, 3, "Write a whole number from 1"),
        (HEAD.replace("months: 3", "tax: vat, months: 3") + STEPS, 3, "there is no tax 'vat'"),
        (HEAD.replace("amount_minor: 90000", "amount: 900") + STEPS, 3, "'amount_minor' is missing"),
        (HEAD.replace("percent: 50", "percent: 50, amount_minor: 5") + STEPS, 5, "a percent or an amount"),
        ("zone: Asia/Kolkatta\n" + HEAD + STEPS, 1, "there is no zone 'Asia/Kolkatta'"),
        ("policies: {dunning_days: [0, 7, 3]}\n" + HEAD + STEPS, 1, "count from the due date and grow"),
        ("policies: {proration: {unit: second}}\n" + HEAD + STEPS, 1, "'second' is not one of them"),
        (
            "policies:\n  overdue_stages:\n    - {after_days: 30, block: mail}\n" + HEAD + STEPS,
            3,
            "nothing is blocked by 'mail'",
        ),
        ("policy: {}\n" + HEAD + STEPS, 1, "Did you mean 'policies'?"),
        (HEAD + "  - {id: [1, 2]}\n" + STEPS, 6, "is one value, not a list"),
        ("- 1\n- 2\n", 1, "A scenario is a mapping"),
        ("", 1, "one YAML document"),
        ("name: a: b\n", 1, "This is not YAML"),
        ("name: &a [*a]\n" + STEPS, 1, "This refers to itself"),
        ("name: t\x00\n", 1, "This is not YAML"),
    ],
)
def test_every_mistake_has_its_line_and_a_way_out(text, line, told):
    assert wrong(text)[0] == line
    assert told in wrong(text)[1]


def test_every_step_of_the_format_is_known():
    of_the_format = """subscribe cancel uncancel change_plan set_quantity pause resume pay new_mandate till refund credit
    chargeback webhooks buy_gift redeem_gift price retire stop_scheduler crash run_jobs advance"""
    assert set(of_the_format.split()) <= set(FORMS)
