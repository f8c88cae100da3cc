"""Reading files: exact figures, dates however they are written, and no line lost whatever happens to a file."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.markets.lists import BSE_OLD, OLD, UDIFF, isin, old_row, udiff_row

from broadsheet.markets import files, judging
from broadsheet.markets.rows import BadValueError, days_of, decimal, isin_of

MON = date(2026, 10, 12)


@given(st.integers(-(10**14), 10**14))
def test_figures_are_exact(number):
    text = f"{'-' if number < 0 else ''}{abs(number) // 10_000}.{abs(number) % 10_000:04}"
    assert decimal(text, 4) == (number, False)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,23,456.50", 1_234_565_000), ("12,345", 123_450_000), (" ₹ 5 ", 50_000), ("Rs.7.5", 75_000), (".05", 500),
     ("-", None), ("", None), ("N.A.", None), ("1.00005", 10_001)],
)  # fmt: skip
def test_figures_as_people_write_them(text, number):
    assert decimal(text, 4)[0] == number


@pytest.mark.parametrize(
    "text", ["12,5", "1.2E+05", "1,2,3", "12.3.4", "0x10", "٣", "1 2", "9" * 16, "+5", "1.-5", "٫5"]
)
def test_a_figure_that_may_mean_several_is_none(text):
    with pytest.raises(BadValueError):
        decimal(text, 4)


@pytest.mark.parametrize("text", ["31-02-2026", "2026-13-01", "12-Foo-2026", "soon", "", "13/13/2026", "0"])
def test_no_day_is_no_day(text):
    with pytest.raises(BadValueError):
        days_of(text)


def test_a_day_that_may_be_two_says_so():
    assert days_of("07/08/2024") == (date(2024, 8, 7), date(2024, 7, 8))
    assert days_of("07/25/2024") == (date(2024, 7, 25),)
    assert days_of("2024-07-08T00:00:00") == (date(2024, 7, 8),)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("BhavCopy_NSE_CM_0_0_0_20240708_F_0000.csv.zip", date(2024, 7, 8)),
        ("cm05JUL2024bhav.csv", date(2024, 7, 5)),
        ("sec_bhavdata_full_05072024.csv", date(2024, 7, 5)),
        ("EQ_ISINCODE_050724.zip", date(2024, 7, 5)),
        ("NAVAll.txt", None),
        ("list-99999999.csv", None),
    ],
)
def test_the_day_in_a_name(name, day):
    assert files.day_in_name(name) == day


def test_the_check_digit_of_an_isin():
    assert isin_of(isin(7).lower()) == isin(7)
    wrong = isin(7)[:-1] + str((int(isin(7)[-1]) + 1) % 10)
    with pytest.raises(BadValueError, match="check digit"):
        isin_of(wrong)


def _sheet() -> list[str]:
    return [UDIFF, *(udiff_row(MON, f"S{n}", "10.50", "10", number=n) for n in range(4))]


@given(
    head=st.sampled_from(["udiff", "old", "bse"]),
    hurts=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 200), st.text(max_size=4)), max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.booleans(),
    cut=st.integers(0, 60),
)
@settings(max_examples=80, deadline=None)
def test_no_line_is_lost_and_nothing_raises(head, hurts, end, mark, cut):
    lines = {
        "udiff": _sheet(),
        "old": [OLD, *(old_row(MON, f"S{n}", "10.50", "10", number=n) for n in range(4))],
        "bse": [BSE_OLD, *(f"50000{n},S{n},A,Q,10,11,9,10.5,10.5,10,5,1000,10500.00," for n in range(4))],
    }[head]
    for place, at, text in hurts:
        kept = text.replace("\n", "").replace("\r", "")
        lines[place] = lines[place][:at] + kept + lines[place][at + len(kept) :]
    text = end.join(lines)
    data = ("\ufeff" if mark else "").encode() + text[: len(text) - cut].encode()
    try:
        sheet = files.read("EQ121026.CSV", data)
    except files.RefusedFileError:
        return
    full = [line for line in text[: len(text) - cut].split(end)[1:] if line.strip(" ,;\t|\x1a\ufeff")]
    assert sheet.lines <= len(full)
    assert sheet.lines + sum(line.startswith(lines[0][:20]) for line in full) >= len(full)
    assert all(row.close > 0 for row in sheet.rows)


@pytest.mark.parametrize(
    ("before", "after", "kind", "new", "old"),
    [(1_000, 200, "split", 5, 1), (1_000, 100, "split", 10, 1), (1_000, 500, "bonus", 1, 1), (900, 600, "bonus", 1, 2),
     (100, 1_000, "split", 1, 10), (1_000, 960, "dividend", 0, 0), (1_000, 1_040, "unknown", 0, 0)],
)  # fmt: skip
def test_what_a_new_base_price_may_mean(before, after, kind, new, old):
    found = judging.infer(before * 10_000, after * 10_000)
    assert (found.kind, found.new, found.old) == (kind, new, old)
