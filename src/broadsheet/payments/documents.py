"""Invoices and credit notes as their readers see them: every text final, the same for the screen and for paper.

They name what rules 46 (invoices) and 53 (credit notes) of India's CGST Rules ask for; elsewhere the same fields do.
What stands on them is what was written the day they were made; only what became of them since is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from babel.core import Locale
from django.conf import settings

from broadsheet.dates import local_date
from broadsheet.money import format_money
from broadsheet.payments import places, postings
from broadsheet.payments.models import CreditNote, Invoice, InvoiceLine
from broadsheet.payments.rules import rate_words
from broadsheet.readers.queries import reader

TAX_NAMES = {"cgst": "CGST", "sgst": "SGST", "igst": "IGST", "vat": "VAT", "tax": "Tax"}
EXPORT = "Supply meant for export of services without payment of integrated tax."
UNSIGNED = "Made by a computer: valid without a signature."


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or who buys. `lines` are the address, the State with its code and such, as they are to be printed."""

    name: str
    lines: tuple[str, ...] = ()
    gstin: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a document. `days` is what it covers, both ends included; `code` the SAC."""

    text: str
    days: str
    code: str
    quantity: str
    amount: str


@dataclass(frozen=True, slots=True)
class Sum:
    """One line of what it comes to; `strong` ones are the totals."""

    text: str
    amount: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """`mark` is what became of it, in a word or two, and `mood` how that is printed: good, bad or plain. `facts` are
    (label, value). `sums` end with what is left to pay."""

    number: str
    title: str
    path: str
    paper: str
    supplier: Party
    buyer: Party
    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    sums: tuple[Sum, ...]
    notes: tuple[str, ...]
    mark: str
    mood: str
    issued_on: date
    # (title and number, address) of the documents that belong to it.
    others: tuple[tuple[str, str], ...] = ()

    @property
    def file_name(self) -> str:
        return f"{self.number.replace('/', '-')}.pdf"

    @property
    def pdf_path(self) -> str:
        return f"{self.path.rstrip('/')}.pdf"


def invoice_document(number: str, *, reader_id: int | None = None) -> Document | None:
    """The invoice of that number; with `reader_id` only if it is theirs."""
    rows = Invoice.objects.filter(number=number)
    row = (rows if reader_id is None else rows.filter(reader_id=reader_id)).first()
    return _invoice(row) if row else None


def note_document(number: str, *, reader_id: int | None = None) -> Document | None:
    """The credit note of that number; with `reader_id` only if it is theirs."""
    rows = CreditNote.objects.select_related("invoice").filter(number=number)
    row = (rows if reader_id is None else rows.filter(invoice__reader_id=reader_id)).first()
    return _note(row) if row else None


def invoice_path(number: str) -> str:
    return f"/account/invoices/{number}/"


def note_path(number: str) -> str:
    return f"/account/credit-notes/{number}/"


def _invoice(row: Invoice) -> Document:
    notes = list(CreditNote.objects.filter(invoice=row).order_by("id"))
    mark, mood = _mark(row)
    return Document(
        number=row.number,
        title="Tax invoice" if row.tax.get("kind") == "gst" else "Invoice",
        path=invoice_path(row.number),
        paper=settings.BROADSHEET.name,
        supplier=_supplier(row),
        buyer=_buyer(row),
        facts=(("Number", row.number), ("Date", longday(row.issued_on)), *_supply(row.tax)),
        rows=tuple(_row(line, row) for line in row.lines.all()),
        sums=(*_taxed(row), Sum("Total", _money(row.total_minor, row), strong=True), *_since(row, notes)),
        notes=_small_print(row.tax),
        mark=mark,
        mood=mood,
        issued_on=row.issued_on,
        others=tuple((f"Credit note {note.number}", note_path(note.number)) for note in notes),
    )


def _note(row: CreditNote) -> Document:
    bill = row.invoice
    corrects = ("Corrects", f"{bill.number} of {longday(bill.issued_on)}")
    text = f"Taken back from invoice {bill.number}: {row.reason}" if row.reason else f"Taken back from {bill.number}"
    inside = row.tax.get("inclusive", True)
    amount = row.total_minor if inside else row.taxable_minor
    return Document(
        number=row.number,
        title="Credit note",
        path=note_path(row.number),
        paper=settings.BROADSHEET.name,
        supplier=_supplier(bill),
        buyer=_buyer(bill),
        facts=(("Number", row.number), ("Date", longday(row.issued_on)), corrects, *_supply(row.tax)),
        rows=(Row(text, "", str(row.tax.get("sac", "")), "", _money(amount, row)),),
        sums=(*_taxed(row), Sum("Total credited", _money(row.total_minor, row), strong=True)),
        notes=_small_print(row.tax),
        mark="",
        mood="plain",
        issued_on=row.issued_on,
        others=((f"Invoice {bill.number}", invoice_path(bill.number)),),
    )


def longday(day: date) -> str:
    """`10 January 2027`"""
    return f"{day.day} {day:%B} {day.year}"


def _days(start: date, end: date) -> str:
    """`[start, end)` for people, both ends included: `10 January 2027 – 9 April 2027`."""
    last = end - timedelta(days=1)
    return longday(start) if last <= start else f"{longday(start)} – {longday(last)}"


def _money(minor: int, row: Invoice | CreditNote) -> str:
    return format_money(minor, row.currency, exact=True).replace("-", "−")


def _supplier(row: Invoice) -> Party:
    facts = row.supplier or {"name": settings.BROADSHEET.name}
    lines = [part.strip() for part in facts.get("address", "").split(",") if part.strip()]
    state = facts.get("state", "")
    # An address that ends with its State does not name it twice.
    if state and not (lines and lines[-1].casefold().startswith(state.casefold())):
        lines.append(_place(state))
    return Party(facts["name"], tuple(_joined(lines)), facts.get("gstin", ""))


def _buyer(row: Invoice) -> Party:
    facts = row.buyer
    card = reader(row.reader_id)
    email = card.email if card else ""
    names = [name for name in (facts.get("organisation"), facts.get("name")) if name]
    lines = [part.strip() for part in facts.get("address", "").split(",") if part.strip()]
    country = facts.get("country", "IN")
    state = " ".join(part for part in (_place(facts.get("state", "")), facts.get("pin", "")) if part)
    lines += [state] if state else []
    lines += [_country(country)] if country != "IN" else []
    own = [email] if names and email else []
    return Party(names[0] if names else email, (*names[1:], *_joined(lines), *own), facts.get("gstin", ""))


def _joined(parts: list[str], width: int = 34) -> list[str]:
    """Parts of an address on as few lines as a column of an invoice has room for."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines


def _place(state: str) -> str:
    """`Karnataka` -> `Karnataka (29)`"""
    code = places.state_code(state)
    return f"{state} ({code})" if code and code != places.ABROAD else state


def _country(code: str) -> str:
    return str(Locale("en").territories.get(code, code))


def _supply(tax: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if tax.get("kind") != "gst":
        return ()
    place = tax.get("place_of_supply", "")
    if not place:
        return (("Reverse charge", "No"),)
    abroad = places.state_code(place) == places.ABROAD
    shown = f"{_country(place)} ({places.ABROAD})" if abroad else _place(place)
    return (("Place of supply", shown), ("Reverse charge", "No"))


def _row(line: InvoiceLine, row: Invoice) -> Row:
    days = _days(line.service_start, line.service_end) if line.service_start and line.service_end else ""
    code = "" if line.kind == InvoiceLine.Kind.CARRIED else str(row.tax.get("sac", ""))
    quantity = str(line.quantity) if line.quantity > 1 else ""
    return Row(line.text, days, code, quantity, _money(line.amount_minor, row))


def _taxed(row: Invoice | CreditNote) -> tuple[Sum, ...]:
    """The taxable value and each tax with its rate; nothing where no tax is charged."""
    split = postings.document_split(row.taxable_minor, row.tax_minor, row.tax)
    if not split.parts:
        return ()
    rate = postings.rate_bp(row.tax)
    each = rate // 2 if len(split.parts) > 1 else rate
    # Half of 2.5 % is a quarter more than whole hundredths can say.
    words = rate_words(each) if each * len(split.parts) == rate else f"{rate / 200:g}"
    taxes = (Sum(f"{TAX_NAMES[name]} at {words} %", _money(amount, row)) for name, amount in split.parts)
    return (Sum("Taxable value", _money(row.taxable_minor, row)), *taxes)


def _since(row: Invoice, notes: list[CreditNote]) -> tuple[Sum, ...]:
    """What became of the total."""
    if row.status == Invoice.Status.VOID:
        return ()
    sums = [Sum("From your credit", _money(-row.credit_minor, row))] if row.credit_minor else []
    sums += [Sum(f"Credit note {note.number}", _money(-note.total_minor, row)) for note in notes]
    if row.paid_minor:
        sums.append(Sum("Paid", _money(-row.paid_minor, row)))
    if row.status == Invoice.Status.OPEN or row.due_minor > 0:
        sums.append(Sum("Left to pay", _money(max(0, row.due_minor), row), strong=True))
    return tuple(sums)


def _mark(row: Invoice) -> tuple[str, str]:
    if row.status == Invoice.Status.VOID:
        return "Void", "bad"
    if row.status == Invoice.Status.UNCOLLECTIBLE:
        return "Not paid", "bad"
    if row.noted_minor and row.noted_minor == row.total_minor:
        return "Credited in full", "plain"
    if row.due_minor > 0:
        return ("Partly paid", "plain") if row.paid_minor or row.credit_minor else ("To be paid", "plain")
    paid_on = local_date(row.paid_at, settings.BROADSHEET.zone) if row.paid_at else row.issued_on
    return f"Paid {longday(paid_on)}", "good"


def _small_print(tax: Mapping[str, Any]) -> tuple[str, ...]:
    made = []
    if tax:
        made.append(
            "Amounts of lines include tax." if tax.get("inclusive", True) else "Amounts of lines are before tax."
        )
    if tax.get("kind") == "gst" and places.state_code(tax.get("place_of_supply", "")) == places.ABROAD:
        made.append(EXPORT)
    return (*made, UNSIGNED)
