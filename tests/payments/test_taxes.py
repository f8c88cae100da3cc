"""Tax to the paisa: the figures of a tax consultant, and what holds for every amount and rate."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.payments.taxes import KINDS, TaxSplit, part_of, share, split

AMOUNTS = st.integers(min_value=-(10**12), max_value=10**12)
PRICES = st.integers(min_value=0, max_value=10**12)
RATES = st.integers(min_value=0, max_value=50_00)


@pytest.mark.parametrize(
    ("amount", "intra", "taxable", "parts"),
    [
        (900_00, True, 762_72, (("cgst", 68_64), ("sgst", 68_64))),
        (900_00, False, 762_71, (("igst", 137_29),)),
        (450_00, True, 381_36, (("cgst", 34_32), ("sgst", 34_32))),
        (2_700_00, False, 2_288_14, (("igst", 411_86),)),
        (3_900_00, False, 3_305_08, (("igst", 594_92),)),
        (0, True, 0, (("cgst", 0), ("sgst", 0))),
        (1, True, 1, (("cgst", 0), ("sgst", 0))),
    ],
)
def test_gst_inside_the_price(amount, intra, taxable, parts):
    made = split(amount, kind="gst", rate_bp=1800, inclusive=True, intra=intra)
    assert made == TaxSplit(taxable, amount - taxable, parts)


def test_gst_on_top():
    assert split(762_71, kind="gst", rate_bp=1800, inclusive=False, intra=True).parts == (
        ("cgst", 68_64),
        ("sgst", 68_64),
    )
    assert split(762_71, kind="gst", rate_bp=1800, inclusive=False, intra=False).total_minor == 900_00


@pytest.mark.parametrize(
    ("net", "tax"),
    [(25_00, 5_00), (193_33, 48_33), (154_67, 38_67), (8_06, 2_02)],
)
def test_tax_on_top_of_a_prorated_amount(net, tax):
    rate = 20_00 if net == 25_00 else 25_00
    assert split(net, kind="simple", rate_bp=rate, inclusive=False, intra=False) == TaxSplit(net, tax, (("tax", tax),))


def test_no_tax_is_no_part_and_a_rate_of_nothing_is_a_part_of_nothing():
    assert split(900_00, kind="none", rate_bp=1800, inclusive=True, intra=True) == TaxSplit(900_00, 0)
    assert split(900_00, kind="gst", rate_bp=0, inclusive=True, intra=False) == TaxSplit(900_00, 0, (("igst", 0),))


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        split(1, kind="gst", rate_bp=-1, inclusive=True, intra=True)
    with pytest.raises(ValueError, match="no tax of the kind"):
        split(1, kind="sales", rate_bp=1, inclusive=True, intra=True)


@given(AMOUNTS, st.sampled_from(KINDS), RATES, st.booleans(), st.booleans())
def test_every_split_adds_up_and_a_credit_mirrors_its_charge(amount, kind, rate, inclusive, intra):
    made = split(amount, kind=kind, rate_bp=rate, inclusive=inclusive, intra=intra)
    assert sum(part for _, part in made.parts) == made.tax_minor
    assert (made.total_minor if inclusive else made.taxable_minor) == amount
    mirrored = split(-amount, kind=kind, rate_bp=rate, inclusive=inclusive, intra=intra)
    assert mirrored == TaxSplit(-made.taxable_minor, -made.tax_minor, tuple((name, -part) for name, part in made.parts))
    assert all(part * amount >= 0 for _, part in made.parts)


@given(PRICES, RATES, st.booleans())
def test_both_halves_of_gst_are_equal_and_within_half_a_paisa(amount, rate, inclusive):
    made = split(amount, kind="gst", rate_bp=rate, inclusive=inclusive, intra=True)
    (_, central), (_, state) = made.parts
    exact = Fraction(amount * rate, 2 * (10_000 + rate if inclusive else 10_000))
    assert central == state
    assert abs(central - exact) <= Fraction(1, 2)
    other = split(amount, kind="gst", rate_bp=rate, inclusive=inclusive, intra=False)
    assert abs(other.tax_minor - made.tax_minor) <= 1


@given(AMOUNTS, st.integers(0, 10**6), st.integers(1, 10**6))
def test_shares_are_the_nearest_and_halves_go_away_from_zero(amount, numerator, denominator):
    exact = Fraction(amount * numerator, denominator)
    made = share(amount, numerator, denominator)
    assert abs(made - exact) <= Fraction(1, 2)
    if abs(made - exact) == Fraction(1, 2):
        assert abs(made) > abs(exact)


@given(st.integers(1, 10**9), st.sampled_from(["gst", "vat"]), RATES, st.booleans(), st.data())
def test_notes_in_any_steps_take_back_exactly_the_whole(amount, kind, rate, inclusive, data):
    whole = split(amount, kind=kind, rate_bp=rate, inclusive=inclusive, intra=True)
    taken = TaxSplit(0, 0, tuple((name, 0) for name, _ in whole.parts))
    for turn in range(12):
        left = whole.total_minor - taken.total_minor
        if not left:
            break
        steps = st.one_of(st.integers(1, left), st.integers(1, min(left, 3)))
        step = left if turn == 11 else data.draw(steps)
        note = part_of(whole, step, taken=taken)
        assert note.total_minor == step
        assert note.taxable_minor >= 0
        assert sum(part for _, part in note.parts) == note.tax_minor
        names = dict(taken.parts)
        parts = tuple((name, names[name] + part) for name, part in note.parts)
        taken = TaxSplit(taken.taxable_minor + note.taxable_minor, taken.tax_minor + note.tax_minor, parts)
    assert taken == whole


def test_notes_of_one_paisa_each_take_back_the_whole_too():
    whole = split(1_00, kind="gst", rate_bp=18_00, inclusive=True, intra=True)
    taken = TaxSplit(0, 0, (("cgst", 0), ("sgst", 0)))
    for _ in range(1_00):
        note = part_of(whole, 1, taken=taken)
        assert note.taxable_minor >= 0
        parts = tuple((name, part + more) for (name, part), (_, more) in zip(taken.parts, note.parts, strict=True))
        taken = TaxSplit(taken.taxable_minor + note.taxable_minor, taken.tax_minor + note.tax_minor, parts)
    assert taken == whole


def test_more_than_is_left_cannot_be_taken_back():
    whole = split(900_00, kind="gst", rate_bp=1800, inclusive=True, intra=True)
    with pytest.raises(ValueError, match="30000 of 90000 is left"):
        part_of(whole, 400_00, taken=part_of(whole, 600_00))


def test_a_note_over_a_part_carries_its_share_of_the_tax():
    whole = split(100_00, kind="simple", rate_bp=20_00, inclusive=False, intra=False)
    assert part_of(whole, 30_00) == TaxSplit(25_00, 5_00, (("tax", 5_00),))
