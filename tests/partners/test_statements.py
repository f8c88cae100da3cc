"""The monthly files, both ways, and the command line they pass through."""

import csv
import io
import json
from datetime import timedelta

import pytest
from tests.partners import make_partners as make

from broadsheet.partners import actions, cli, queries, statements
from broadsheet.partners.models import Claim
from broadsheet.server.cli import run

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture
def books():
    """Three claims of codes: one runs, one ended in February, one was made in March; two codes are in stock."""
    make.plan()
    post = make.partner()
    make.codes(make.offer(post), 5)
    made = []
    for name, now in (("asha", NOW), ("ravi", NOW), ("kiran", NOW + timedelta(days=60))):
        reader = make.subscriber(f"{name}@reader.example", now)
        made.append(actions.claim(reader_id=reader, partner="post", offer="all", now=now))
    actions.revoke(claim_id=made[1], now=NOW + timedelta(days=30))
    return made


def subjects(made):
    return [Claim.objects.get(pk=one).subject for one in made]


def differences(*lines):
    return [(one.line, one.reason) for one in statements.reconcile(partner="post", lines=lines)]


def test_two_books_that_agree_say_nothing(books):
    lines = ["code,status", "CODE-0000,active", "CODE-0001,inactive", "CODE-0002,ACTIVE", "CODE-0003,unredeemed", ""]
    assert differences(*lines) == []


def test_every_kind_of_difference_is_listed_with_its_reason(books):
    asha, ravi, _ = subjects(books)
    lines = [
        "subject;code;status",
        f"{asha};;ended",
        f"{ravi};;active",
        f"{ravi};;active",
        ";CODE-0004;redeemed",
        ";NOT-OURS;active",
        ";;active",
        ";CODE-0003;perhaps",
    ]
    assert differences(*lines) == [
        (2, "ended_there"), (3, "runs_there"), (4, "twice"), (5, "never_given"), (6, "unknown"), (7, "no_name"),
        (8, "bad_status"), (0, "missing_there"),
    ]  # fmt: skip


def test_a_subject_of_another_partner_is_not_ours_to_tell(books):
    other = make.partner("other")
    make.offer(other, "token")
    reader = make.subscriber("meera@reader.example")
    made = actions.claim(reader_id=reader, partner="other", offer="all", now=NOW)
    (subject,) = subjects([made])
    found = differences("subject,status", f"{subject},active")
    assert found[0] == (2, "other_partner")
    with pytest.raises(ValueError, match="must name the columns"):
        differences("a,b", "1,2")


def report(*words):
    """What a command prints, as rows."""
    out = io.StringIO()
    import argparse

    parser = argparse.ArgumentParser()
    cli.add_commands(parser.add_subparsers())
    args = parser.parse_args(["partners", *words])
    return args.run(args, out), list(csv.DictReader(io.StringIO(out.getvalue())))


def test_the_months_file_holds_what_ran_in_it(books):
    status, january = report("report", "--partner", "post", "--month", "2027-01")
    assert status == 0
    assert [(row["code"], row["state"]) for row in january] == [("CODE-0000", "new"), ("CODE-0001", "new")]
    _, february = report("report", "--partner", "post", "--month", "2027-02")
    assert [(row["code"], row["state"], row["reason"]) for row in february] == [
        ("CODE-0000", "running", ""), ("CODE-0001", "ended", "revoked"),
    ]  # fmt: skip
    _, march = report("report", "--partner", "post", "--month", "2027-03")
    assert [(row["code"], row["state"]) for row in march] == [("CODE-0000", "running"), ("CODE-0002", "new")]
    assert "asha" not in repr(january)


def test_the_file_can_be_read_back(books, tmp_path):
    """What we send and what a partner may send are one form: our own report, its states renamed, finds nothing."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["subject", "code", "status"])
    for row in queries.month_report("post", NOW - timedelta(days=30), NOW + timedelta(days=365)):
        writer.writerow([row["subject"], "", "ended" if row["state"] == "ended" else "active"])
    path = tmp_path / "statement.csv"
    path.write_text(out.getvalue())
    assert report("reconcile", "--partner", "post", str(path)) == (0, [])


def test_what_is_to_be_revoked_is_told_once(books):
    assert [row["code"] for row in report("revocations", "--partner", "post")[1]] == ["CODE-0001"]
    assert len(report("revocations", "--partner", "post", "--mark")[1]) == 1
    assert report("revocations", "--partner", "post")[1] == []


@pytest.mark.parametrize(
    "words",
    [
        ("report", "--partner", "nobody"),
        ("report", "--partner", "post", "--month", "May"),
        ("reconcile", "--partner", "post", "/nowhere.csv"),
        ("codes", "--partner", "post", "--offer", "none", "/dev/null"),
        ("vouchers", "--partner", "post", "--welcome", "none", "--count", "3"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_happens(books, words):
    assert report(*words)[0] == 2


def test_codes_come_in_by_the_command_line(books, tmp_path, capsys):
    path = tmp_path / "more.txt"
    path.write_text("NEW-1\nNEW-1\nCODE-0000\n")
    assert run(["partners", "codes", "--partner", "post", "--offer", "all", "--json", str(path)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["twice"], told["known"]) == (1, 1, 1)
