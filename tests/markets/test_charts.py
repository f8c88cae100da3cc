"""Charts as text: what is drawn is what was handed in, for whoever sees it and whoever hears it."""

import re
import time
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from broadsheet.markets import charts, figures, pictures, scales
from broadsheet.markets.charting import chart_plot, chart_view, in_range
from broadsheet.markets.charts import NARROW, WIDE, Mark, Plot, line_chart
from broadsheet.markets.values import SCALE, Bar, Quote, StoryMark

SVG = "{http://www.w3.org/2000/svg}"
LAST = date(2026, 11, 20)


def weekdays(count, last=LAST):
    days, day = [], last
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]


def bars(closes, last=LAST, volume=1000):
    return [
        Bar(day, round(close * SCALE), volume=volume)
        for day, close in zip(weekdays(len(closes), last), closes, strict=False)
    ]


def quote(**fields):
    return Quote(**{"code": "nse-tidewater", "name": "Tide & Water <Ltd>", "kind": "equity", "exchange": "NSE",
                    "symbol": "TIDEWATER", "currency": "INR", "decimals": 2, "day": LAST, "close": 1_234_567_000,
                    "prev_close": 1_220_000_000, "change": 14_567_000, "change_bp": 119, **fields})  # fmt: skip


def plot(values, **fields):
    return Plot(
        **{"days": weekdays(len(values)), "values": values, "title": "A title", "words": "Some words", **fields}
    )


def points(svg):
    """The line's places, from its steps."""
    path = svg.find(f".//{SVG}path[@class='chart-line']").get("d")
    start, _, rest = path[1:].partition("l")
    x, y = map(float, start.split())
    places = [(x, y)]
    numbers = [float(one) for one in re.findall(r"-?[\d.]+(?:e-?\d+)?", rest)]
    for dx, dy in zip(numbers[::2], numbers[1::2], strict=False):
        x, y = x + dx, y + dy
        places.append((x, y))
    return places


def test_the_line_goes_where_the_values_go_to_a_tenth_of_a_pixel():
    values = [100.0, 140.0, 90.0, 90.0, 120.0]
    svg = ET.fromstring(line_chart(plot(values)))
    left, _, right, bottom, low, high, count = map(float, svg.get("data-frame").split())
    top = charts._TOP
    assert count == 5
    for n, (x, y) in enumerate(points(svg)):
        assert x == pytest.approx(left + (right - left) * n / 4, abs=0.06)
        assert y == pytest.approx(bottom - (bottom - top) * (values[n] - low) / (high - low), abs=0.06)


@pytest.mark.parametrize(("size", "most"), [(WIDE, 11_000), (NARROW, 7_500)])
@pytest.mark.parametrize("count", [2, 22, 250, 1250, 7500])
def test_a_chart_is_small_and_fast_however_many_days_it_shows(count, size, most):
    values = [1000 + (n * 7919 % 613) for n in range(count)]
    shown = plot(values, volumes=[float(1 + n % 9) for n in range(count)], before=999.0)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        text = line_chart(shown, size)
        took.append(time.perf_counter() - began)
    assert len(text) < most
    assert min(took) < 0.003 + count * 3e-6  # a millisecond on a quiet core; thirty years are read through once


def test_no_peak_is_lost_when_a_long_line_is_thinned():
    values = [500.0] * 5000
    values[1234], values[4001] = 900.0, 100.0
    kept = scales.thinned(values, 300)
    assert len(kept) <= 302
    assert {0, 1234, 4001, 4999} <= set(kept)


def test_who_listens_hears_title_and_words_and_no_markup_gets_through():
    text = line_chart(plot([1.0, 2.0], title="Tide & Water <Ltd>", marks=[Mark(1, "A", "<b>News</b>")]), key="q")
    svg = ET.fromstring(text)
    assert svg.get("role") == "img"
    ids = [svg.get("aria-labelledby"), svg.get("aria-describedby")]
    said = [svg.find(f".//*[@id='{name}']").text for name in ids]
    assert said == ["Tide & Water <Ltd>", "Some words"]
    assert svg.find(f".//{SVG}g/{SVG}title").text == "<b>News</b>"
    assert "style=" not in text
    assert "<script" not in text


def test_the_colour_of_a_line_is_said_by_its_class_and_measured_from_the_close_before():
    assert 'class="chart chart-wide is-up"' in line_chart(plot([100.0, 99.0], before=98.0))
    assert 'class="chart chart-wide is-down"' in line_chart(plot([100.0, 99.0]))


def test_marks_that_share_a_day_stand_above_each_other():
    svg = ET.fromstring(line_chart(plot([1.0, 2.0, 3.0], marks=[Mark(1, "A", "a"), Mark(1, "B", "b")])))
    places = [(one.get("cx"), one.get("cy")) for one in svg.iter(f"{SVG}circle") if one.get("r") == "8.5"]
    assert len(set(places)) == 2
    assert places[0][0] == places[1][0]


def test_one_line_needs_two_days():
    with pytest.raises(ValueError):
        line_chart(plot([1.0]))
    assert chart_view(quote(), bars([5]), "1y") is None
    assert charts.sparkline([3]) == ""


@pytest.mark.parametrize(("low", "high", "most", "labels"), [
    (90.3, 131.0, 5, ["100", "110", "120", "130"]),
    (1_234_000, 1_651_000, 5, ["13,00,000", "14,00,000", "15,00,000", "16,00,000"]),
    (-0.31, 0.42, 4, ["\u22120.2", "0.0", "0.2", "0.4"]),
    (83.2, 83.51, 4, ["83.2", "83.3", "83.4", "83.5"]),
    (5, 5, 4, []),
])  # fmt: skip
def test_an_axis_has_round_values_in_indian_groups(low, high, most, labels):
    assert [tick.label for tick in scales.value_ticks(low, high, most)] == labels


def test_days_are_marked_where_a_week_a_month_or_a_year_begins():
    assert [t.label for t in scales.day_ticks(weekdays(22), 5)] == ["26 Oct", "2 Nov", "9 Nov", "16 Nov"]
    year = scales.day_ticks(weekdays(261), 7)
    assert [t.label for t in year] == ["Jan 2026", "Mar", "May", "Jul", "Sep", "Nov"]
    assert [t.label for t in scales.day_ticks(weekdays(1300), 5)] == ["2022", "2023", "2024", "2025", "2026"]
    days = weekdays(261)
    assert all(days[int(t.at)].month != days[int(t.at) - 1].month for t in year)


def test_volumes_are_summed_to_bars_that_can_be_seen_and_nothing_is_lost():
    days = weekdays(1250)
    name, bars_ = scales.heaps(days, [1.0] * 1250, [2.0] * 1250, 100)
    assert name == "monthly"
    assert sum(bar.volume for bar in bars_) == 2500.0
    assert len(bars_) <= 100
    assert scales.heaps(days[:20], [1.0] * 20, [2.0] * 20, 100)[0] == "daily"


def test_a_range_begins_at_the_close_its_return_is_measured_against():
    some = bars([100 + n for n in range(300)])
    chosen = in_range(some, "1m")
    assert chosen[0].day == date(2026, 10, 20)
    holiday = [bar for bar in some if bar.day != date(2026, 10, 20)]
    assert in_range(holiday, "1m")[0].day == date(2026, 10, 19)
    assert in_range(some, "max") is some
    assert in_range(some[-3:], "5y") == some[-3:]


def test_a_chart_says_in_words_and_rows_what_it_draws():
    view = chart_view(quote(), bars([100, 130, 80, 110]), "1m")
    assert view.words == (
        "From 100.00 on 17 Nov 2026 to 110.00 on 20 Nov 2026: up 10.00 percent. "
        "Highest close 130.00 on 18 Nov 2026, lowest 80.00 on 19 Nov 2026."
    )
    assert [(row.day.day, row.close // SCALE, row.change_bp) for row in view.rows] == [
        (20, 110, 3750), (19, 80, -3846), (18, 130, 3000), (17, 100, None)
    ]  # fmt: skip
    assert view.figures["close"] == [100.0, 130.0, 80.0, 110.0]


def test_a_long_table_is_short_and_its_volumes_add_up():
    view = chart_view(quote(), bars([100 + n % 7 for n in range(1000)], volume=3), "5y")
    assert len(view.rows) <= 32
    assert sum(row.volume for row in view.rows) == 3000
    assert view.rows[0].day == LAST


def story(day, number=1):
    return StoryMark(number, day, None, f"/economy/x-{number}", f"Story {number}", "", "metered", "economy")


def test_stories_are_marked_at_their_day_and_outside_the_range_not_at_all():
    some = bars([100, 101, 102, 103, 104])  # Monday 16 to Friday 20
    sunday, before = story(date(2026, 11, 22), 1), story(date(2026, 11, 13), 2)
    view = chart_view(quote(), some, "1m", stories=[sunday, story(date(2026, 11, 18), 3), before])
    assert [(letter, one.story_id) for letter, one in view.marked] == [("A", 1), ("B", 3)]
    marks = re.findall(r'data-mark="(.)"><title>([^<]*)', view.drawn[0])
    assert marks == [("B", "18 Nov 2026: Story 3"), ("A", "22 Nov 2026: Story 1")]


def test_two_instruments_are_compared_from_the_first_day_both_have_a_close():
    one, other = bars([100, 110, 120, 130]), bars([50, 55, 60], volume=None)[:]
    view = chart_view(quote(), one, "1m", versus=(quote(code="x", name="Other"), other))
    assert view.versus_bp == 2000
    assert view.figures["other"] == [None, 0.0, 10.0, 20.0]
    assert "Beside it Other: up 20.00 percent." in view.words
    none = chart_view(quote(), one, "1m", versus=(quote(code="x", name="Other"), []))
    assert none.versus_bp is None


def test_what_is_public_of_a_chart_has_no_volumes():
    some = bars([100, 101, 102], volume=987_654)
    for text in (
        *chart_view(quote(), some, "1y", public=True).drawn,
        pictures.chart(chart_plot(quote(), some, public=True)),
    ):
        assert "Volume" not in text
    assert "volume" not in chart_view(quote(), some, "1y", public=True).figures
    assert "Volume" in chart_view(quote(), some, "1y").drawn[0]


def test_pictures_bring_their_colours_and_their_policy_allows_exactly_them():
    one = quote(spark=tuple(range(100, 160)), generated=True)
    for text in (pictures.card(one), pictures.strip([one] * 9, pictures.STRIPS["wide"]),
                 pictures.chart(plot([1.0, 2.0]))):  # fmt: skip
        svg = ET.fromstring(text)
        style = svg.find(f"{SVG}style").text
        assert style in (pictures.CARD_STYLE, pictures.CHART_STYLE)
        assert "prefers-color-scheme:dark" in style
    card = pictures.card(one)
    assert "₹1,23,456.70" in card
    assert "▲ +1,456.70 (+1.19\u00a0%)" in card
    assert "Close of 20 Nov 2026, generated" in card
    assert 'aria-label="Tide &amp; Water &lt;Ltd&gt;: ₹1,23,456.70, up 1.19 percent on 20 Nov 2026"' in card
    assert "No price yet" in pictures.card(quote(day=None, close=None, change_bp=None, prev_close=None, change=None))


@pytest.mark.parametrize(("made", "text"), [
    (figures.price(1_234_567_000), "1,23,456.70"),
    (figures.price(832_150, 4), "83.2150"),
    (figures.price(-50), "\u22120.01"),
    (figures.price(-10), "0.00"),
    (figures.price(99_999_950), "10,000.00"),
    (figures.price(7_560_000_00, 0), "75,600"),
    (figures.change(122_950), "+12.30"),
    (figures.change(-4_500), "\u22120.45"),
    (figures.change(0), "0.00"),
    (figures.percent(125), "+1.25\u00a0%"),
    (figures.percent(-5), "\u22120.05\u00a0%"),
    (figures.percent(0), "0.00\u00a0%"),
    (figures.percent(4_210, signed=False), "42.10\u00a0%"),
    (figures.units(105_000), "10.5"),
    (figures.units(12_340_000), "1,234"),
    (figures.money(-12_345_670), "\u2212₹1,23,456.70"),
    (figures.money(100, signed=True), "+₹1.00"),
    (figures.large(12_345_000_000_00), "₹1,234.5\u00a0crore"),
    (figures.large(1_234_567_00), "₹12.3\u00a0lakh"),
    (figures.large(98_765_00), "₹98,765"),
    (figures.many(12_345_678), "1.2\u00a0crore"),
    (figures.grouped(0), "0"),
    (figures.grouped(1_00_00_000), "1,00,00,000"),
    (figures.price(None), "–"),
])  # fmt: skip
def test_figures_are_written_the_indian_way(made, text):
    assert made == text


def test_what_is_shown_of_a_rise_is_more_than_its_colour():
    assert [figures.arrow(n) for n in (5, -5, 0, None)] == ["▲", "▼", "◆", ""]
    assert figures.spoken(-119) == "down 1.19 percent"
