"""Invoices and credit notes as people see them: the page, the PDF, whose they are, and what the law wants on them."""

from __future__ import annotations

import dataclasses

import pypdfium2
import pytest

from broadsheet.payments import actions, documents
from broadsheet.payments.models import BillingProfile, CreditNote, Invoice
from broadsheet.payments.pdf import pdf_of
from broadsheet.payments.values import Taxed
from broadsheet.readers.models import Reader
from tests.payments import make_money as make

pytestmark = pytest.mark.django_db
FIRM = {
    "organisation": "Ravi Textiles",
    "gstin": "29AAACR4849R2ZG",
    "address": "221 Commercial Street, Bengaluru",
    "pin": "560001",
}


@pytest.fixture(autouse=True)
def _publisher(settings):
    settings.BROADSHEET = dataclasses.replace(
        settings.BROADSHEET,
        name="The Alder Post",
        publisher_state="Delhi",
        publisher_gstin="07AAACB1234C1ZH",
        publisher_legal_name="Alder Press Private Limited",
        publisher_address="14 Press Lane, New Delhi 110002",
        refund_limit=0,
    )


def sold(reader: int | None = None, amount: int = 900_00, **fields):
    lines = [make.line(amount, "2027-01-10", "2027-04-10")]
    return make.bill(reader or make.reader(), *lines, on="2027-01-10", **fields)


def text_of(data: bytes) -> str:
    with pypdfium2.PdfDocument(data) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def test_a_firms_invoice_names_all_that_the_law_asks_for():
    bill = sold(make.reader("Asha Rao", **FIRM))
    made = documents.invoice_document(bill.number)
    assert made.title == "Tax invoice"
    assert made.supplier == documents.Party(
        "Alder Press Private Limited", ("14 Press Lane, New Delhi 110002", "Delhi (07)"), "07AAACB1234C1ZH"
    )
    assert made.buyer.name == "Ravi Textiles"
    assert made.buyer.gstin == "29AAACR4849R2ZG"
    assert "Karnataka (29) 560001" in ", ".join(made.buyer.lines)
    assert made.facts == (
        ("Number", "BS/26-27/000001"),
        ("Date", "10 January 2027"),
        ("Place of supply", "Karnataka (29)"),
        ("Reverse charge", "No"),
    )
    assert made.rows == (documents.Row("The Quarter", "10 January 2027 – 9 April 2027", "998431", "", "₹900.00"),)
    assert [(line.text, line.amount) for line in made.sums] == [
        ("Taxable value", "₹762.71"),
        ("IGST at 18 %", "₹137.29"),
        ("Total", "₹900.00"),
        ("Left to pay", "₹900.00"),
    ]
    assert made.notes == ("Amounts of lines include tax.", "Made by a computer: valid without a signature.")
    assert (made.mark, made.mood) == ("To be paid", "plain")


def test_within_the_state_both_taxes_stand_there():
    made = documents.invoice_document(sold(make.reader(state="Delhi")).number)
    assert [(line.text, line.amount) for line in made.sums][:4] == [
        ("Taxable value", "₹762.72"),
        ("CGST at 9 %", "₹68.64"),
        ("SGST at 9 %", "₹68.64"),
        ("Total", "₹900.00"),
    ]


def test_a_reader_abroad_is_an_export():
    made = documents.invoice_document(sold(make.reader(country="DE", state="")).number)
    assert ("Place of supply", "Germany (96)") in made.facts
    assert [(line.text, line.amount) for line in made.sums][:3] == [
        ("Taxable value", "₹900.00"),
        ("IGST at 0 %", "₹0.00"),
        ("Total", "₹900.00"),
    ]
    assert documents.EXPORT in made.notes
    assert made.buyer.lines[0] == "Germany"


def test_vat_has_its_own_words():
    make.tax("de", "vat", 700)
    bill = sold(make.reader(country="DE", state=""), taxed=Taxed("de"), currency="EUR")
    made = documents.invoice_document(bill.number)
    assert made.title == "Invoice"
    assert [(line.text, line.amount) for line in made.sums][1] == ("VAT at 7 %", "€58.88")
    assert [label for label, _ in made.facts] == ["Number", "Date"]


def test_without_tax_there_is_no_word_of_it():
    made = documents.invoice_document(sold(taxed=Taxed()).number)
    assert made.title == "Invoice"
    assert [line.text for line in made.sums] == ["Total", "Left to pay"]
    assert made.notes == ("Made by a computer: valid without a signature.",)


def test_what_was_written_stays_though_reader_and_publisher_move(settings):
    reader = make.reader("Asha Rao")
    bill = sold(reader)
    before = documents.invoice_document(bill.number)
    BillingProfile.objects.filter(pk=reader).update(name="Asha Menon", state="Kerala")
    settings.BROADSHEET = dataclasses.replace(
        settings.BROADSHEET,
        publisher_legal_name="Others",
        publisher_state="Goa",
        publisher_gstin="",
        publisher_address="x",
    )
    assert documents.invoice_document(bill.number) == before


def test_marks_and_sums_follow_what_became_of_it():
    reader = make.reader()
    bill = sold(reader)
    payment = make.pay(bill, "2027-01-11")
    made = documents.invoice_document(bill.number)
    assert (made.mark, made.mood) == ("Paid 11 January 2027", "good")
    assert made.sums[-1] == documents.Sum("Paid", "−₹900.00")
    make.send_back(payment, 300_00, "2027-01-20")
    made = documents.invoice_document(bill.number)
    assert [(line.text, line.amount) for line in made.sums][3:] == [
        ("Credit note CN/26-27/000001", "−₹300.00"),
        ("Paid", "−₹600.00"),
    ]
    make.send_back(payment, 600_00, "2027-01-21")
    assert documents.invoice_document(bill.number).mark == "Credited in full"


def test_void_and_unpaid_say_so():
    void, lost = sold(), sold()
    actions.void_invoice(invoice_id=void.id, now=make.at("2027-01-11"))
    actions.mark_uncollectible(invoice_id=lost.id, now=make.at("2027-01-11"))
    assert [documents.invoice_document(bill.number).mark for bill in (void, lost)] == ["Void", "Not paid"]
    assert documents.invoice_document(void.number).sums[-1].text == "Total"


def test_a_credit_note_names_its_invoice_and_its_share_of_the_tax():
    bill = sold(make.reader(state="Delhi"))
    make.send_back(make.pay(bill, "2027-01-10"), 300_00, "2027-01-20")
    made = documents.note_document("CN/26-27/000001")
    assert made.title == "Credit note"
    assert ("Corrects", "BS/26-27/000001 of 10 January 2027") in made.facts
    assert ("Place of supply", "Delhi (07)") in made.facts
    assert [(line.text, line.amount) for line in made.sums] == [
        ("Taxable value", "₹254.24"),
        ("CGST at 9 %", "₹22.88"),
        ("SGST at 9 %", "₹22.88"),
        ("Total credited", "₹300.00"),
    ]
    assert made.rows[0].text == "Taken back from invoice BS/26-27/000001: asked for"


def test_the_pdf_says_what_the_page_says():
    bill = sold(make.reader("Asha Rao", **FIRM))
    make.pay(bill, "2027-01-11")
    made = documents.invoice_document(bill.number)
    data = pdf_of(made)
    text = text_of(data)
    wanted = ["The Alder Post", "Tax invoice", made.number, "Paid 11 January 2027", "07AAACB1234C1ZH", "29AAACR4849R2ZG",
              "Karnataka (29)", "998431", "₹762.71", "₹137.29", "₹900.00", "IGST at 18 %", "Made by a computer"]  # fmt: skip
    assert [word for word in wanted if word not in text] == []
    assert pdf_of(made) == data


@pytest.mark.parametrize("name", ["श्रीमती कृष्णा द्विवेदी", "தமிழ்ச்செல்வி", "Þórður Ærø", "O’Brien – Ltd"])
def test_names_are_printed_as_they_are_written(name):
    made = documents.invoice_document(sold(make.reader(name)).number)
    text = text_of(pdf_of(made))
    letters = {letter for letter in name if letter.isalpha()}
    assert letters <= set(text)


def test_a_sign_no_font_has_is_a_question_mark_and_not_a_hole():
    assert "Li ?? Wei" in text_of(pdf_of(documents.invoice_document(sold(make.reader("Li 漢字 Wei")).number)))


def test_many_lines_run_over_pages_that_are_counted():
    lines = [make.line(100, "2027-01-10", "2027-04-10", text=f"Seat {number}") for number in range(40)]
    data = pdf_of(documents.invoice_document(make.bill(make.reader(), *lines, on="2027-01-10").number))
    with pypdfium2.PdfDocument(data) as pdf:
        pages = [page.get_textpage().get_text_range() for page in pdf]
    assert len(pages) > 1
    assert [f"{number} of {len(pages)}" in page for number, page in enumerate(pages, start=1)] == [True] * len(pages)
    assert "Seat 39" in "".join(pages)


@pytest.fixture
def owner(client):
    reader = make.reader()
    client.force_login(Reader.objects.get(pk=reader))
    bill = sold(reader)
    make.send_back(make.pay(bill, "2027-01-10"), 300_00, "2027-01-20")
    return client, bill


PATHS = ["/account/invoices/BS/26-27/000001", "/account/credit-notes/CN/26-27/000001"]


@pytest.mark.parametrize("path", PATHS)
def test_the_owner_gets_page_and_pdf(owner, path):
    client, _ = owner
    page = client.get(f"{path}/")
    assert page.status_code == 200
    assert f'href="{path}.pdf"' in page.content.decode()
    assert "Karnataka (29)" in page.content.decode()
    file = client.get(f"{path}.pdf")
    assert file["Content-Type"] == "application/pdf"
    assert file["Content-Disposition"] == f'inline; filename="{path.split("s/", 1)[1].replace("/", "-")}.pdf"'
    assert "no-store" in file["Cache-Control"]
    assert file.content.startswith(b"%PDF-")


@pytest.mark.parametrize("path", PATHS)
def test_nobody_else_gets_either(owner, client, path):
    before = (Invoice.objects.count(), CreditNote.objects.count())
    client.logout()
    for end in ("/", ".pdf"):
        assert client.get(path + end).status_code == 302
    client.force_login(Reader.objects.get(pk=make.reader()))
    editor = Reader.objects.get(pk=make.reader())
    Reader.objects.filter(pk=editor.pk).update(is_staff=True)
    for stranger in (None, editor):
        if stranger:
            client.force_login(stranger)
        for end in ("/", ".pdf"):
            assert client.get(path + end).status_code == 404
    assert (Invoice.objects.count(), CreditNote.objects.count()) == before


def test_staff_who_may_see_invoices_do(owner, client):
    Reader.objects.filter(pk=make.reader()).update(is_staff=True, is_superuser=True)
    client.force_login(Reader.objects.get(is_superuser=True))
    for path in PATHS:
        assert client.get(f"{path}/").status_code == 200
        assert client.get(f"{path}.pdf").status_code == 200


@pytest.mark.parametrize("number", ["BS/26-27/999999", "%00", "x" * 400, "BS/26-27/000001%0a"])
def test_what_there_is_not_is_not_found(owner, number):
    client, _ = owner
    for end in ("/", ".pdf"):
        assert client.get(f"/account/invoices/{number}{end}").status_code == 404
