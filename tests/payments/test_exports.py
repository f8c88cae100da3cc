"""What accountants take away: every row, to the paisa, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from broadsheet.payments import actions, exports, ledger
from broadsheet.payments.values import Taxed
from tests.payments import make_money as make

pytestmark = pytest.mark.django_db
YEAR = {"since": make.day("2027-01-01"), "until": make.day("2028-01-01")}
FIRM = {"organisation": "Ravi Textiles", "gstin": "29AAACR4849R2ZG"}


@pytest.fixture(autouse=True)
def _publisher(settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, publisher_state="Delhi", refund_limit=0)


def table(rows) -> list[dict[str, str]]:
    heading, *rest = rows
    assert all(len(row) == len(heading) for row in rest)
    assert all(isinstance(value, str) for row in rest for value in row)
    return [dict(zip(heading, row, strict=True)) for row in rest]


def sold(reader: int, amount: int = 900_00, on: str = "2027-01-10", **fields):
    return make.bill(reader, make.line(amount, on, "2027-04-10"), on=on, **fields)


def test_invoices_with_buyer_tax_and_what_became_of_them():
    reader = make.reader("Asha Rao", pin="560001")
    payment = make.pay(sold(reader), "2027-01-11")
    make.send_back(payment, 300_00, "2027-01-20")
    actions.void_invoice(invoice_id=sold(reader).id, now=make.at("2027-01-12"))
    sold(reader, on="2026-12-31")
    first, second = table(exports.invoices(**YEAR))
    assert {name: value for name, value in first.items() if value} == {
        "number": "BS/26-27/000001",
        "date": "2027-01-10",
        "status": "paid",
        "paid_on": "2027-01-11",
        "kind": "period",
        "subject": "subscription:1",
        "period_start": "2027-01-10",
        "period_end": "2027-04-10",
        "buyer": "Asha Rao",
        "state": "Karnataka",
        "pin": "560001",
        "country": "IN",
        "place_of_supply": "Karnataka",
        "sac": "998431",
        "currency": "INR",
        "taxable": "762.71",
        "rate": "18",
        "cgst": "0.00",
        "sgst": "0.00",
        "igst": "137.29",
        "vat": "0.00",
        "tax": "0.00",
        "total": "900.00",
        "credit_used": "0.00",
        "credited": "300.00",
        "paid": "600.00",
        "due": "0.00",
    }
    assert (second["number"], second["status"], second["due"]) == ("BS/26-27/000002", "void", "0.00")


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_name_is_never_a_formula(name):
    sold(make.reader(name, address="=1+1"))
    row = table(exports.invoices(**YEAR))[0]
    assert row["buyer"] == f"'{name}"
    assert row["address"] == "'=1+1"


def test_csv_quotes_what_it_must():
    sold(make.reader('Rao, "Asha"\nand sons'))
    file = io.StringIO(newline="")
    assert exports.write_csv(exports.invoices(**YEAR), file) == 1
    file.seek(0)
    assert next(iter(csv.DictReader(file)))["buyer"] == 'Rao, "Asha"\nand sons'


def test_currencies_without_decimals_have_none():
    assert [exports.decimal(900, code) for code in ("INR", "JPY", "KWD")] == ["9.00", "900", "0.900"]


def test_the_journal_balances_entry_by_entry():
    payment = make.pay(sold(make.reader()), "2027-01-11")
    make.send_back(payment, 300_00, "2027-01-20")
    ledger.recognise_revenue(until=make.day("2027-06-01"), now=make.at("2027-06-01"))
    rows = table(exports.journal(**YEAR))
    assert {row["date"] for row in rows} >= {"2027-01-10", "2027-01-11", "2027-01-20", "2027-01-31", "2027-04-30"}
    for key in {row["key"] for row in rows}:
        mine = [row for row in rows if row["key"] == key]
        assert sum(float(row["debit"] or 0) - float(row["credit"] or 0) for row in mine) == pytest.approx(0, abs=1e-9)
        assert all(bool(row["debit"]) != bool(row["credit"]) for row in mine)
    assert rows[0]["document"] == "BS/26-27/000001"
    assert table(exports.journal(since=make.day("2027-01-20"), until=make.day("2027-01-21")))[0]["text"] == (
        "Credit note CN/26-27/000001 to BS/26-27/000001"
    )


def test_deferred_revenue_by_the_month_it_will_be_earned_in():
    sold(make.reader(), taxed=Taxed())
    assert [tuple(row.values()) for row in table(exports.deferred_by_month())] == [
        ("INR", "2027-01", "220.00", "680.00"),
        ("INR", "2027-02", "280.00", "400.00"),
        ("INR", "2027-03", "310.00", "90.00"),
        ("INR", "2027-04", "90.00", "0.00"),
    ]
    ledger.recognise_revenue(until=make.day("2027-03-01"), now=make.at("2027-03-01"))
    assert [row["month"] for row in table(exports.deferred_by_month())] == ["2027-03", "2027-04"]


def test_gifts_that_wait_stand_at_the_end():
    sold(make.reader(), taxed=Taxed())
    make.bill(make.reader(), make.line(270_00), on="2027-01-10", taxed=Taxed(), kind="gift")
    assert [tuple(row.values()) for row in table(exports.deferred_by_month())][3:] == [
        ("INR", "2027-04", "90.00", "270.00"),
        ("INR", "not begun", "270.00", "0.00"),
    ]


def gstr1() -> dict[str, list[dict[str, str]]]:
    sections: dict[str, list[dict[str, str]]] = {}
    for row in table(exports.gstr1(**YEAR)):
        sections.setdefault(row["section"], []).append(row)
    return sections


def test_a_return_has_firms_one_by_one_and_consumers_by_place():
    sold(make.reader("Ravi", **FIRM))
    for state in ("Karnataka", "Karnataka", "Delhi"):
        sold(make.reader(state=state))
    made = gstr1()
    assert {name: value for name, value in made["b2b"][0].items() if value} == {
        "section": "b2b",
        "gstin": "29AAACR4849R2ZG",
        "name": "Ravi Textiles",
        "number": "BS/26-27/000001",
        "date": "10-Jan-2027",
        "place_of_supply": "29-Karnataka",
        "reverse_charge": "N",
        "value": "900.00",
        "rate": "18",
        "taxable": "762.71",
        "igst": "137.29",
        "cgst": "0.00",
        "sgst": "0.00",
    }
    assert [(r["place_of_supply"], r["taxable"], r["igst"], r["cgst"], r["sgst"]) for r in made["b2cs"]] == [
        ("07-Delhi", "762.72", "0.00", "68.64", "68.64"),
        ("29-Karnataka", "1525.42", "274.58", "0.00", "0.00"),
    ]
    assert set(made) == {"b2b", "b2cs", "docs"}


def test_notes_stand_with_firms_by_themselves_and_with_consumers_in_the_sum():
    for reader in (make.reader("Ravi", **FIRM), make.reader()):
        make.send_back(make.pay(sold(reader), "2027-01-11"), 300_00, "2027-01-20")
    made = gstr1()
    note = made["cdnr"][0]
    assert (note["number"], note["invoice_number"], note["invoice_date"]) == (
        "CN/26-27/000001",
        "BS/26-27/000001",
        "10-Jan-2027",
    )
    assert (note["value"], note["taxable"], note["igst"]) == ("300.00", "254.24", "45.76")
    assert [(row["taxable"], row["igst"]) for row in made["b2cs"]] == [("508.47", "91.53")]
    assert [(row["name"], row["number"], row["invoice_number"], row["value"]) for row in made["docs"]] == [
        ("Invoices", "BS/26-27/000001", "BS/26-27/000002", "2"),
        ("Credit notes", "CN/26-27/000001", "CN/26-27/000002", "2"),
    ]


def test_large_sales_to_other_states_and_abroad_are_reported_by_themselves():
    sold(make.reader(), 1_00_000_01)
    sold(make.reader(state="Delhi"), 1_00_000_01)
    sold(make.reader(country="DE", state=""))
    made = gstr1()
    assert [row["number"] for row in made["b2cl"]] == ["BS/26-27/000001"]
    assert [row["place_of_supply"] for row in made["b2cs"]] == ["07-Delhi"]
    assert [(row["place_of_supply"], row["taxable"], row["igst"]) for row in made["exp"]] == [
        ("96-Other Countries", "900.00", "0.00")
    ]


def test_void_invoices_are_numbers_and_lost_ones_are_sales():
    reader = make.reader()
    actions.void_invoice(invoice_id=sold(reader).id, now=make.at("2027-01-11"))
    actions.mark_uncollectible(invoice_id=sold(reader).id, now=make.at("2027-01-31"))
    sold(reader, taxed=Taxed())
    made = gstr1()
    assert [row["taxable"] for row in made["b2cs"]] == ["762.71"]
    assert (made["docs"][0]["value"], made["docs"][0]["taxable"]) == ("3", "1")


def test_the_return_and_the_books_tell_the_same_tax():
    for reader in (make.reader("Ravi", **FIRM), make.reader(), make.reader(state="Delhi")):
        make.send_back(make.pay(sold(reader), "2027-01-11"), 123_45, "2027-01-20")
    sections = gstr1()
    for name in ("igst", "cgst", "sgst"):
        sign = {"b2b": 1, "b2cs": 1, "cdnr": -1}
        returned = sum(sign[key] * float(row[name]) for key, rows in sections.items() if key in sign for row in rows)
        booked = {row.account: row.amount_minor for row in ledger.trial_balance(make.day("2027-12-31"))}
        assert returned == pytest.approx(-booked[f"tax_payable:{name}"] / 100)
