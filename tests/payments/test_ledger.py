"""The books: what each thing that happens to money does to every account, to the paisa."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from broadsheet.payments import actions, ledger
from broadsheet.payments.check import violations
from broadsheet.payments.models import Deferral, Invoice, JournalEntry, JournalLine, Payment
from broadsheet.payments.values import Line, Taxed
from tests.payments import make_money as make

pytestmark = pytest.mark.django_db
NO_TAX = Taxed()


@pytest.fixture(autouse=True)
def _publisher(settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, publisher_state="Delhi", refund_limit=0)


def books(on: str = "2099-01-01") -> dict[str, int]:
    return {row.account: row.amount_minor for row in ledger.trial_balance(make.day(on))}


def close(until: str) -> int:
    return ledger.recognise_revenue(until=make.day(until), now=make.at(until))


def quarter(reader: int, amount: int = 900_00, taxed: Taxed = make.GST):
    return make.bill(reader, make.line(amount, "2027-01-10", "2027-04-10"), on="2027-01-10", taxed=taxed)


def test_an_invoice_is_owed_its_tax_due_and_its_days_deferred():
    quarter(make.reader())
    assert books() == {"receivable": 900_00, "tax_payable:igst": -137_29, "deferred_revenue": -762_71}


def test_within_the_state_the_tax_has_two_halves():
    quarter(make.reader(state="Delhi"))
    assert books() == {
        "receivable": 900_00,
        "tax_payable:cgst": -68_64,
        "tax_payable:sgst": -68_64,
        "deferred_revenue": -762_72,
    }


def test_what_has_no_days_is_earned_at_once():
    make.bill(make.reader(), make.line(118_00), on="2027-01-10")
    assert books() == {"receivable": 118_00, "tax_payable:igst": -18_00, "revenue": -100_00}


def test_a_payment_is_cash_of_its_till():
    make.pay(quarter(make.reader()), "2027-01-10")
    assert books() == {"cash:sandbox": 900_00, "tax_payable:igst": -137_29, "deferred_revenue": -762_71}


def test_a_quarter_is_earned_by_days_month_by_month():
    quarter(make.reader(), 900_00, NO_TAX)
    assert close("2027-01-31") == 0
    assert [close(day) for day in ("2027-02-01", "2027-02-28", "2027-03-01", "2027-04-01", "2027-05-01", "2027-06-01")] == [
        1, 0, 1, 1, 1, 0,
    ]  # fmt: skip
    earned = {str(row["entry__booked_on"]): -row["sum"] for row in _revenue_by_day()}
    # 22 days of January, 28 of February, 31 of March, 9 of April: 1,000 paise each.
    assert earned == {"2027-01-31": 220_00, "2027-02-28": 280_00, "2027-03-31": 310_00, "2027-04-30": 90_00}
    assert ledger.deferred_revenue(make.day("2027-02-28")) == {"INR": 400_00}
    assert ledger.deferred_revenue(make.day("2027-04-30")) == {"INR": 0}


def _revenue_by_day():
    rows = JournalLine.objects.filter(account="revenue").values("entry__booked_on")
    return rows.annotate(sum=Sum("amount_minor")).order_by("entry__booked_on")


def test_months_that_were_missed_are_closed_one_by_one():
    quarter(make.reader(), 900_00, NO_TAX)
    assert close("2027-12-01") == 4
    assert [str(row["entry__booked_on"]) for row in _revenue_by_day()] == [
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
    ]


def test_an_invoice_of_the_past_is_earned_from_the_month_it_was_booked_in():
    make.bill(make.reader(), make.line(310_00, "2027-01-01", "2027-02-01"), on="2027-03-05", taxed=NO_TAX)
    assert close("2027-03-01") == 0
    assert close("2027-04-01") == 1
    assert books() == {"receivable": 310_00, "revenue": -310_00}


def test_a_run_does_no_more_than_it_is_allowed_and_the_next_goes_on():
    for _ in range(5):
        quarter(make.reader(), 900_00, NO_TAX)
    until, now = make.day("2027-02-01"), make.at("2027-02-01")
    assert [ledger.recognise_revenue(until=until, now=now, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert books()["revenue"] == -5 * 220_00


def test_two_years_are_earned_to_the_paisa_without_drift():
    make.bill(make.reader(), make.line(3_900_01, "2027-01-31", "2029-01-31"), on="2027-01-31", taxed=NO_TAX)
    days = (date(2029, 1, 31) - date(2027, 1, 31)).days
    month = date(2027, 2, 1)
    while month <= date(2029, 2, 1):
        ledger.recognise_revenue(until=month, now=make.at(str(month)))
        passed = min(days, (month - date(2027, 1, 31)).days)
        assert abs(-books(str(month)).get("revenue", 0) - 3_900_01 * passed / days) <= 0.5
        month = (month + timedelta(days=32)).replace(day=1)
    assert books() == {"receivable": 3_900_01, "revenue": -3_900_01}


def test_unused_days_of_the_old_plan_are_earned_negatively():
    reader = make.reader()
    quarter(reader, 900_00, NO_TAX)
    make.bill(
        reader,
        make.line(2_700_00, "2027-02-14", "2028-02-14"),
        make.line(-550_00, "2027-02-14", "2027-04-10", kind="unused"),
        on="2027-02-14",
        taxed=NO_TAX,
    )
    assert books()["deferred_revenue"] == -(900_00 + 2_150_00)
    close("2027-03-01")
    # The old plan to 14 February, then the new one: 35 days of 10 rupees, 15 of a year's.
    assert -books()["revenue"] == 350_00 + round(2_700_00 * 15 / 365)
    close("2028-03-01")
    assert books() == {"receivable": 3_050_00, "revenue": -3_050_00}


def test_a_void_invoice_leaves_nothing_in_the_books():
    bill = quarter(make.reader())
    close("2027-02-01")
    actions.void_invoice(invoice_id=bill.id, now=make.at("2027-02-03"))
    assert books() == {}
    assert close("2027-12-01") == 0


def test_a_void_invoice_gives_the_credit_it_used_back():
    reader = make.reader()
    give(reader, 100_00)
    bill = quarter(reader)
    assert books() == {
        "receivable": 800_00,
        "goodwill": 100_00,
        "tax_payable:igst": -137_29,
        "deferred_revenue": -762_71,
    }
    actions.void_invoice(invoice_id=bill.id, now=make.at("2027-01-11"))
    assert books() == {"goodwill": 100_00, "customer_credit": -100_00}


def give(reader: int, amount: int, source: str = "goodwill", on: str = "2027-01-05", key: str = "k") -> None:
    actions.give_credit(
        key=key, reader_id=reader, currency="INR", amount_minor=amount, reason="sorry", source=source, now=make.at(on)
    )


def test_what_is_never_paid_is_lost_but_for_what_was_not_delivered():
    bill = quarter(make.reader(), 900_00, NO_TAX)
    actions.mark_uncollectible(invoice_id=bill.id, now=make.at("2027-01-31"))
    # 21 days were delivered: they are revenue, and they are lost.
    assert books() == {"revenue": -210_00, "bad_debt": 210_00}
    assert close("2027-12-01") == 0


def test_the_tax_of_what_is_lost_stays_due():
    bill = quarter(make.reader())
    actions.mark_uncollectible(invoice_id=bill.id, now=make.at("2027-01-10"))
    assert books() == {"bad_debt": 137_29, "tax_payable:igst": -137_29}


@pytest.mark.parametrize("leave", [actions.void_invoice, actions.mark_uncollectible])
def test_an_invoice_that_is_paid_after_all_is_in_the_books_again(leave):
    reader = make.reader()
    give(reader, 100_00)
    bill = quarter(reader)
    actions.begin_payment(invoice_id=bill.id, key="late", kind="checkout", mandate_id=None, now=make.at("2027-01-10"))
    leave(invoice_id=bill.id, now=make.at("2027-01-31"))
    make.settle("late", "2027-02-02")
    close("2027-12-01")
    # The credit was given back and is not taken again: so much of the price is given away.
    assert books() == {
        "cash:sandbox": 800_00,
        "goodwill": 200_00,
        "customer_credit": -100_00,
        "tax_payable:igst": -137_29,
        "revenue": -762_71,
    }
    assert list(ledger.check_journal()) == []


def test_a_note_for_the_unused_rest_stops_the_earning():
    reader = make.reader()
    payment = make.pay(quarter(reader), "2027-01-10")
    close("2027-02-01")
    # 31 of 90 days are used; the rest of 900 goes back.
    make.send_back(payment, 590_00, "2027-02-09", unearned_from="2027-02-10")
    # The day itself is used, and earned with its month; nothing is left to earn after it.
    assert ledger.deferred_revenue(make.day("2027-02-09")) == {"INR": 8_47}
    assert close("2027-12-01") == 1
    assert books() == {
        "cash:sandbox": 310_00,
        "tax_payable:igst": -(137_29 - 90_00),
        "revenue": -(762_71 - 500_00),
    }


def test_a_note_before_a_future_end_earns_up_to_it():
    payment = make.pay(quarter(make.reader(), 900_00, NO_TAX), "2027-01-10")
    make.send_back(payment, 300_00, "2027-02-01", unearned_from="2027-03-11")
    assert close("2027-12-01") > 0
    assert books() == {"cash:sandbox": 600_00, "revenue": -600_00}


def test_a_note_while_the_service_goes_on_spreads_over_all_its_days():
    payment = make.pay(quarter(make.reader(), 900_00, NO_TAX), "2027-01-10")
    close("2027-02-01")
    make.send_back(payment, 90_00, "2027-02-09")
    assert books()["revenue"] == -30 * 9_00
    close("2027-03-01")
    assert books()["revenue"] == -50 * 9_00
    close("2027-06-01")
    assert books() == {"cash:sandbox": 810_00, "revenue": -810_00}


def test_a_note_after_the_service_takes_revenue_back():
    payment = make.pay(quarter(make.reader()), "2027-01-10")
    close("2027-06-01")
    make.send_back(payment, 118_00, "2027-06-05")
    assert books() == {"cash:sandbox": 782_00, "tax_payable:igst": -119_29, "revenue": -662_71}


def test_a_note_on_a_changed_plan_leaves_the_days_of_the_old_one_alone():
    reader = make.reader()
    make.pay(quarter(reader, 900_00, NO_TAX), "2027-01-10")
    change = make.bill(
        reader,
        make.line(2_700_00, "2027-02-14", "2028-02-14"),
        make.line(-550_00, "2027-02-14", "2027-04-10", kind="unused"),
        on="2027-02-14",
        taxed=NO_TAX,
    )
    payment = make.pay(change, "2027-02-14")
    make.send_back(payment, 2_150_00, "2027-03-01", unearned_from="2027-03-02")
    close("2027-04-01")
    # All that was kept is 900; what is left of the quarter and what was given back for it go up against each other.
    assert books("2027-03-31")["revenue"] == -900_00
    close("2027-06-01")
    assert books() == {"cash:sandbox": 900_00, "revenue": -900_00}


def test_a_note_takes_its_share_from_what_was_earned_at_once():
    lines = [make.line(600_00, "2027-01-10", "2027-04-10"), make.line(300_00)]
    payment = make.pay(make.bill(make.reader(), *lines, on="2027-01-10", taxed=NO_TAX), "2027-01-10")
    for _ in range(2):
        make.send_back(payment, 45_00, "2027-01-10")
    assert books() == {"cash:sandbox": 810_00, "deferred_revenue": -540_00, "revenue": -270_00}


def test_a_line_that_ends_with_a_month_is_done_with_it():
    make.bill(make.reader(), make.line(310_00, "2027-01-01", "2027-02-01"), on="2027-01-01", taxed=NO_TAX)
    assert [close(day) for day in ("2027-02-01", "2027-03-01")] == [1, 0]
    assert books() == {"receivable": 310_00, "revenue": -310_00}


def test_a_refund_without_a_note_is_owed_again():
    payment = make.pay(quarter(make.reader()), "2027-01-10")
    make.send_back(payment, 233_82, "2027-01-12", adjust=False)
    assert books() == {
        "receivable": 233_82,
        "cash:sandbox": 666_18,
        "tax_payable:igst": -137_29,
        "deferred_revenue": -762_71,
    }


def test_a_note_that_becomes_credit_pays_the_next_invoice():
    reader = make.reader()
    bill = quarter(reader)
    make.pay(bill, "2027-01-10")
    actions.credit_instead(
        invoice_id=bill.id, amount_minor=590_00, key="c", reason="moved", now=make.at("2027-02-09"),
        unearned_from=make.day("2027-02-10"),
    )  # fmt: skip
    assert books()["customer_credit"] == -590_00
    make.bill(reader, make.line(300_00, "2027-03-01", "2027-04-01"), on="2027-03-01", taxed=NO_TAX)
    assert books()["customer_credit"] == -290_00
    assert "receivable" not in books()


def test_what_is_paid_beyond_the_invoice_is_credit():
    bill = quarter(make.reader(), 900_00, NO_TAX)
    actions.pay_by_hand(
        invoice_id=bill.id, key="h", amount_minor=1_000_00, reference="UTR 1", now=make.at("2027-01-12")
    )
    assert books() == {"cash:manual": 1_000_00, "customer_credit": -100_00, "deferred_revenue": -900_00}


def test_money_that_nobody_owed_is_not_revenue():
    bill = quarter(make.reader(), 900_00, NO_TAX)
    actions.begin_payment(invoice_id=bill.id, key="late", kind="checkout", mandate_id=None, now=make.at("2027-01-10"))
    Invoice.objects.filter(pk=bill.id).update(status="paid", paid_at=make.at("2027-01-10"))
    payment = make.settle("late", "2027-01-11")
    assert books() == {
        "receivable": 900_00,
        "cash:sandbox": 900_00,
        "surplus": -900_00,
        "deferred_revenue": -900_00,
    }
    actions.refund_surplus(payment_id=payment, now=make.at("2027-01-11"))
    from broadsheet.payments.adapters import RefundResult

    key = "surplus:late"
    actions.apply_refund_result(key=key, result=RefundResult("succeeded", "r"), now=make.at("2027-01-11"))
    assert books() == {"receivable": 900_00, "deferred_revenue": -900_00}


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute(won):
    payment = make.pay(quarter(make.reader(), 900_00, NO_TAX), "2027-01-10")
    actions.open_dispute(payment_id=payment, provider_ref="d1", amount_minor=900_00, now=make.at("2027-01-20"))
    assert books() == {"disputed": 900_00, "deferred_revenue": -900_00}
    actions.close_dispute(provider_ref="d1", won=won, now=make.at("2027-01-31"))
    if won:
        assert books() == {"cash:sandbox": 900_00, "deferred_revenue": -900_00}
    else:
        assert books() == {"revenue": -210_00, "bad_debt": 210_00}


def test_what_a_change_leaves_over_is_the_readers_credit_with_its_tax():
    reader = make.reader()
    make.pay(make.bill(reader, make.line(2_700_00, "2027-01-10", "2028-01-10"), on="2027-01-10"), "2027-01-10")
    make.bill(
        reader,
        make.line(900_00, "2027-01-11", "2027-04-11"),
        make.line(-2_692_60, "2027-01-11", "2028-01-10", kind="unused"),
        make.line(1_792_60, kind="carried"),
        on="2027-01-11",
    )
    give(reader, 1_792_60, "change", on="2027-01-11")
    assert books()["customer_credit"] == -1_792_60
    assert "credit_carried" not in books()
    assert "receivable" not in books()
    # A day of the year and the quarter are sold: their tax is due, and no other.
    assert -books()["tax_payable:igst"] == pytest.approx((907_40) * 18 / 118, abs=1)
    close("2028-02-01")
    assert -books()["revenue"] == pytest.approx(907_40 / 1.18, abs=1)
    assert "deferred_revenue" not in books()


def test_lines_of_an_invoice_with_a_discount_are_deferred_net_of_it():
    make.bill(
        make.reader(),
        make.line(900_00, "2027-01-10", "2027-04-10"),
        make.line(-450_00, "2027-01-10", "2027-04-10", kind="discount"),
        on="2027-01-10",
    )
    assert books() == {"receivable": 450_00, "tax_payable:igst": -68_64, "deferred_revenue": -381_36}
    close("2027-05-01")
    assert books()["revenue"] == -381_36


def test_what_is_earned_follows_the_days_that_were_bought():
    bill = quarter(make.reader(), 900_00, NO_TAX)
    actions.set_period(invoice_id=bill.id, period_start=make.day("2027-01-20"), period_end=make.day("2027-04-20"))
    close("2027-02-01")
    assert books()["revenue"] == -120_00
    close("2027-05-01")
    assert books() == {"receivable": 900_00, "revenue": -900_00}


def test_a_gift_is_earned_from_its_redemption():
    bill = make.bill(make.reader(), make.line(900_00), on="2027-01-10", taxed=NO_TAX, kind="gift")
    make.pay(bill, "2027-01-10")
    assert close("2030-01-01") == 0
    assert books() == {"cash:sandbox": 900_00, "deferred_revenue": -900_00}
    actions.earn_over(invoice_id=bill.id, start=make.day("2030-01-10"), end=make.day("2030-04-10"))
    assert [close(day) for day in ("2030-02-01", "2030-03-01")] == [1, 1]
    assert books()["revenue"] == -500_00
    close("2030-06-01")
    assert books() == {"cash:sandbox": 900_00, "revenue": -900_00}


def test_tax_on_top_is_no_revenue():
    make.tax("vat20", "vat", 2000)
    make.bill(
        make.reader(),
        make.line(100_00, "2027-02-01", "2027-03-01"),
        on="2027-02-01",
        taxed=Taxed("vat20", inclusive=False),
    )
    assert books() == {"receivable": 120_00, "tax_payable:vat": -20_00, "deferred_revenue": -100_00}


def test_a_fee_is_kept_from_the_tills_cash():
    for _ in range(2):
        ledger.book_fee(
            key="f1", provider="sandbox", amount_minor=17_70, currency="INR", text="Fee", now=make.at("2027-01-10")
        )
    assert books() == {"fees": 17_70, "cash:sandbox": -17_70}


def test_everything_is_booked_once_however_often_it_is_called():
    reader = make.reader()
    give(reader, 50_00)
    bill = quarter(reader)
    payment = make.pay(bill, "2027-01-10")
    make.send_back(payment, 100_00, "2027-01-11")
    before = (JournalEntry.objects.count(), books())
    invoice = Invoice.objects.get(pk=bill.id)
    ledger.book_invoice(invoice=invoice, now=make.at("2027-01-12"))
    ledger.book_credit_used(invoice=invoice, amount_minor=50_00, now=make.at("2027-01-12"))
    row = invoice.payments.get()
    ledger.book_payment(payment=row, invoice=invoice, amount_minor=1, now=make.at("2027-01-12"))
    ledger.book_note(note=invoice.notes.get(), now=make.at("2027-01-12"))
    ledger.book_refund(refund=row.refunds.get(), now=make.at("2027-01-12"))
    give(reader, 50_00)
    assert (JournalEntry.objects.count(), books()) == before


def test_the_books_are_only_added_to():
    quarter(make.reader())
    entry, line = JournalEntry.objects.get(), JournalLine.objects.first()
    for row in (entry, line):
        with pytest.raises(TypeError, match="only added"):
            row.save()
        with pytest.raises(TypeError, match="never deleted"):
            row.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalEntry.objects.create(key=entry.key, booked_on=entry.booked_on, at=entry.at, text="x", currency="INR")
    assert books()["receivable"] == 900_00


def test_an_entry_that_does_not_balance_is_found_and_so_is_a_wrong_deferral():
    quarter(make.reader())
    assert list(ledger.check_journal()) == []
    JournalLine.objects.filter(account="receivable").update(amount_minor=900_01)
    Deferral.objects.update(amount_minor=762_70)
    assert [(bad.rule, bad.what) for bad in ledger.check_journal()] == [
        ("journal_balances", f"invoice:{Invoice.objects.get().pk}"),
        ("deferred_revenue_is_of_lines", "INR"),
    ]


class Life:
    """A random life of one reader's invoices, walked through the actions."""

    def __init__(self, data: st.DataObject) -> None:
        self.data, self.today, self.count = data, date(2027, 1, 10), 0
        self.reader = make.reader(state=data.draw(st.sampled_from(["Delhi", "Kerala"])))

    @property
    def now(self):
        return make.at(str(self.today))

    def key(self) -> str:
        self.count += 1
        return f"k{self.count}"

    def one(self, **fields):
        rows = list(Invoice.objects.filter(**fields).order_by("id"))
        return self.data.draw(st.sampled_from(rows)) if rows else None

    def walk(self) -> None:
        self.today += timedelta(days=self.data.draw(st.integers(0, 70)))
        ledger.recognise_revenue(until=self.today, now=self.now)

    def sell(self) -> None:
        days = self.data.draw(st.integers(1, 740))
        amount = self.data.draw(st.integers(1, 5_000_00))
        end = self.today + timedelta(days=days)
        lines = [Line("Plan", amount, "plan", 1, self.today, end)]
        if self.data.draw(st.booleans()):
            lines.append(Line("Less", -self.data.draw(st.integers(0, amount)), "discount", 1, self.today, end))
        elif self.data.draw(st.booleans()):
            unused = self.data.draw(st.integers(0, 2 * amount))
            lines.append(Line("Unused", -unused, "unused", 1, self.today, end + timedelta(days=9)))
            if unused > amount:
                lines.append(Line("Carried", unused - amount, "carried"))
                give(self.reader, unused - amount, "change", str(self.today), self.key())
        actions.open_invoice(
            reader_id=self.reader, subject="subscription:1", kind="period", period_index=None, period_start=self.today,
            period_end=end, currency="INR", lines=lines, taxed=Taxed("gst18", inclusive=True), now=self.now,
        )  # fmt: skip

    def pay(self) -> None:
        bill = self.one(status="open")
        if bill:
            make.pay(bill, str(self.today), self.key())

    def pay_by_hand(self) -> None:
        bill = self.one(status="open")
        if bill:
            amount = self.data.draw(st.integers(1, 2 * bill.total_minor))
            actions.pay_by_hand(invoice_id=bill.pk, key=self.key(), amount_minor=amount, reference="UTR", now=self.now)

    def give_up(self) -> None:
        bill = self.one(status="open")
        if bill:
            late = self.data.draw(st.booleans())
            if late:
                key = self.key()
                actions.begin_payment(invoice_id=bill.pk, key=key, kind="checkout", mandate_id=None, now=self.now)
            leave = self.data.draw(st.sampled_from([actions.void_invoice, actions.mark_uncollectible]))
            leave(invoice_id=bill.pk, now=self.now)
            if late:
                self.walk()
                make.settle(key, str(self.today))

    def give(self) -> None:
        give(self.reader, self.data.draw(st.integers(1, 900_00)), "goodwill", str(self.today), self.key())

    def take_back(self) -> None:
        rows = [
            row
            for row in Payment.objects.filter(status="succeeded", surplus=False)
            if row.refunded_minor < row.amount_minor
        ]
        if not rows:
            return
        row = self.data.draw(st.sampled_from(rows))
        amount = self.data.draw(st.integers(1, row.amount_minor - row.refunded_minor))
        ends = self.data.draw(st.sampled_from(["", str(self.today), str(self.today + timedelta(days=1))]))
        with suppress(actions.RefundRefusedError):
            make.send_back(row.pk, amount, str(self.today), adjust=self.data.draw(st.booleans()), unearned_from=ends)

    def dispute(self) -> None:
        row = Payment.objects.filter(status="succeeded", surplus=False).order_by("-id").first()
        if row and not row.disputes.exists():
            ref = self.key()
            actions.open_dispute(payment_id=row.pk, provider_ref=ref, amount_minor=row.amount_minor, now=self.now)
            self.walk()
            actions.close_dispute(provider_ref=ref, won=self.data.draw(st.booleans()), now=self.now)


STEPS = [Life.walk, Life.sell, Life.sell, Life.pay, Life.pay, Life.pay_by_hand, Life.give_up, Life.give, Life.take_back,
         Life.dispute]  # fmt: skip


@settings_of_hypothesis(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_happens_the_books_agree_with_the_documents(data):
    with transaction.atomic():
        life = Life(data)
        life.sell()
        for _ in range(data.draw(st.integers(1, 12))):
            data.draw(st.sampled_from(STEPS))(life)
            assert list(violations()) == []
        ledger.recognise_revenue(until=life.today + timedelta(days=900), now=life.now)
        assert list(violations()) == []
        assert not Deferral.objects.exclude(due_on=None).exists()
        assert "deferred_revenue" not in books()
        transaction.set_rollback(True)
