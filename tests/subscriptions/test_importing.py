"""A base taken over from another system: every good line once, every bad one with its reason, and renewals that work."""

import csv
import os
import signal
import subprocess
import sys
from datetime import date, timedelta

import pytest
from django.core import mail

from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.payments.models import BillingProfile, Invoice, Mandate, Payment, SandboxCharge, SandboxMandate
from broadsheet.readers.models import Reader
from broadsheet.subscriptions import actions, check
from broadsheet.subscriptions.actions.history import today
from broadsheet.subscriptions.import_rows import standing
from broadsheet.subscriptions.models import Coupon, Notice, Price, Segment, Subscription, SubscriptionEvent
from tests.subscriptions import make_subscriptions as make
from tests.subscriptions.desk_line import Line

NOW = make.at("2027-02-01 10:00")
HEAD = "email,name,plan,status,started,paid_until,price_minor,currency,quantity,state,pin,gstin,provider,mandate_ref,rail,mandate_max_minor,external_ref,coupon,coupon_left"


@pytest.fixture
def shop(db, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    make.plan()
    make.plan("y", 12, 270_000, max_quantity=5)
    make.plan("none").prices.all().delete()


@pytest.fixture
def line(capsys):
    return Line(capsys)


@pytest.fixture
def file(tmp_path):
    """`file("asha@example.org,Asha,q,…", …)` writes a file of these lines; short ones are filled up."""

    def written(*lines, head=HEAD, encoding="utf-8", parted=","):
        path = tmp_path / "base.csv"
        full = [one + parted * (head.count(parted) - one.count(parted)) for one in lines]
        path.write_bytes("\n".join([head, *full, ""]).encode(encoding, "surrogateescape"))
        return path

    return written


def everything():
    tables = (Reader, BillingProfile, Mandate, Price, Subscription, SubscriptionEvent, Segment, Invoice, Payment)
    return [list(table.objects.order_by("pk").values()) for table in tables]


ASHA = "Asha@Example.org,Asha Rao,q,active,2026-11-10,2027-02-10,80000,INR,1,karnataka,560 001,,sandbox,m-asha,upi,200000,old-1"


# --- good lines ---


def test_a_good_line_is_a_whole_subscription(shop, line, file):
    told = line("import", file(ASHA))
    assert line.status == 0
    assert {**told[0], "file": ""} == {
        "status": "done", "file": "", "rows": 1, "imported": 1, "known": 0, "refused": 0, "rejects": None, "dry_run": False,
    }  # fmt: skip
    sub = Subscription.objects.get()
    assert (sub.reader.email, sub.reader.name, sub.plan.code, sub.status, sub.origin) == (
        "asha@example.org", "Asha Rao", "q", "active", "imported",
    )  # fmt: skip
    assert (sub.anchor, sub.period_start, sub.period_end) == (date(2026, 11, 10), date(2026, 11, 10), date(2027, 2, 10))
    assert (sub.price.amount_minor, sub.quantity, sub.external_ref, sub.collection) == (80_000, 1, "old-1", "automatic")
    assert sub.due_at == make.at("2027-02-10 00:00")
    held = Mandate.objects.get()
    assert (held.pk, held.provider, held.provider_ref, held.rail, held.max_minor, held.status) == (
        sub.mandate_id, "sandbox", "m-asha", "upi", 200_000, "active",
    )  # fmt: skip
    bill_to = BillingProfile.objects.get()
    assert (bill_to.state, bill_to.pin, bill_to.name) == ("Karnataka", "560001", "Asha Rao")
    event = SubscriptionEvent.objects.get()
    assert (event.kind, event.reason, event.actor[:4], event.facts["line"]) == (
        "subscription_created",
        "import",
        "cli:",
        2,
    )
    assert make.may_read(sub.reader_id, NOW)
    assert mail.outbox == []
    assert list(check.violations(now=NOW)) == []
    # The price nobody else ever pays is not what new subscribers are asked for.
    assert line("export", "subscribers")[0]["price_minor"] == 80_000
    assert make.buy(make.reader("new@example.org"), NOW).price.amount_minor == 90_000


def test_it_renews_on_the_day_it_is_paid_until_with_its_anchor(shop, line, file):
    line("import", file(ASHA.replace("2026-11-10,2027-02-10", "2026-08-31,2027-02-28")))
    SandboxMandate.objects.create(ref="m-asha", rail="upi", max_minor=200_000)
    run_due_jobs()
    assert Notice.objects.filter(sent_at=None).exists()
    make.walk(NOW, make.at("2027-06-02 10:00"))
    bills = Invoice.objects.order_by("pk")
    assert [(b.period_start, b.period_end, b.total_minor, b.status) for b in bills] == [
        (date(2027, 2, 28), date(2027, 5, 31), 80_000, "paid"), (date(2027, 5, 31), date(2027, 8, 31), 80_000, "paid"),
    ]  # fmt: skip
    assert SandboxCharge.objects.filter(status="succeeded").count() == 2
    assert bills[0].tax == {} or bills[0].tax["place_of_supply"] == "Karnataka"
    assert list(check.violations(now=make.at("2027-06-02 10:00"))) == []


def test_a_change_of_plan_gives_the_rest_back(shop, line, file):
    line("import", file(ASHA))
    sub = Subscription.objects.get()
    quote = actions.preview_change(subscription_id=sub.pk, plan_code="y", now=NOW)
    assert [one.amount_minor for one in quote.lines if one.kind == "unused"] == [-7_826]  # 9 of 92 days
    actions.cancel(subscription_id=sub.pk, when="now", refund="unused", actor="x", now=NOW)
    assert Payment.objects.count() == 0
    assert list(check.violations(now=NOW)) == []


@pytest.mark.parametrize(
    ("started", "until", "months", "found"),
    [
        ("2026-01-31", "2026-02-28", 1, ("2026-01-31", 1, "2026-01-31")),
        ("2026-01-31", "2026-04-30", 1, ("2026-01-31", 3, "2026-03-31")),
        ("2024-02-29", "2027-02-28", 12, ("2024-02-29", 3, "2026-02-28")),
        ("2026-01-10", "2026-04-12", 3, ("2026-04-12", 1, "2026-01-12")),
        ("2026-01-10", "2026-01-20", 3, ("2026-01-20", 1, "2026-01-10")),
        ("2026-01-28", "2026-02-28", 1, ("2026-01-28", 1, "2026-01-28")),
    ],
)
def test_the_anchor_is_kept_when_it_matches(started, until, months, found):
    made = standing(date.fromisoformat(started), date.fromisoformat(until), months, trial=False)
    assert (made.anchor.isoformat(), made.index, made.start.isoformat()) == found
    assert made.end.isoformat() == until


def test_every_status_and_road(shop, line, file):
    Coupon.objects.create(code="LOYAL", percent_bp=1000, duration="forever")
    told = line("import", file(
        "trial@e.org,,q,trialing,2027-01-25,2027-02-08,,,,,,,sandbox,t1",
        "late@e.org,,q,past_due,2026-10-28,2027-01-28,,,,,,,sandbox,l1",
        "later@e.org,,q,past_due,2026-10-20,2027-01-20,,,,,,,sandbox,l2",
        "hand@e.org,,y,active,2026-06-01,2027-06-01,,,3,,,,manual",
        "store@e.org,,q,active,2027-01-01,2027-04-01,,,,,,,external",
        "free@e.org,,q,active,2027-01-01,2027-04-05,0",
        "leaves@e.org,,q,canceled,2027-01-01,2027-04-01,,,,,,,sandbox,gone",
        "left@e.org,,q,canceled,2026-01-01,2026-04-01",
        "over@e.org,,q,expired,2026-01-01,2026-04-01",
        "loyal@e.org,,q,,2027-01-01,2027-04-01,,,,,,,,,,,,loyal",
    ))  # fmt: skip
    assert (line.status, told[-1]["imported"]) == (0, 10)
    rows = {sub.reader.email.split("@")[0]: sub for sub in Subscription.objects.select_related("reader")}
    assert {name: sub.status for name, sub in rows.items()} == {
        "trial": "trialing", "late": "past_due", "later": "suspended", "hand": "active", "store": "active", "free": "active",
        "leaves": "active", "left": "canceled", "over": "expired", "loyal": "active",
    }  # fmt: skip
    assert {name: sub.collection for name, sub in rows.items() if sub.collection != "send_invoice"} == {
        "trial": "automatic", "late": "automatic", "later": "automatic", "store": "external",
    }  # fmt: skip
    assert (rows["hand"].quantity, rows["free"].fixed_term, rows["leaves"].cancel_at_period_end) == (3, True, True)
    assert rows["leaves"].mandate_id is None
    assert (rows["loyal"].coupon.code, rows["loyal"].coupon_left) == ("LOYAL", None)
    reads = {name for name, sub in rows.items() if make.may_read(sub.reader_id, NOW)}
    assert reads == {"trial", "late", "hand", "store", "free", "leaves", "loyal"}
    assert list(check.violations(now=NOW)) == []
    for ref in ("t1", "l1", "l2"):
        SandboxMandate.objects.create(ref=ref)
    run_due_jobs()
    make.walk(NOW, NOW + timedelta(days=40))
    after = {sub.reader.email.split("@")[0]: sub.status for sub in Subscription.objects.select_related("reader")}
    assert {name: after[name] for name in ("trial", "late", "later")} == dict.fromkeys(
        ("trial", "late", "later"), "active"
    )
    assert list(check.violations(now=NOW + timedelta(days=40))) == []


def test_everybody_is_told_ahead_though_no_job_is_long(shop, line, file):
    lines = [f"r{n}@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,sandbox,m{n}" for n in range(230)]
    line("import", file(*lines, "left@e.org,,q,canceled,2026-01-01,2026-04-01"))
    assert not Notice.objects.exists()
    assert run_due_jobs(limit=1) == 1
    told = Notice.objects.values("subscription").distinct()
    assert told.count() == 100
    run_due_jobs()
    assert told.count() == 230
    assert mail.outbox == []


def test_readers_who_were_here_keep_their_account(shop, line, file):
    reader = Reader.objects.get(pk=make.reader())
    Reader.objects.filter(pk=reader.pk).update(name="Her own name")
    line("import", file(ASHA))
    again = Reader.objects.get()
    assert (again.pk, again.name, again.epoch > reader.epoch) == (reader.pk, "Her own name", True)


# --- bad lines ---


BAD = {
    "nobody,,q,active,2026-11-10,2027-02-10": "email",
    "a@b..org,,q,active,2026-11-10,2027-02-10": "email",
    ",,q,active,2026-11-10,2027-02-10": "missing",
    "a@e.org,,z,active,2026-11-10,2027-02-10": "plan_unknown",
    "a@e.org,,none,active,2026-11-10,2027-02-10,90000,INR": "plan_unpriced",
    "a@e.org,,q,active,10/11/2026,2027-02-10": "date",
    "a@e.org,,q,active,2026-11-10,10-02-2027": "date",
    "a@e.org,,q,active,2026-11-10,2027-02-30": "date",
    "a@e.org,,q,active,2027-02-10,2027-02-10": "dates",
    "a@e.org,,q,active,2027-03-01,2027-04-10": "dates",
    "a@e.org,,q,active,2026-10-10,2027-02-01": "paid_until_past",
    "a@e.org,,q,past_due,2026-11-10,2027-02-10": "dates",
    "a@e.org,,q,past_due,2026-10-01,2027-01-01": "overdue_too_long",
    "a@e.org,,q,paused,2026-11-10,2027-02-10": "status_unknown",
    "a@e.org,,q,active,2026-11-10,2027-02-10,900.00": "amount",
    "a@e.org,,q,active,2026-11-10,2027-02-10,-1": "amount",
    "a@e.org,,q,active,2026-11-10,2027-02-10,1,RUPEES": "currency",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,USD": "currency",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,2": "quantity",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,Bombay": "state_unknown",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,012345": "pin",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,,29AAAAA": "gstin",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,paypal,x": "provider_unknown",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,sandbox,": "mandate_incomplete",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,,x": "mandate_incomplete",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,sandbox,x,cash": "rail_unknown",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,,,,,,NONE": "coupon_unknown",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,,,,,,HALF": "coupon_left",
    "a@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,,,,,,,,,,": "columns",
    'a@e.org,"Asha,q,active,2026-11-10,2027-02-10': "quotes",
    "a@e.org,Ash\udcff,q,active,2026-11-10,2027-02-10": "not_utf8",
    f"a@e.org,{'x' * 121},q,active,2026-11-10,2027-02-10": "too_long",
}  # fmt: skip


def test_every_bad_line_is_listed_with_its_reason_and_nothing_else_happens(shop, line, file):
    Coupon.objects.create(code="HALF", percent_bp=5000, duration="once")
    before = everything()
    path = file(*BAD)
    told = line("import", path)
    assert line.status == 1
    assert [(row["line"], row["reason"]) for row in told[:-1]] == list(enumerate(BAD.values(), start=2))
    assert (told[-1]["imported"], told[-1]["refused"]) == (0, len(BAD))
    assert everything() == before
    kept = list(csv.DictReader((path.parent / "base.rejects.csv").open(encoding="utf-8")))
    assert [row["refused_reason"] for row in kept] == list(BAD.values())
    assert kept[3]["plan"] == "z"


def test_a_bad_line_costs_nobody_else_anything(shop, line, file):
    path = file(ASHA, 'b@e.org,"Never closed,q,active,2026-11-10,2027-02-10', "c@e.org,,q,active,2026-11-10,2027-02-10")
    told = line("import", path)
    assert [(row.get("line"), row["status"]) for row in told] == [(3, "refused"), (None, "done")]
    assert sorted(Reader.objects.values_list("email", flat=True)) == ["asha@example.org", "c@e.org"]


def test_refused_lines_can_be_put_right_and_read_again(shop, line, file, tmp_path):
    line("import", file(ASHA, "b@e.org,,zzz,active,2026-11-10,2027-02-10"))
    refused = tmp_path / "base.rejects.csv"
    refused.write_text(refused.read_text().replace("zzz", "q"))
    told = line("import", refused)
    assert (line.status, told[-1]["imported"]) == (0, 1)
    # What is right now leaves no file of refusals behind.
    line("import", file(ASHA))
    assert not refused.exists()


def test_lines_that_meet_each_other_or_the_paper(shop, line, file):
    make.buy(make.reader("here@e.org"), NOW)
    Reader.objects.create(email="closed@e.org", is_active=False, created_at=NOW)
    told = line("import", file(
        ASHA,
        ASHA,
        "asha@example.org,,y,active,2026-12-01,2027-12-01",
        "asha@example.org,,y,canceled,2025-01-01,2026-01-01",
        "b@e.org,,q,active,2026-11-10,2027-02-10,,,,,,,sandbox,m-asha",
        "here@e.org,,q,active,2026-11-10,2027-02-10",
        "closed@e.org,,q,active,2026-11-10,2027-02-10",
    ))  # fmt: skip
    assert [(row["line"], row["reason"]) for row in told[:-1]] == [
        (3, "twice_in_file"), (4, "already_subscribed"), (6, "mandate_taken"), (7, "already_subscribed"), (8, "account_closed"),
    ]  # fmt: skip
    assert told[-1]["imported"] == 2


# --- once ---


def test_read_twice_it_is_there_once(shop, line, file):
    path = file(ASHA, "b@e.org,,q,active,2026-11-10,2027-02-10", "bad,,q,active,2026-11-10,2027-02-10")
    first = line("import", path)
    before = everything()
    second = line("import", path)
    assert everything() == before
    assert (first[-1]["imported"], second[-1]["imported"], second[-1]["known"]) == (2, 0, 2)
    assert second[0] == first[0]


def test_a_dry_run_says_the_same_and_changes_nothing(shop, line, file):
    path = file(
        ASHA, ASHA, "b@e.org,,z,active,2026-11-10,2027-02-10", "asha@example.org,,y,active,2026-12-01,2027-12-01"
    )
    before = everything()
    dry = line("import", path, "--dry-run")
    assert everything() == before
    real = line("import", path)
    assert dry[:-1] == real[:-1]
    assert {**dry[-1], "dry_run": False} == real[-1]


def test_somebody_subscribes_while_we_read(shop, line, file, monkeypatch):
    """What was judged good and is impossible by the time it is written is refused alone."""
    from broadsheet.subscriptions import importing

    real = importing.take_over

    def late(verdicts, **more):
        make.buy(make.reader("b@e.org"), NOW)
        return real(verdicts, **more)

    monkeypatch.setattr(importing, "take_over", late)
    told = line(
        "import", file(ASHA, "b@e.org,,q,active,2026-11-10,2027-02-10", "c@e.org,,q,active,2026-11-10,2027-02-10")
    )
    assert [(row.get("line"), row.get("reason")) for row in told] == [(3, "already_subscribed"), (None, None)]
    assert Subscription.objects.filter(origin="imported").count() == 2
    assert list(check.violations(now=NOW)) == []


# --- files ---


def test_what_spreadsheets_write_is_read(shop, line, file):
    for encoding, parted in (("utf-8-sig", ","), ("utf-8", ";"), ("utf-8", "\t")):
        row = ASHA.replace("old-1", f"{encoding}{ord(parted)}").replace("m-asha", "").replace("sandbox", "")
        row = row.replace("Asha@", f"a{ord(parted)}{encoding[-1]}@").replace(",", parted)
        told = line("import", file(row, head=HEAD.replace(",", parted), encoding=encoding, parted=parted))
        assert told[-1]["imported"] == 1, (encoding, parted)
    crlf = file(ASHA)
    crlf.write_bytes(crlf.read_bytes().replace(b"\n", b"\r\n") + b"\r\n,,,\r\n")
    assert line("import", crlf)[-1]["imported"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "no column email"), (b"email,plan,started\n", "no column paid_until"),
        (b"email,plan,started,paid_until,prize\n", "unknown: 'prize'"),
        (b"email,email,plan,started,paid_until\n", "twice: email"),
        ("email,plan,started,paid_until\n".encode("utf-16"), "UTF-16"), (b"PK\x03\x04", "a spreadsheet"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_a_usage_error(shop, line, tmp_path, text, said):
    path = tmp_path / "base.csv"
    path.write_bytes(text)
    assert line("import", path) == []
    assert line.status == 2
    assert said in line.err


def test_a_file_that_is_not_there(shop, line, tmp_path):
    assert line("import", tmp_path / "none.csv") == []
    assert line.status == 2


# --- exports ---


def test_what_goes_out_comes_in_again(shop, line, file, tmp_path):
    line("import", file(ASHA, "b@e.org,,y,active,2026-06-01,2027-06-01,,,3"))
    out = tmp_path / "out.csv"
    assert line("export", "subscribers", "--out", out) == []
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert [(row["email"], row["paid_until"], row["price_minor"], row["mandate_ref"]) for row in rows] == [
        ("asha@example.org", "2027-02-10", "80000", "m-asha"), ("b@e.org", "2027-06-01", "270000", ""),
    ]  # fmt: skip
    told = line("export", "subscribers")
    assert [(row["email"], row["paid_until"], row["price_minor"], row["currency"]) for row in told] == [
        ("asha@example.org", "2027-02-10", 80_000, "INR"), ("b@e.org", "2027-06-01", 270_000, "INR"),
    ]  # fmt: skip
    assert line("export", "subscribers", "--status", "canceled") == []


def test_the_accountants_books_go_out(shop, line, tmp_path):
    make.buy(make.reader(), NOW)
    day = today(NOW)
    bills = line("export", "invoices")
    assert [(row["number"], row["total"]) for row in bills] == [(Invoice.objects.get().number, "900.00")]
    assert line("export", "invoices", "--until", day) == []
    assert line("export", "invoices", "--since", day, "--until", day) == []
    assert line.status == 2
    assert {row["account"] for row in line("export", "journal")} >= {"receivable", "cash:sandbox"}
    assert line("export", "deferred")
    assert line("export", "gstr1")
    assert line.text("export", "journal").startswith("entry,date,key,")


# --- killed ---

KILLED = """
import os, signal, sys
import django
django.setup()
from broadsheet.server.database import make_ready
make_ready()
from broadsheet.subscriptions.actions import imports
from tests.subscriptions import make_subscriptions as make
from tests.subscriptions.desk_line import call
from broadsheet.subscriptions.models import Plan, Subscription
Plan.objects.exists() or make.plan()
left = int(sys.argv[2])
real = imports.grant_many
def counted(**more):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    real(**more)
imports.grant_many = counted
status = call("--json", "import", sys.argv[1])
print("rows", Subscription.objects.count(), status)
"""


def test_killed_in_the_middle_it_goes_on(tmp_path):
    path, day = tmp_path / "base.csv", today(clock.now())
    began, until = day - timedelta(days=10), day + timedelta(days=80)
    lines = [f"r{n}@example.org,q,{began},{until}" if n % 100 else f"r{n},q,{began},{until}" for n in range(1600)]
    path.write_text("\n".join(["email,plan,started,paid_until", *lines]))
    data = tmp_path / "data"
    data.mkdir()
    env = {**os.environ, "BROADSHEET_DATA": str(data), "DJANGO_SETTINGS_MODULE": "broadsheet.server.settings"}

    def run(left):
        return subprocess.run(
            [sys.executable, "-c", KILLED, path, str(left)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    assert run(3).returncode == -signal.SIGKILL
    again = run(0)
    assert again.stdout.splitlines()[-1] == "rows 1584 1", again.stderr
    assert '"imported": 594, "known": 990, "refused": 16' in again.stdout
