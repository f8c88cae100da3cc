"""Price files with the faults they really have: everything is in, or held with its reason, and the counts add up."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import pytest
from tests.markets.lists import BSE_OLD, isin, old, old_row, udiff, udiff_name, udiff_row

from broadsheet.markets.actions import desk, imports, snapshots
from broadsheet.markets.actions.personal import RefusedError
from broadsheet.markets.models import (
    CorporateAction,
    HeldRow,
    Holiday,
    Instrument,
    MarketDay,
    Price,
    PriceImport,
    SymbolChange,
)
from broadsheet.markets.queries import moved_to, quote, series

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
MON, TUE, WED, THU, FRI, SAT = (date(2026, 10, day) for day in range(12, 18))


@pytest.fixture(autouse=True)
def calendar_of_the_test():
    """A calendar without holidays but one, so that the tests' days are market days."""
    Holiday.objects.all().delete()
    Holiday.objects.create(exchange="NSE", day=date(2026, 1, 26), name="Republic Day")


def take(name: str, data: bytes, **said):
    [report] = imports.take_file(name=name, data=data, now=NOW, came_by="command", **said)
    counted = report.rows_new + report.rows_changed + report.rows_same + report.rows_held + report.rows_skipped
    assert counted == report.rows_read
    if report.status == "done":
        assert sum(report.reasons.values()) == report.rows_held + report.rows_skipped
        assert HeldRow.objects.filter(source=report.import_id).count() == report.rows_held
    return report


def day_list(day: date, *rows: str, **said):
    return take(udiff_name(day), udiff(*rows), **said)


def closes(code: str) -> list[int]:
    return list(Price.objects.filter(instrument__code=code).order_by("day").values_list("close", flat=True))


def held() -> list[tuple[str, str]]:
    return list(HeldRow.objects.order_by("pk").values_list("reason", "status"))


def test_a_list_is_taken_in_exactly():
    report = day_list(
        MON,
        udiff_row(MON, "TIDE", "1234.55", "1200.00", open_="1201.05", high="1250.00", low="1199.95", volume=54_321),
    )
    assert (report.status, report.layout, report.exchange, report.day) == ("done", "udiff", "NSE", MON)
    assert (report.rows_read, report.rows_new, report.rows_held) == (1, 1, 0)
    price = Price.objects.get(instrument__code="nse-tide")
    assert (price.open, price.high, price.low, price.close) == (12_010_500, 12_500_000, 11_999_500, 12_345_500)
    assert (price.prev_close, price.volume, price.value_minor, price.trades) == (12_000_000, 54_321, 543_210_050, 12)
    quoted = quote("nse-tide")
    assert (quoted.name, quoted.isin, quoted.change, quoted.change_bp) == ("TIDE LTD", isin(1), 345_500, 288)
    day = MarketDay.objects.get()
    assert (day.exchange, day.day, day.advances, day.declines) == ("NSE", MON, 1, 0)


def test_the_layout_before_udiff_goes_on_with_the_same_instrument():
    take("cm12OCT2026bhav.csv", old(old_row(MON, "TIDE", "100.00", "99.00")))
    report = day_list(TUE, udiff_row(TUE, "TIDE", "101.00", "100.00"))
    assert (report.rows_new, report.instruments_new, report.warnings) == (1, 0, ())
    assert closes("nse-tide") == [1_000_000, 1_010_000]
    assert Instrument.objects.get().name == "TIDE LTD"  # the older layout knew the symbol alone


def test_bse_before_udiff_takes_its_day_from_the_name_and_its_shares_by_scrip_code():
    row = "500001,TIDE LTD   ,A ,Q,10.00,11.00,9.00,10.50,10.50,10.00,5,1000,10500.00,"
    report = take("EQ121026.CSV", f"{BSE_OLD}\r\n{row}\r\n".encode())
    assert (report.layout, report.exchange, report.day, report.rows_new) == ("bse-bhav", "BSE", MON, 1)
    instrument = Instrument.objects.get()
    assert (instrument.code, instrument.exchange_code, instrument.name) == ("bse-500001", "500001", "TIDE LTD")
    udiff_bse = udiff(udiff_row(TUE, "TIDE", "10.60", "10.50", src="BSE", series="A", code="500001"))
    report = take(udiff_name(TUE, "BSE"), udiff_bse)
    assert (report.exchange, report.rows_new, report.instruments_new) == ("BSE", 1, 0)
    assert Instrument.objects.get().isin == isin(1)
    nameless = take("list.csv", f"{BSE_OLD}\n{row}\n".encode())
    assert (nameless.status, nameless.reason) == ("refused", "no_day")


def test_mark_line_ends_blanks_trailing_commas_and_thousands():
    rows = [
        'TIDE , EQ , "1,201.05" , 1250.00,1199.95,"1,234.55",1234,1200.00,"54,321",54321000.10,12-OCT-2026,12,'
        + isin(1) + ",,,",
        " ,,,,,,,,",
        "",
        "PINE,EQ,10,11,9,10.5,10.5,10,5,52.50,12-Oct-2026,1," + isin(2) + ",",
    ]  # fmt: skip
    data = (
        b"\xef\xbb\xbf"
        + "\r\n".join(
            ["SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,", *rows]
        ).encode()
    )
    report = take("cm12OCT2026bhav.csv", data)
    assert (report.rows_read, report.rows_new) == (2, 2)
    tide = Price.objects.get(instrument__code="nse-tide")
    assert (tide.close, tide.volume) == (12_345_500, 54_321)


@pytest.mark.parametrize(
    ("written", "day"),
    [("12-OCT-2026", MON), ("2026-10-12", MON), ("12/10/2026", MON), ("12-10-26", MON), ("10/12/2026", MON)],
)
def test_a_date_is_read_however_it_is_written_when_the_name_agrees(written, day):
    row = old_row(MON, "TIDE", "100.00", "99.00").replace("12-OCT-2026", written)
    report = take("cm12OCT2026bhav.csv", old(row))
    assert (report.day, report.rows_new) == (day, 1)


def test_a_name_and_rows_of_different_days_are_refused_until_somebody_says_which():
    data = old(old_row(TUE, "TIDE", "100.00", "99.00"))
    report = take("cm12OCT2026bhav.csv", data)
    assert (report.status, report.reason, Price.objects.count()) == ("refused", "wrong_day", 0)
    assert "2026-10-12" in report.detail
    assert "--day 2026-10-13" in report.detail
    assert take("cm12OCT2026bhav.csv", data, day=TUE).rows_new == 1
    assert take("again.csv", old(old_row(WED, "TIDE", "1", "1")), day=TUE).reason == "wrong_day"


def test_a_row_of_another_day_is_held():
    report = day_list(TUE, *(udiff_row(TUE, f"A{n}", "10", "10", number=n) for n in range(2, 5)), udiff_row(MON, "LATE", "10", "9", number=9))  # fmt: skip
    assert (report.day, report.rows_new, report.rows_held) == (TUE, 3, 1)
    assert held() == [("other_day", "waiting")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n <!DOCTYPE html><html><body>Sorry, the file is not available</body></html>", "html_page"),
        (b"PK\x03\x04" + b"\x00" * 60, "bad_zip"),
        (b"nothing,of,the,kind\n1,2,3,4\n", "unknown_layout"),
        (b"\xd0\xcf\x11\xe0\x00\x00\x00\x00spreadsheet", "not_text"),
        (old(), "no_rows"),
    ],
)
def test_what_is_no_price_file_is_refused_with_its_reason(data, reason):
    report = take("cm12OCT2026bhav.csv.zip" if reason == "bad_zip" else "cm12OCT2026bhav.csv", data)
    assert (report.status, report.reason) == ("refused", reason)
    assert (Price.objects.count(), Instrument.objects.count(), MarketDay.objects.count()) == (0, 0, 0)
    assert PriceImport.objects.get().status == "refused"
    take("again.csv", data)
    assert PriceImport.objects.count() == 1  # the same refusal is kept once


def test_a_zip_is_opened_and_a_cut_one_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(udiff_name(MON), udiff(*(udiff_row(MON, f"A{n}", "10", "10", number=n) for n in range(50))))
    assert take(udiff_name(MON) + ".zip", packed.getvalue()[:-200]).reason == "bad_zip"
    assert Price.objects.count() == 0
    assert take(udiff_name(MON) + ".zip", packed.getvalue()).rows_new == 50
    loose = udiff(*(udiff_row(MON, f"A{n}", "10", "10", number=n) for n in range(50)))
    assert take(udiff_name(MON), loose).status == "duplicate"  # the same bytes, unpacked


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"close": "-5.00"}, "negative"),
        ({"close": "0"}, "zero_price"),
        ({"close": ""}, "no_close"),
        ({"close": "12.3.4"}, "bad_value"),
        ({"close": "10", "high": "9", "low": "11", "open_": "10"}, "high_below_low"),
        ({"close": "12", "high": "11", "low": "9", "open_": "10"}, "close_outside"),
        ({"close": "10", "high": "11", "low": "9", "open_": "12"}, "open_outside"),
        ({"close": "10", "isin_": "INE001Q01019"}, "bad_value"),
        ({"close": "10", "volume": -4}, "negative"),
    ],
)
def test_a_row_that_cannot_be_is_held_and_the_others_are_in(said, reason):
    report = day_list(MON, udiff_row(MON, "WRONG", prev="10", number=7, **said), udiff_row(MON, "TIDE", "10", "10"))
    assert (report.rows_read, report.rows_new, report.rows_held) == (2, 1, 1)
    assert held() == [(reason, "waiting")]
    assert closes("nse-tide") == [100_000]
    assert not Instrument.objects.filter(code="nse-wrong").exists()


def test_a_line_with_columns_too_many_is_held():
    wide = old_row(MON, "TIDE", "100.00", "99.00").replace("100.00", "1,100.00", 1)  # a separator that shifts all
    report = take("cm12OCT2026bhav.csv", old(wide, old_row(MON, "PINE", "10", "10", number=2)))
    assert (report.rows_new, report.rows_held, held()) == (1, 1, [("columns", "waiting")])


def test_the_same_file_twice_is_one():
    first = day_list(MON, udiff_row(MON, "TIDE", "100", "99"))
    again = take("renamed.csv", udiff(udiff_row(MON, "TIDE", "100", "99")))
    assert (again.status, again.import_id) == ("duplicate", first.import_id)
    assert PriceImport.objects.count() == 1


def test_another_file_of_the_day_corrects_and_says_what():
    first = day_list(MON, udiff_row(MON, "TIDE", "100", "99"), udiff_row(MON, "PINE", "0", "5", number=2))
    day_list(TUE, udiff_row(TUE, "TIDE", "101", "100"))
    second = day_list(MON, udiff_row(MON, "TIDE", "100.50", "99"), udiff_row(MON, "PINE", "5", "5", number=2))
    assert (second.rows_changed, second.rows_new) == (1, 1)
    row = PriceImport.objects.get(pk=second.import_id)
    assert (row.replaces_id, row.changes) == (
        first.import_id, [{"code": "nse-tide", "day": "2026-10-12", "old": 1_000_000, "new": 1_005_000}],
    )  # fmt: skip
    assert PriceImport.objects.get(pk=first.import_id).status == "superseded"
    assert held() == [("zero_price", "replaced")]
    snapshots.refresh_stale()
    assert quote("nse-tide").returns_bp["1w"] is None
    assert closes("nse-tide") == [1_005_000, 1_010_000]
    back = day_list(MON, udiff_row(MON, "TIDE", "100", "99"), udiff_row(MON, "PINE", "0", "5", number=2))
    assert (back.status, back.rows_changed) == ("done", 1)  # the first file again, on purpose


def test_a_closed_day_is_refused_and_a_special_session_taken():
    Holiday.objects.create(exchange="NSE", day=TUE, name="Dussehra")
    assert day_list(TUE, udiff_row(TUE, "TIDE", "100", "99")).reason == "closed_day"
    report = day_list(SAT, udiff_row(SAT, "TIDE", "100", "99"))
    assert (report.reason, Price.objects.count()) == ("closed_day", 0)
    assert "Saturday" in report.detail
    Holiday.objects.create(exchange="NSE", day=SAT, name="Budget", is_open=True)
    assert day_list(SAT, udiff_row(SAT, "TIDE", "100", "99")).rows_new == 1
    said = take(udiff_name(TUE), udiff(udiff_row(TUE, "TIDE", "100", "99", volume=7)), day=TUE)
    assert said.rows_new == 1
    assert Holiday.objects.get(day=TUE).is_open


def test_a_day_to_come_is_refused():
    tomorrow = date(2026, 11, 23)
    assert day_list(tomorrow, udiff_row(tomorrow, "TIDE", "100", "99")).reason == "future"


def test_days_that_are_missing_are_named_and_nothing_is_guessed_across_them():
    day_list(MON, udiff_row(MON, "TIDE", "100", "99"))
    report = day_list(THU, udiff_row(THU, "TIDE", "104", "103"))
    assert any("2 market days before: 2026-10-13, 2026-10-14" in warning for warning in report.warnings)
    assert report.rows_new == 1


def test_yesterdays_list_under_todays_date_is_refused():
    rows = [(f"A{n}", n) for n in range(30)]
    day_list(MON, *(udiff_row(MON, name, "10", "9", number=n) for name, n in rows))
    report = day_list(TUE, *(udiff_row(TUE, name, "10", "10", number=n) for name, n in rows))
    assert (report.status, report.reason, MarketDay.objects.count()) == ("refused", "stale_copy", 1)


def test_a_new_symbol_is_the_same_share_and_its_old_name_leads_there():
    day_list(MON, udiff_row(MON, "TIDE", "100", "99"))
    report = day_list(TUE, udiff_row(TUE, "SILVER", "101", "100"))
    assert (report.instruments_new, closes("nse-tide")) == (0, [1_000_000, 1_010_000])
    assert Instrument.objects.get().symbol == "SILVER"
    assert moved_to("nse-tide") == "nse-tide"
    # An old file, later: the name it had then is not today's.
    day_list(date(2026, 10, 9), udiff_row(date(2026, 10, 9), "TIDE", "99", "98"))
    assert (Instrument.objects.get().symbol, SymbolChange.objects.count()) == ("SILVER", 1)


def test_boards_of_one_share_are_one_instrument():
    day_list(MON, udiff_row(MON, "TIDE", "100", "99", series="EQ"))
    day_list(TUE, udiff_row(TUE, "TIDE", "101", "100", series="BE"))
    assert closes("nse-tide") == [1_000_000, 1_010_000]
    assert Instrument.objects.get().series == "BE"
    both = day_list(
        WED, udiff_row(WED, "TIDE", "103", "101", series="BE"), udiff_row(WED, "TIDE", "102", "101", series="EQ")
    )
    assert (both.rows_new, both.rows_held, closes("nse-tide")[-1]) == (1, 1, 1_020_000)
    assert held() == [("other_series", "waiting")]


def test_doubles_are_skipped_when_equal_and_held_when_not():
    same = udiff_row(MON, "TIDE", "100", "99")
    report = day_list(MON, same, same, udiff_row(MON, "PINE", "5", "5", number=2), udiff_row(MON, "PINE", "6", "5", number=2))  # fmt: skip
    assert (report.rows_new, report.rows_held, report.rows_skipped) == (1, 2, 1)
    assert report.reasons == {"double_row": 2, "repeated row": 1}
    assert not Instrument.objects.filter(code="nse-pine").exists()


def test_bonds_are_counted_and_not_taken(settings):
    report = day_list(
        MON,
        udiff_row(MON, "TIDE", "100", "99"),
        udiff_row(MON, "TIDE", "1000", "999", series="N1", number=3),
        udiff_row(MON, "754GS2036", "101", "101", series="GS", number=4),
    )
    assert (report.rows_new, report.rows_skipped) == (1, 2)
    assert report.reasons == {"series N1": 1, "series GS": 1}


def test_a_symbol_that_another_company_has_now_is_not_mixed_up():
    day_list(MON, udiff_row(MON, "TIDE", "100", "99"))
    report = day_list(TUE, udiff_row(TUE, "TIDE", "55", "54", number=8))
    assert (report.rows_held, held(), closes("nse-tide")) == (1, [("isin_conflict", "waiting")], [1_000_000])
    desk.accept_held(held_id=HeldRow.objects.get().pk, by="Editor", now=NOW)
    assert (closes("nse-tide"), closes("nse-tide-2")) == ([1_000_000], [550_000])


def test_a_split_is_proposed_never_done_and_confirmed_it_adjusts():
    day_list(MON, udiff_row(MON, "TIDE", "1000", "990"))
    new_isin = isin(1, "01")[:9] + "02"
    new_isin += next(d for d in "0123456789" if _valid(new_isin + d))
    report = day_list(TUE, udiff_row(TUE, "TIDE", "204", "200", isin_=new_isin))
    assert (report.rows_new, report.actions_proposed, report.instruments_new) == (1, 1, 0)
    action = CorporateAction.objects.get()
    assert (action.status, action.kind, action.new, action.old, action.ex_day) == ("proposed", "split", 5, 1, TUE)
    assert closes("nse-tide") == [10_000_000, 2_040_000]
    assert [bar.close for bar in series("nse-tide").bars] == [10_000_000, 2_040_000]
    assert series("nse-tide").pending[0].kind == "split"
    pending = quote("nse-tide")
    assert (pending.change_bp, pending.pending_since, pending.high_52w) == (200, TUE, 2_040_000)
    assert SymbolChange.objects.get(what="isin").old == isin(1)
    desk.confirm_action(action_id=action.pk, kind="split", new=5, old=1, by="Editor", now=NOW)
    assert [bar.close for bar in series("nse-tide").bars] == [2_000_000, 2_040_000]
    assert quote("nse-tide").pending_since is None
    # The next day agrees, and nothing is proposed again.
    assert day_list(WED, udiff_row(WED, "TIDE", "206", "204", isin_=new_isin)).actions_proposed == 0


def _valid(text: str) -> bool:
    from broadsheet.markets.rows import BadValueError, isin_of

    try:
        return bool(isin_of(text))
    except BadValueError:
        return False


def test_a_split_that_was_entered_before_is_expected():
    day_list(MON, udiff_row(MON, "TIDE", "1000", "990"))
    desk.add_action(code="nse-tide", ex_day=TUE, kind="split", new=5, old=1, by="Editor", now=NOW)
    unadjusted = day_list(TUE, udiff_row(TUE, "TIDE", "204", "1000"))  # a list that states yesterday's close as it was
    assert (unadjusted.rows_new, unadjusted.actions_proposed, unadjusted.rows_held) == (1, 0, 0)


def test_a_dividend_is_proposed_with_its_amount_and_a_late_correction_only_told():
    day_list(MON, udiff_row(MON, "TIDE", "1000", "990"), udiff_row(MON, "PINE", "100", "100", number=2))
    report = day_list(TUE, udiff_row(TUE, "TIDE", "965", "960"), udiff_row(TUE, "PINE", "101", "100.05", number=2))
    action = CorporateAction.objects.get()
    assert (action.kind, action.amount, action.instrument.code) == ("dividend", 400_000, "nse-tide")
    assert any("2 previous closes differ" in warning for warning in report.warnings)


def test_many_previous_closes_that_differ_mean_a_missing_day_not_splits():
    day_list(MON, *(udiff_row(MON, f"A{n}", "10", "9", number=n) for n in range(40)))
    report = day_list(WED, *(udiff_row(WED, f"A{n}", "12", "11", number=n, volume=7) for n in range(40)))
    assert (report.rows_new, report.actions_proposed, CorporateAction.objects.count()) == (40, 0, 0)
    assert any("a day is missing" in warning for warning in report.warnings)


def test_a_jump_is_held_until_an_editor_believes_it():
    day_list(MON, udiff_row(MON, "TIDE", "100", "99"))
    report = day_list(TUE, udiff_row(TUE, "TIDE", "160", "100"), udiff_row(TUE, "PINE", "5", "5", number=2))
    assert (report.rows_new, report.rows_held, held()) == (1, 1, [("jump", "waiting")])
    assert quote("nse-tide").day == MON
    row = HeldRow.objects.get()
    desk.accept_held(held_id=row.pk, by="Editor", now=NOW)
    assert (closes("nse-tide"), quote("nse-tide").change_bp) == ([1_000_000, 1_600_000], 6_000)
    with pytest.raises(RefusedError):
        desk.accept_held(held_id=row.pk, by="Other", now=NOW)
    row.refresh_from_db()
    assert (row.status, row.decided_by) == ("accepted", "Editor")


def test_a_rejected_row_changes_nothing_and_an_unreadable_one_cannot_be_accepted():
    day_list(MON, udiff_row(MON, "TIDE", "", "99"), udiff_row(MON, "PINE", "9", "5", number=2, low="9.5", high="10"))
    nothing, outside = HeldRow.objects.order_by("pk")
    with pytest.raises(RefusedError):
        desk.accept_held(held_id=nothing.pk, by="Editor", now=NOW)
    desk.reject_held(held_id=outside.pk, by="Editor", now=NOW)
    assert (Price.objects.count(), Instrument.objects.count()) == (0, 0)
    assert held() == [("no_close", "waiting"), ("close_outside", "rejected")]


def test_unknown_instruments_wait_where_the_publisher_wants_it(settings):
    import dataclasses

    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, markets_unknown="hold")
    report = day_list(MON, udiff_row(MON, "TIDE", "100", "99"))
    assert (report.rows_held, held(), Instrument.objects.count()) == (1, [("unknown_instrument", "waiting")], 0)
    desk.accept_held(held_id=HeldRow.objects.get().pk, by="Editor", now=NOW)
    assert closes("nse-tide") == [1_000_000]
    assert day_list(TUE, udiff_row(TUE, "TIDE", "101", "100")).rows_new == 1


def test_index_closes():
    head = "Index Name,Index Date,Open Index Value,High Index Value,Low Index Value,Closing Index Value,Points Change,Change(%),Volume,Turnover (Rs. Cr.),P/E,P/B,Div Yield"
    rows = "Broad 50,12-10-2026,24500.10,24816.00,24480.55,24816.00,294,1.2,351000000,31250.25,22.1,3.4,1.2\nBroad Debt,12-10-2026,-,-,-,1012.35,0,0,-,-,-,-,-"
    report = take("ind_close_all_12102026.csv", f"{head}\n{rows}\n".encode())
    assert (report.layout, report.rows_new) == ("nse-indices", 2)
    index = quote("nse-broad-50")
    assert (index.kind, index.close, index.value_minor) == ("index", 248_160_000, 31_250_250_000_000)
    debt = Price.objects.get(instrument__code="nse-broad-debt")
    assert (debt.open, debt.close, MarketDay.objects.count()) == (None, 10_123_500, 0)


def test_net_asset_values_of_funds():
    text = (
        "Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Net Asset Value;Date\r\n\r\n"
        "Open Ended Schemes(Debt Scheme - Liquid Fund)\r\n\r\nLantern Mutual Fund\r\n\r\n"
        f"900001;{isin(5, prefix='INF')};-;Lantern Liquid Fund - Growth;2784.5520;12-Oct-2026\r\n"
        "900002;-;-;Lantern Closed Fund;N.A.;12-Oct-2026\r\n"
        "900003;-;-;Lantern Old Fund;11.2345;30-Jun-2019\r\n"
    )
    report = take("NAVAll.txt", text.encode())
    assert (report.layout, report.rows_read, report.rows_new, report.rows_held) == ("amfi", 3, 2, 1)
    fund = quote("amfi-900001")
    assert (fund.kind, fund.sector, fund.decimals, fund.close) == ("fund", "Debt Scheme - Liquid Fund", 4, 27_845_520)
    assert take("NAVAll.txt", text.replace("2784.5520", "2785.0010").replace("12-Oct", "13-Oct").encode()).rows_new == 1


def test_a_plain_list_and_json_bring_what_no_exchange_lists():
    plain = b"date,code,name,kind,unit,close,currency\n2026-10-12,gold,Gold,commodity,10 grams,68790,INR\n2026-10-13,gold,,,,68450,\n"
    report = take("gold.csv", plain)
    assert (report.layout, report.rows_new, report.instruments_new) == ("plain", 2, 1)
    gold = quote("gold")
    assert (gold.unit, gold.close, gold.change) == ("10 grams", 684_500_000, -3_400_000)
    json_ = b'{"prices": [{"day": "2026-10-14", "code": "gold", "close": 68512.5}, {"day": "2026-10-14", "close": 5}]}'
    report = take("feed.json", json_)
    assert (report.layout, report.rows_new, report.rows_held) == ("json", 1, 1)
    assert quote("gold").close == 685_125_000


def test_a_plain_row_without_an_exchange_finds_the_one_share_or_waits():
    day_list(MON, udiff_row(MON, "TIDE", "100", "99"))
    report = take("own.csv", b"day,symbol,close\n2026-10-13,tide,101\n")
    assert (report.rows_new, report.instruments_new, closes("nse-tide")) == (1, 0, [1_000_000, 1_010_000])
    take(udiff_name(MON, "BSE"), udiff(udiff_row(MON, "TIDE", "100.10", "99", src="BSE", series="A", code="500001")))
    report = take("own.csv", f"day,isin,close\n2026-10-14,{isin(1)},102\n".encode())
    assert (report.rows_held, held()) == (1, [("ambiguous", "waiting")])
    with pytest.raises(RefusedError):
        desk.accept_held(held_id=HeldRow.objects.get().pk, by="Editor", now=NOW)
    report = take("own.csv", f"day,isin,exchange,close\n2026-10-14,{isin(1)},nse,102\n".encode())
    assert (report.rows_new, closes("nse-tide")[-1]) == (1, 1_020_000)


def test_a_file_of_rubbish_never_raises():
    for junk in (b"\x00\x01\x02", b"SYMBOL,SERIES,CLOSE,PREVCLOSE,TIMESTAMP\n" + bytes(range(256)), b"{", b"[1,2]", b'{"prices": 5}', b"[" * 10_000):  # fmt: skip
        [report] = imports.take_file(name="junk", data=junk, now=NOW, came_by="upload")
        assert report.status in ("refused", "done")
        assert Price.objects.count() == 0
