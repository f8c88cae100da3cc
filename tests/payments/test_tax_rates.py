"""Rates by day and country, and the place of supply that decides which tax it is."""

from __future__ import annotations

import dataclasses

import pytest

from broadsheet.payments import actions, documents
from broadsheet.payments.models import TaxRate
from broadsheet.payments.places import STATES, clean_gstin, clean_pin, profile_errors, state_code, state_named
from broadsheet.payments.queries import tax_rate_on
from broadsheet.payments.values import Taxed
from broadsheet.server.options import OPTIONS
from tests.payments import make_money as make


def rate(code: str, on: str, country: str = "IN") -> int | None:
    row = tax_rate_on(code, country, make.day(on))
    return row.rate_bp if row else None


def rows():
    return list(TaxRate.objects.values())


@pytest.mark.django_db
def test_a_new_paper_knows_indias_rates_from_the_day_the_tax_began():
    TaxRate.objects.all().delete()
    actions.ensure_default_taxes()
    assert [
        (rate(code, "2017-07-01"), rate(code, "2027-01-01"), rate(code, "2017-06-30")) for code in ("news", "epaper")
    ] == [
        (1800, 1800, None),
        (1800, 1800, None),
    ]
    assert {row["sac"] for row in rows()} == {"998431"}
    actions.set_tax_rate(code="news", kind="gst", rate_bp=500, valid_from=make.day("2027-04-01"))
    before = rows()
    actions.ensure_default_taxes()
    assert rows() == before


@pytest.mark.django_db
def test_a_rate_holds_until_the_next_and_documents_keep_theirs(settings):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, publisher_state="Delhi")
    actions.set_tax_rate(code="x", kind="gst", rate_bp=1800, valid_from=make.day("2020-01-01"))
    reader = make.reader()
    old = make.bill(reader, make.line(900_00), on="2027-03-31", taxed=Taxed("x"))
    actions.set_tax_rate(code="x", kind="gst", rate_bp=500, valid_from=make.day("2027-04-01"))
    new = make.bill(reader, make.line(900_00), on="2027-04-01", taxed=Taxed("x"))
    assert (rate("x", "2027-03-31"), rate("x", "2027-04-01"), rate("x", "2019-12-31")) == (1800, 500, None)
    taxes = [documents.invoice_document(bill.number).sums[1].text for bill in (old, new)]
    assert taxes == ["IGST at 18 %", "IGST at 5 %"]


@pytest.mark.django_db
def test_a_countrys_own_rate_comes_before_the_one_for_all():
    actions.set_tax_rate(code="x", kind="gst", rate_bp=1800, valid_from=make.day("2020-01-01"))
    actions.set_tax_rate(code="x", kind="vat", rate_bp=700, country="DE", valid_from=make.day("2020-01-01"))
    assert (rate("x", "2027-01-01"), rate("x", "2027-01-01", "DE"), rate("x", "2027-01-01", "FR")) == (1800, 700, 1800)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [{"kind": "sales"}, {"rate_bp": -1}, {"rate_bp": 10_001}, {"valid_from": make.day("2020-01-01")}],
)
def test_a_rate_that_makes_no_sense_changes_nothing(fields):
    actions.set_tax_rate(code="x", kind="gst", rate_bp=1800, valid_from=make.day("2020-01-01"))
    before = rows()
    with pytest.raises(ValueError, match=r"no tax|hundredths|already"):
        actions.set_tax_rate(
            **{"code": "x", "kind": "gst", "rate_bp": 500, "valid_from": make.day("2027-01-01"), **fields}
        )
    assert rows() == before


def test_states_have_their_codes():
    assert len(STATES) == len(set(STATES.values())) == 36
    assert (state_named("  tamil  NADU "), state_named("Jammu & Kashmir"), state_named("Bavaria")) == (
        "Tamil Nadu",
        "Jammu and Kashmir",
        None,
    )
    assert [state_code(place) for place in ("Delhi", "DE", "IN", "", "Nowhere")] == ["07", "96", "", "", ""]


@pytest.mark.parametrize("text", ["560001", "560 001", " 560001 "])
def test_a_pin_code(text):
    assert clean_pin(text) == "560001"


@pytest.mark.parametrize("text", ["056001", "56001", "5600011", "abcdef", "५६०००१", ""])
def test_what_is_no_pin_code(text):
    with pytest.raises(ValueError, match="six digits"):
        clean_pin(text)


def test_a_gstin_is_checked_to_its_last_character_and_against_the_state():
    assert clean_gstin("29aaacr4849r2zg") == "29AAACR4849R2ZG"
    assert clean_gstin("29AAACR4849R2ZG", "Karnataka") == "29AAACR4849R2ZG"
    with pytest.raises(ValueError, match="check digit"):
        clean_gstin("29AAACR4849R2ZH")
    with pytest.raises(ValueError, match="begins with 29; one of Delhi begins with 07"):
        clean_gstin("29AAACR4849R2ZG", "delhi")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"state": "karnataka", "pin": "560 001", "gstin": "29aaacr4849r2zg"}, set()),
        ({"state": "Karnataka"}, set()),
        ({}, {"state"}),
        ({"state": "Bavaria", "pin": "1", "gstin": "x"}, {"state", "pin", "gstin"}),
        ({"state": "Delhi", "gstin": "29AAACR4849R2ZG"}, {"gstin"}),
        ({"country": "DE", "pin": "10115"}, set()),
        ({"country": "DE", "gstin": "29AAACR4849R2ZG"}, {"gstin"}),
    ],
)
def test_whom_an_invoice_names(fields, wrong):
    assert set(profile_errors(fields)) == wrong


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("publisher_state", [("karnataka", "Karnataka"), ("", "")], "Bavaria"),
        ("publisher_gstin", [("29aaacr4849r2zg", "29AAACR4849R2ZG"), ("", "")], "29AAACR4849R2ZH"),
        ("publisher_sac", [("998431", "998431"), (9984, "9984")], "news"),
    ],
)
def test_the_publishers_own_options(name, good, bad):
    (option,) = [option for option in OPTIONS if option.name == name]
    assert [option.parse(given) for given, _ in good] == [wanted for _, wanted in good]
    with pytest.raises(ValueError):
        option.parse(bad)
