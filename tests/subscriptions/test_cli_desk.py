"""The desk by its command line: every command once as it is meant, and refused without a trace where it is not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection

from broadsheet import clock
from broadsheet.payments import actions as payments
from broadsheet.payments.adapters import NoAnswerError
from broadsheet.payments.adapters.sandbox import SandboxTill
from broadsheet.payments.models import CreditEntry, CreditNote, Invoice, Payment, Refund, SandboxCharge, SandboxRefund
from broadsheet.payments.queries import credit_balance
from broadsheet.readers.models import Reader
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.actions.history import today
from broadsheet.subscriptions.models import Gift, Plan, Segment, Subscription, SubscriptionEvent
from tests.subscriptions import make_subscriptions as make
from tests.subscriptions.desk_line import Line


@pytest.fixture
def line(capsys):
    return Line(capsys)


@pytest.fixture
def bought(db):
    """A quarter bought now, by the program's clock; a dearer year is on sale too."""
    make.plan()
    make.plan("y", 12, 270_000)
    return make.buy(make.reader(), clock.now())


def books():
    """Everything that money and agreements leave behind."""
    tables = (
        Subscription,
        SubscriptionEvent,
        Invoice,
        Payment,
        Refund,
        CreditNote,
        CreditEntry,
        SandboxCharge,
        SandboxRefund,
    )
    return [list(table.objects.order_by("pk").values()) for table in tables]


def overdue(subscription, days=1):
    """A renewal that was declined, `days` ago."""
    make.card_declines(yes=True)
    day = today(clock.now()) - timedelta(days=days)
    Subscription.objects.filter(pk=subscription.pk).update(
        period_start=day - timedelta(days=90), period_end=day, anchor=day, anchor_index=2, due_at=clock.now()
    )
    actions.run_due(now=clock.now())
    subscription.refresh_from_db()
    assert subscription.status == "past_due"
    return subscription


# --- find, show ---


def test_find_by_address_name_invoice_payment_and_number(bought, line):
    Reader.objects.update(name="Asha Rao")
    bill, paid = Invoice.objects.get(), Payment.objects.get()
    for text, match in (
        ("ASHA@ex", "email"), ("asha r", "name"), (bill.number, "invoice"), (bill.number[:6], "invoice"),
        (paid.provider_ref, "payment"), (paid.key, "payment"), (paid.mandate.provider_ref, "mandate"),
        (bought.pk, "subscription"), (f"#{bought.pk}", "subscription"),
    ):  # fmt: skip
        found = line("find", text)
        assert (line.status, found[0]["match"], found[0]["subscription"]) == (0, match, bought.pk), text
    assert found[0] | {"started_at": None} == {
        "match": "subscription", "ref": "", "reader_id": bought.reader_id, "reader": "asha@example.org",
        "name": "Asha Rao", "subscription": bought.pk, "plan": "q", "status": "active",
        "period_end": bought.period_end.isoformat(), "started_at": None,
    }  # fmt: skip


def test_find_tells_of_readers_without_a_subscription_and_of_nobody(bought, line):
    make.reader("asha2@example.org")
    assert [(row["reader"], row["subscription"]) for row in line("find", "asha")] == [
        ("asha@example.org", bought.pk), ("asha2@example.org", None),
    ]  # fmt: skip
    assert line("find", "nobody") == []
    assert line.status == 1
    assert line("find", "_sha@") == []
    assert line("find", "%") == []


def test_find_costs_the_same_whatever_the_size(bought, line, django_assert_max_num_queries):
    for number in range(60):
        make.reader(f"asha{number:02}@example.org")
    with django_assert_max_num_queries(12):
        assert len(line("find", "asha", "--limit", 5)) == 5


def test_show_tells_everything_in_order(bought, line):
    line("refund", bought.pk, "--amount", "100", "--reason", "a gesture")
    told = line("show", "asha@example.org")
    assert line.status == 0
    assert (told[0]["record"], told[0]["subscription"], told[0]["amount_minor"]) == ("subscription", bought.pk, 90_000)
    assert (told[0]["currency"], told[0]["balance_minor"]) == ("INR", 0)
    records = [row["record"] for row in told[1:]]
    assert records[0] == "mandate"
    assert set(records) >= {"event", "invoice", "payment", "refund", "credit_note"}
    happened = [row["at"] for row in told if "at" in row]
    assert happened == sorted(happened)
    credit_note = next(row for row in told if row["record"] == "credit_note")
    assert (credit_note["amount_minor"], credit_note["invoice"]) == (10_000, Invoice.objects.get().number)


def test_show_of_what_is_not_there(bought, line):
    for whom in ("999", "nobody@example.org", "BS/20-21/000001", "9" * 30, "gibberish"):
        assert line("show", whom) == [{"refused": "not_found", "command": "show"}]
        assert line.status == 1


# --- deeds ---


def test_extend_comp_pause_resume(bought, line):
    was = bought.period_end
    told = line("extend", bought.pk, "--days", 10, "--reason", "the site was down", "--actor", "asha.desk")
    assert [row["event"] for row in told][:1] == ["extended"]
    bought.refresh_from_db()
    assert bought.period_end == was + timedelta(days=10)
    event = SubscriptionEvent.objects.get(kind="extended")
    assert (event.actor, event.reason) == ("asha.desk", "the site was down")
    assert line("pause", bought.pk, "--days", 5)[0]["event"] == "status_changed"
    assert line("resume", bought.pk)[-1]["event"] in ("grant", "pause_ended")
    until = today(clock.now()) + timedelta(days=30)
    line("comp", "new@example.org", "y", "--until", until, "--reason", "a friend of the house")
    given = Subscription.objects.get(origin="comp")
    assert (given.reader.email, given.period_end, given.status) == ("new@example.org", until, "active")


def test_every_deed_has_its_actor_and_its_reason(bought, line):
    for words in (
        ("pause", bought.pk, "--days", 5),
        ("resume", bought.pk),
        ("change-plan", bought.pk, "y"),
        ("cancel", bought.pk),
    ):
        line(*words, "--reason", f"she asked to {words[0]}", "--actor", "meena")
        said = SubscriptionEvent.objects.filter(reason=f"she asked to {words[0]}")
        assert [event.actor for event in said] == ["meena"], words
    assert not SubscriptionEvent.objects.filter(actor="").exists()


def test_refusals_say_why_and_change_nothing(bought, line):
    before = books()
    tomorrow = today(clock.now()) + timedelta(days=1)
    for words, reason in (
        (("extend", bought.pk, "--days", 5000), "bad_days"),
        (("uncancel", bought.pk), "nothing_to_undo"),
        (("resume", bought.pk), "not_paused"),
        (("comp", "asha@example.org", "q", "--until", tomorrow), "already_subscribed"),
        (("comp", "asha@example.org", "none", "--until", tomorrow), "unknown_plan"),
        (("change-plan", bought.pk, "none"), "unknown_plan"),
        (("quantity", bought.pk, 3), "bad_quantity"),
        (("retry", bought.pk), "nothing_overdue"),
        (("paylink", bought.pk), "nothing_to_pay"),
        (("pay", bought.pk), "nothing_to_pay"),
        (("refund", bought.pk, "--amount", "900.01", "--reason", "x"), "too_much"),
        (("approve", 77), "not_found"),
    ):
        assert line(*words) == [{"refused": reason, "command": words[0]}]
        assert line.status == 1
        assert books() == before, words


@pytest.mark.parametrize(
    "words",
    [
        ("extend", "1", "--days", "0"), ("extend", "1", "--days", "-3"), ("extend", "1", "--days", "ten"),
        ("refund", "1", "--amount", "0", "--reason", "x"), ("refund", "1", "--amount", "-5", "--reason", "x"),
        ("refund", "1", "--amount", "1e3", "--reason", "x"), ("comp", "a@b.org", "q", "--until", "10/04/2027"),
        ("comp", "a@b.org", "q", "--until", "2027-02-30"),
        ("credit", "1", "--amount", "1", "--key", "a:b"), ("cancel", "1", "--refund", "all"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_a_usage_error(words, line):
    with pytest.raises(SystemExit) as stopped:
        line(*words)
    assert stopped.value.code == 2


def test_a_paisa_has_no_halves_and_a_refund_has_a_reason(bought, line):
    before = books()
    assert line("refund", bought.pk, "--amount", "1.005", "--reason", "x") == []
    assert (line.status, "too many decimals" in line.err) == (2, True)
    assert line("refund", bought.pk, "--amount", "1") == []
    assert (line.status, "--reason" in line.err) == (2, True)
    assert line("cancel", bought.pk, "--refund", "unused") == []
    assert line.status == 2
    assert books() == before


def test_cancel_and_back(bought, line):
    told = line("cancel", bought.pk, "--reason", "moved away")
    assert (told[0]["event"], told[0]["effective"]) == ("cancellation_requested", bought.period_end.isoformat())
    assert line("uncancel", bought.pk)[0]["event"] == "cancellation_withdrawn"
    line("cancel", bought.pk, "--now", "--refund", "unused")
    bought.refresh_from_db()
    assert bought.status == "canceled"
    assert Refund.objects.get().status == "succeeded"


def test_a_preview_is_the_invoice_that_comes(bought, line):
    before = books()
    quote = line("change-plan", bought.pk, "y", "--preview")[0]
    assert books() == before
    assert (quote["preview"], quote["when"], quote["currency"]) == (True, "now", "INR")
    told = line("change-plan", bought.pk, "y")
    bill = next(row for row in told if row["event"] == "invoice_finalised")
    assert bill["total_minor"] == quote["total_minor"]
    assert Plan.objects.get(pk=Subscription.objects.get().plan_id).code == "y"


def test_seats_are_previewed_and_added(db, line):
    make.plan(max_quantity=10)
    sub = make.buy(make.reader(), clock.now())
    quote = line("quantity", sub.pk, 3, "--preview")[0]
    assert (quote["total_minor"], Subscription.objects.get().quantity) == (180_000, 1)
    line("quantity", sub.pk, 3)
    assert Subscription.objects.get().quantity == 3


# --- money ---


def test_a_refund_goes_and_the_next_one_only_as_far_as_is_left(bought, line):
    told = line("refund", "asha@example.org", "--amount", "600", "--reason", "late papers")
    assert [(row["event"], row["amount_minor"]) for row in told] == [("credit_note", 60_000), ("refund", 60_000)]
    before = books()
    assert line("refund", bought.pk, "--amount", "400", "--reason", "more") == [
        {"refused": "too_much", "command": "refund"}
    ]
    assert books() == before


def test_a_refund_with_a_key_goes_once(bought, line):
    words = ("refund", bought.pk, "--amount", "10", "--reason", "x", "--key", "ticket-7")
    assert [row["event"] for row in line(*words)] == ["credit_note", "refund"]
    before = books(), list(Segment.objects.values())
    assert line(*words) == [{"event": "known", "key": "ticket-7"}]
    assert (line.status, SandboxRefund.objects.get().amount_minor) == (0, 1_000)
    assert (books(), list(Segment.objects.values())) == before


def test_four_eyes_above_the_limit(bought, line, settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, refund_limit=500)
    assert (
        line("refund", bought.pk, "--amount", "600", "--reason", "x", "--actor", "ravi")[0]["event"] == "refund_waits"
    )
    waits = line("refunds")
    assert [(row["amount_minor"], row["subscription"], row["asked_by"]) for row in waits] == [
        (60_000, bought.pk, "ravi")
    ]
    number, before = waits[0]["refund"], books()
    assert line("approve", number, "--actor", "ravi") == [{"refused": "same_person", "command": "approve"}]
    assert books() == before
    assert [row["event"] for row in line("approve", number, "--actor", "meena")] == ["credit_note", "refund"]
    assert SandboxRefund.objects.get().amount_minor == 60_000
    assert line("approve", number, "--actor", "meena") == [{"refused": "not_waiting", "command": "approve"}]
    assert line("refunds") == []


def test_a_refused_refund_may_be_asked_for_again(bought, line, settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, refund_limit=500)
    line("refund", bought.pk, "--amount", "900", "--reason", "x", "--actor", "ravi")
    number = line("refunds")[0]["refund"]
    told = line("refuse", number, "--actor", "meena", "--reason", "not our fault")
    assert (told[0]["event"], told[0]["amount_minor"]) == ("refund_refused", 90_000)
    assert Payment.objects.get().refunded_minor == 0
    assert (
        line("refund", bought.pk, "--amount", "900", "--reason", "x", "--actor", "ravi")[0]["event"] == "refund_waits"
    )


def test_retry_charges_an_overdue_one_now(bought, line):
    overdue(bought)
    told = line("retry", bought.pk)
    assert ("charge", "failed") in [(row["event"], row.get("result")) for row in told]
    assert line.status == 1
    make.card_declines(yes=False)
    told = line("retry", bought.pk)
    assert ("charge", "succeeded") in [(row["event"], row.get("result")) for row in told]
    assert (line.status, Subscription.objects.get().status) == (0, "active")
    assert SandboxCharge.objects.filter(status="succeeded").count() == 2


def test_a_cheque_is_booked_once_a_key(bought, line):
    overdue(bought)
    before = books()
    told = line("pay", bought.pk, "--reference", "cheque 412", "--key", "c412", "--dry-run")
    assert ("payment", True) in [(row["event"], row["dry_run"]) for row in told]
    assert books() == before
    line("pay", bought.pk, "--reference", "cheque 412", "--key", "c412")
    paid = Payment.objects.get(kind="hand")
    assert (paid.amount_minor, paid.provider_ref, Subscription.objects.get().status) == (90_000, "cheque 412", "active")
    before = books()
    for again in ((), ("--amount", "900")):
        assert line("pay", bought.pk, *again, "--reference", "cheque 412", "--key", "c412") == [
            {"event": "known", "key": "c412"}
        ]
    assert books() == before


def test_money_ahead_is_credit_once_a_key(bought, line):
    words = ("pay", bought.pk, "--amount", "900", "--reference", "transfer 5", "--key", "t5")
    assert [(row["event"], row["kind"]) for row in line(*words)] == [("payment", "ahead")]
    assert line(*words) == [{"event": "known", "key": "t5"}]
    assert credit_balance(bought.reader_id, "INR") == 90_000


def test_a_pay_link_pays(bought, line):
    overdue(bought)
    page = line("paylink", bought.pk)[0]
    assert page["url"].startswith("http")
    assert page["subscription"] == bought.pk
    assert line("paylink", bought.pk, "--dry-run") == []
    assert line.status == 2


def test_a_receipt_goes_out_again(bought, line):
    mail.outbox.clear()
    assert line("resend-receipt", bought.pk, "--dry-run")[0]["sent"] is False
    assert mail.outbox == []
    told = line("resend-receipt", bought.pk)
    assert told == [{"subscription": bought.pk, "invoice": Invoice.objects.get().number, "sent": True}]
    assert mail.outbox[0].to == ["asha@example.org"]
    assert line("resend-receipt", bought.pk, "--invoice", "BS/20-21/000009") == [
        {"refused": "nothing_paid", "command": "resend-receipt"}
    ]


def test_credit_is_given_once_a_key(bought, line):
    other = make.buy(make.reader("b@example.org"), clock.now())
    for number in (bought.pk, bought.pk, other.pk):
        line("credit", number, "--amount", "50", "--reason", "sorry", "--key", "t1")
    assert (credit_balance(bought.reader_id, "INR"), credit_balance(other.reader_id, "INR")) == (5_000, 5_000)


def test_a_till_that_is_away_is_a_service_that_cannot_be_reached(bought, line, monkeypatch):
    def away(*_, **__):
        raise NoAnswerError("no route to host")

    overdue(bought)
    monkeypatch.setattr(SandboxTill, "open_checkout", away)
    assert line("paylink", bought.pk) == []
    assert (line.status, "did not answer" in line.err) == (3, True)


# --- dry runs ---


def test_a_dry_run_says_what_would_happen_and_keeps_nothing(bought, line):
    before = books()
    for words, events in (
        (("refund", bought.pk, "--amount", "100", "--reason", "x"), ["credit_note"]),
        (
            ("cancel", bought.pk, "--now", "--refund", "credit"),
            ["cancellation_requested", "credit_note", "status_changed"],
        ),
        (("extend", bought.pk, "--days", 3), ["extended", "grant", "grant"]),
        (("credit", bought.pk, "--amount", "5"), ["credit"]),
    ):
        told = line(*words, "--dry-run")
        assert [row["event"] for row in told] == events
        assert all(row["dry_run"] for row in told)
        assert line.status == 0
        assert books() == before, words


def test_a_dry_run_asks_no_till(bought, line):
    overdue(bought)
    make.card_declines(yes=False)
    before = books()
    told = line("retry", bought.pk, "--dry-run")
    assert [row["event"] for row in told] == ["retry_requested"]
    assert books() == before


# --- merge ---


def test_the_account_with_the_subscription_goes_on_under_the_address_that_is_kept(bought, line):
    other = make.reader("asha.rao@example.org")
    payments.give_credit(
        key="g", reader_id=other, currency="INR", amount_minor=700, reason="x", source="goodwill", now=clock.now()
    )
    told = line("merge", "asha.rao@example.org", "asha@example.org", "--reason", "wrote from two addresses")
    assert (line.status, told[0]["event"], told[0]["credit"]) == (0, "readers_merged", {"INR": 700})
    stays, leaves = Reader.objects.get(pk=bought.reader_id), Reader.objects.get(pk=other)
    assert (stays.email, stays.is_active) == ("asha.rao@example.org", True)
    assert (leaves.email, leaves.is_active) == ("asha@example.org", False)
    assert Invoice.objects.get().reader_id == bought.reader_id
    assert (credit_balance(stays.pk, "INR"), credit_balance(leaves.pk, "INR")) == (700, 0)
    assert make.may_read(stays.pk, clock.now())
    assert SubscriptionEvent.objects.filter(kind="readers_merged", reason="wrote from two addresses").count() == 2


def test_a_waiting_gift_follows(bought, line):
    other = make.reader("old@example.org")
    Gift.objects.create(
        giver_id=other, plan=Plan.objects.first(), to_email="old@example.org", send_on=today(clock.now()), token="t",
        status="paid", created_at=clock.now(),
    )  # fmt: skip
    line("merge", "asha@example.org", "old@example.org")
    assert Gift.objects.get().to_email == "asha@example.org"


def test_two_live_subscriptions_are_not_merged(bought, line):
    other = make.buy(make.reader("b@example.org"), clock.now())
    before = books(), list(Reader.objects.order_by("pk").values())
    assert line("merge", "asha@example.org", "b@example.org") == [{"refused": "both_live", "command": "merge"}]
    assert line("merge", "asha@example.org", "asha@example.org")[0]["refused"] == "same_reader"
    assert line("merge", "asha@example.org", "c@example.org")[0]["refused"] == "no_such_reader"
    Reader.objects.filter(pk=other.reader_id).update(is_staff=True)
    assert line("merge", "asha@example.org", "b@example.org")[0]["refused"] == "staff_account"
    Reader.objects.filter(pk=other.reader_id).update(is_staff=False)
    assert (books(), list(Reader.objects.order_by("pk").values())) == before


# --- jobs, reconcile ---


def test_jobs_counts_what_waits(bought, line):
    told = line("jobs")[-1]
    assert (told["due"], told["unresolved"], told["waiting_refunds"], told["failed_webhooks"]) == (0, 0, 0, 0)
    Subscription.objects.update(due_at=clock.now() - timedelta(hours=2))
    rows = line("jobs")
    assert {row["kind"]: row["due"] for row in rows if row["record"] == "due"}["renewal"] == 1
    assert (rows[-1]["due"], rows[-1]["oldest_due"] is not None) == (1, True)


def test_books_that_agree_and_books_that_do_not(bought, line):
    assert line("reconcile")[0]["clean"] is True
    assert line.status == 0
    SandboxCharge.objects.create(
        key="nobody's", token="n", status="succeeded", amount_minor=5, currency="INR", description="?",
        created_at=clock.now() - timedelta(hours=1), decided_at=clock.now() - timedelta(hours=1),
    )  # fmt: skip
    assert line("reconcile")[0]["found"] == {"paid_unknown": 1}
    assert line.status == 1


def test_people_get_lines(bought, line):
    told = line.text("show", bought.pk)
    assert "₹900" in told
    assert "{" not in told.splitlines()[0]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
@pytest.mark.parametrize("text", ["asha@ex", "BS/26-27/0000", "sandbox_1", "12", "renew:12:2:1"])
def test_find_walks_through_no_table(bought, line, text):
    """Each statement goes by an index; but for names, which have none yet."""
    plans = []

    def explained(execute, sql, params, many, context):
        if sql.startswith("SELECT") and "LOWER" not in sql:
            with context["connection"].cursor() as cursor:
                cursor.cursor.execute(f"EXPLAIN QUERY PLAN {sql}".replace("%s", "?"), params)
                plans.extend((row[3], sql) for row in cursor.cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        line("find", text)
    assert plans
    assert [(plan, sql) for plan, sql in plans if plan.startswith("SCAN")] == []
