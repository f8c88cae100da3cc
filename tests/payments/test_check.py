"""`billing check`: each rule of money, broken by hand, is found and named; what is whole is silent."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import connection

from broadsheet.payments import actions, check
from broadsheet.payments.models import CreditEntry, CreditNote, Invoice, InvoiceLine, JournalLine, Payment, Refund
from tests.payments import make_money as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _publisher(settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, publisher_state="Delhi", refund_limit=0)


@pytest.fixture
def books():
    """One of everything: paid, noted and refunded; credit given and used; open, void and lost."""
    reader = make.reader(state="Delhi")
    bill = make.bill(reader, make.line(900_00, "2027-01-10", "2027-04-10"), on="2027-01-10")
    make.send_back(make.pay(bill, "2027-01-10"), 300_00, "2027-01-20")
    actions.give_credit(
        key="g", reader_id=reader, currency="INR", amount_minor=50_00, reason="sorry", source="goodwill", now=make.at("2027-01-21")
    )  # fmt: skip
    for _ in range(3):
        make.bill(reader, make.line(300_00, "2027-02-01", "2027-03-01"), on="2027-02-01")
    second, third = Invoice.objects.order_by("id")[1:3]
    actions.void_invoice(invoice_id=third.pk, now=make.at("2027-02-02"))
    actions.mark_uncollectible(invoice_id=second.pk, now=make.at("2027-02-22"))
    return reader


def found() -> set[str]:
    return {bad.rule for bad in check.violations()}


def test_what_is_whole_is_silent(books):
    assert list(check.violations()) == []


def break_(model, sql: str) -> None:
    """Change a row behind the program's back, as somebody with the database's password would."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET {sql}")


@pytest.mark.parametrize(
    ("model", "sql", "rules"),
    [
        (InvoiceLine, "amount_minor = amount_minor + 1 WHERE id = (SELECT MIN(id) FROM payments_invoiceline)",
         {"lines_make_the_total"}),
        (Invoice, "taxable_minor = taxable_minor + 1, tax_minor = tax_minor - 1 WHERE number LIKE '%1'",
         {"taxes_make_the_tax"}),
        (CreditNote, "taxable_minor = taxable_minor + 1, tax_minor = tax_minor - 1", {"taxes_make_the_tax"}),
        (Invoice, "noted_minor = noted_minor - 1, paid_minor = paid_minor + 1 WHERE number LIKE '%1'",
         {"notes_are_counted"}),
        (Payment, "refunded_minor = refunded_minor - 1", {"refunds_are_counted"}),
        (Refund, "amount_minor = amount_minor + 1", {"refunds_are_counted"}),
        (Invoice, "number = 'BS/26-27/000009' WHERE number LIKE '%2'", {"series_has_no_gap"}),
        (JournalLine, "amount_minor = amount_minor + 1 WHERE account = 'cash:sandbox' AND amount_minor > 0",
         {"journal_balances"}),
        (JournalLine, "account = 'revenue' WHERE account = 'deferred_revenue' AND amount_minor < 0",
         {"deferred_revenue_is_of_lines"}),
        (CreditEntry, "amount_minor = amount_minor + 1 WHERE key = 'g'", {"credit_is_booked"}),
        (CreditEntry, "amount_minor = amount_minor - 6000 WHERE key = 'g'", {"credit_is_booked", "credit_is_not_negative"}),
        (Invoice, "paid_minor = paid_minor + 1 WHERE number LIKE '%1'", {"receivable_is_of_invoices"}),
        (JournalLine, "account = 'credit_carried' WHERE account = 'goodwill'", {"carried_is_credit"}),
        (JournalLine, "account = 'surplus' WHERE account = 'goodwill'", {"surplus_is_booked"}),
    ],
)  # fmt: skip
def test_what_somebody_broke_is_found(books, model, sql, rules):
    break_(model, sql)
    assert found() == rules


def test_halves_of_a_tax_that_differ_are_found(books):
    bill = Invoice.objects.get(number__endswith="1")
    Invoice.objects.filter(pk=bill.pk).update(
        tax=bill.tax | {"cgst_minor": bill.tax["cgst_minor"] + 2, "sgst_minor": bill.tax["sgst_minor"] - 2}
    )
    assert found() == {"halves_are_equal"}


def test_a_second_collection_is_found_where_the_constraint_is_missing(books):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX payments_one_success")
    first = Payment.objects.get()
    Payment.objects.create(
        invoice=first.invoice, key="again", kind="renewal", provider="sandbox", status="succeeded", amount_minor=1,
        currency="INR", created_at=make.at("2027-01-10"),
    )  # fmt: skip
    assert found() == {"collected_once"}


def test_nothing_is_changed_and_little_is_asked(books, django_assert_max_num_queries):
    before = [list(model.objects.order_by("pk").values()) for model in (Invoice, Payment, JournalLine)]
    with django_assert_max_num_queries(40):
        list(check.violations())
    assert [list(model.objects.order_by("pk").values()) for model in (Invoice, Payment, JournalLine)] == before
