"""What belongs to one reader: lists, alerts, a portfolio. Nobody else sees it, and a form sent twice does nothing twice."""

import csv
import io
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests import make
from tests.markets.market import instrument, signed_in
from tests.markets.test_views import text

from broadsheet import clock
from broadsheet.markets import actions, inputs, personal_queries
from broadsheet.markets.values import SCALE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def standing_clock():
    clock.stand_at(make.NOW)
    yield
    clock.stand_at(None)


@pytest.fixture
def asha():
    instrument()
    instrument("KOSHA", 150, 0.1, name="Kosha Bank", count=40)
    return signed_in()


def lists(client):
    return [(one.name, [quote.code for quote in one.quotes]) for one in personal_queries.watch_lists(client.reader.pk)]


def do(client, verb, **fields):
    answer = client.post("/investor/watch/", {"do": verb, **fields}, follow=True)
    assert answer.status_code == 200
    return text(answer).replace("\u00a0", " ")


def only_list(client):
    return personal_queries.watch_lists(client.reader.pk)[0].id


# --- watch lists and alerts ---------------------------------------------------------------------------------------
def test_lists_are_made_filled_put_in_order_renamed_and_deleted(asha):
    assert "You have no list yet" in text(asha.get("/investor/watch/"))
    assert "The list is made." in do(asha, "make", name="Ports")
    number = only_list(asha)
    for words in ("TIDEWATER", "kosha bank"):
        assert "It is on your list." in do(asha, "add", list=number, code=words)
    do(asha, "add", list=number, code="tidewater")
    assert lists(asha) == [("Ports", ["nse-tidewater", "nse-kosha"])]
    do(asha, "up", list=number, code="nse-kosha")
    assert lists(asha) == [("Ports", ["nse-kosha", "nse-tidewater"])]
    do(asha, "up", list=number, code="nse-kosha")
    do(asha, "down", list=number, code="nse-tidewater")
    assert lists(asha) == [("Ports", ["nse-kosha", "nse-tidewater"])]
    do(asha, "down", list=number, code="nse-kosha")
    do(asha, "rename", list=number, name="Harbours")
    assert lists(asha) == [("Harbours", ["nse-tidewater", "nse-kosha"])]
    do(asha, "remove", list=number, code="nse-tidewater")
    assert lists(asha) == [("Harbours", ["nse-kosha"])]
    do(asha, "delete", list=number)
    assert lists(asha) == []


def test_from_its_page_an_instrument_comes_onto_the_first_list_and_the_reader_back_to_the_page(asha):
    answer = asha.post("/investor/watch/", {"do": "add", "code": "nse-kosha", "back": "nse-kosha"})
    assert answer.headers["Location"] == "/investor/nse-kosha/"
    assert lists(asha) == [("Watch list", ["nse-kosha"])]
    assert "It is on your list." in text(asha.get("/investor/nse-kosha/"))
    assert "It is on your list." not in text(asha.get("/investor/nse-kosha/"))


@pytest.mark.parametrize(("fields", "why"), [
    ({"do": "add", "code": "nobody"}, "No instrument is called “nobody”."),
    ({"do": "add", "code": "limited"}, "Several could be meant: "),
    ({"do": "add", "code": ""}, "Name an instrument."),
    ({"do": "add", "code": "kosha", "list": "99999"}, "There is no such watch list."),
    ({"do": "make", "name": "  "}, "Give the list a name."),
    ({"do": "dance"}, "Nothing was changed."),
    ({"do": "alert", "code": "kosha", "kind": "above", "level": "lots"}, "Write the level as a number, such as 1,234.50."),
    ({"do": "alert", "code": "kosha", "kind": "above", "level": "-3"}, "The level must be above zero."),
    ({"do": "alert", "code": "kosha", "kind": "sideways", "level": "3"}, "Choose what the alert waits for."),
    ({"do": "alert", "code": "kosha", "kind": "above", "level": "1.23456"}, "at most four decimals"),
])  # fmt: skip
def test_what_cannot_be_is_said_and_changes_nothing(asha, fields, why):
    instrument("TIDEPOOL", 60, 0.1, count=40)
    said = do(asha, fields.pop("do"), **fields)
    assert why in said
    assert lists(asha) == []
    assert not personal_queries.alerts(asha.reader.pk)


def test_alerts_wait_for_a_level_or_a_move_and_can_be_taken_back(asha):
    do(asha, "alert", code="kosha", kind="above", level="₹1,234.50")
    do(asha, "alert", code="kosha", kind="above", level="1234.5")
    said = do(asha, "alert", code="nse-tidewater", kind="change", level="2.5 %")
    assert "Tidewater Limited NSE TIDEWATER moves in a day by 2.50 %" in said
    assert "Kosha Bank NSE KOSHA closes at or above 1,234.50" in said
    set_ = personal_queries.alerts(asha.reader.pk)
    assert [(one.kind, one.level) for one in set_] == [("change", 250), ("above", 12_345_000)]
    do(asha, "delete-alert", alert=set_[0].id)
    assert len(personal_queries.alerts(asha.reader.pk)) == 1
    assert 'value="nse-kosha"' in asha.get("/investor/watch/?alert=nse-kosha").content.decode()


def test_what_is_a_readers_own_is_nobody_elses(asha):
    ravi = signed_in("ravi@reader.example")
    do(asha, "make", name="Secret harbours")
    do(asha, "add", list=only_list(asha), code="kosha")
    do(asha, "alert", code="kosha", kind="above", level="200")
    buy(asha, note="my aunt’s money")
    alert, trade = personal_queries.alerts(asha.reader.pk)[0].id, personal_queries.trades(asha.reader.pk)[0].id
    number = only_list(asha)
    for verb, fields in (("rename", {"name": "Taken"}), ("add", {"code": "tidewater"}), ("remove", {"code": "nse-kosha"}),
                         ("delete", {}), ("up", {"code": "nse-kosha"})):  # fmt: skip
        do(ravi, verb, list=number, **fields)
    do(ravi, "delete-alert", alert=alert)
    ravi.post("/investor/portfolio/", {"delete": trade})
    assert lists(asha) == [("Secret harbours", ["nse-kosha"])]
    assert len(personal_queries.alerts(asha.reader.pk)) == len(personal_queries.trades(asha.reader.pk)) == 1
    for path in ("/investor/watch/", "/investor/portfolio/", "/investor/portfolio/trades.csv", "/investor/nse-kosha/"):
        said = text(ravi.get(path))
        assert "Secret" not in said
        assert "aunt" not in said


# --- the portfolio ------------------------------------------------------------------------------------------------
def buy(client, **fields):
    form = {"instrument": "kosha", "kind": "buy", "day": "2026-12-01", "units": "10", "price": "1,20.50", "fee": "20",
            "note": "", "csrfmiddlewaretoken": "k1", **fields}  # fmt: skip
    return client.post("/investor/portfolio/", form, follow=True)


def trades(client):
    return [(t.day.isoformat(), t.kind, t.quote.code, t.units / SCALE, t.price / SCALE, t.fee_minor)
            for t in personal_queries.trades(client.reader.pk)]  # fmt: skip


def test_a_trade_is_noted_once_and_what_it_came_to_is_shown(asha):
    assert "Nothing is noted yet." in text(asha.get("/investor/portfolio/"))
    said = text(buy(asha)).replace("\u00a0", " ")
    buy(asha)
    assert trades(asha) == [("2026-12-01", "buy", "nse-kosha", 10, 120.5, 2000)]
    assert "The trade is noted." in said
    assert "Worth ₹1,500.00" in said
    assert "Invested ₹1,225.00" in said
    assert "Not realised ▲ +₹275.00" in said
    assert "On the day ▲ +₹1.00" in said
    assert "Kosha Bank 100.00 %" in said
    number = personal_queries.trades(asha.reader.pk)[0].id
    assert "The trade is deleted." in text(asha.post("/investor/portfolio/", {"delete": number}, follow=True))
    assert trades(asha) == []


@pytest.mark.parametrize(("fields", "why"), [
    ({"day": "2027-01-11"}, "The day lies in the future."),
    ({"day": "soon"}, "Write the day as 2026-11-20 or 20-11-2026."),
    ({"units": "0"}, "The number of units must be above zero."),
    ({"units": "ten"}, "Write the number of units as a number"),
    ({"price": "1e400"}, "Write the price as a number"),
    ({"fee": "-1"}, "The amount is out of range."),
    ({"instrument": "nobody"}, "No instrument is called “nobody”."),
    ({"kind": "borrow"}, "Say whether you bought, sold or were paid a dividend."),
])  # fmt: skip
def test_a_trade_that_cannot_be_is_refused_with_its_reason_and_what_was_typed_stays(asha, fields, why):
    answer = buy(asha, note="keep these words", **fields)
    assert why in text(answer)
    assert 'value="keep these words"' in answer.content.decode()
    assert trades(asha) == []


FILE = """Trade Date,Type,Symbol,Quantity,Price,Brokerage,Remarks
2026-12-01,BUY,KOSHA,10,120.50,20,
01-12-2026,buy,NSE:TIDEWATER,"1,000",1205.5,,first
2026-12-02,sell,nse-kosha,4,140,0,
2026-12-02,sell,nse-kosha,4,140,0,
2026-12-03,buy,nobody,1,1,,
2026-12-03,lend,KOSHA,1,1,,
2030-01-01,buy,KOSHA,1,1,,
31-31-2026,buy,KOSHA,1,1,,
2026-12-04,buy,KOSHA,1
"""


def send(client, content):
    content = content if isinstance(content, bytes) else content.encode()
    answer = client.post("/investor/portfolio/upload/", {"trades": SimpleUploadedFile("t.csv", content)})
    assert answer.status_code == 200
    return text(answer)


@pytest.mark.parametrize("form", [
    lambda words: words.encode(),
    lambda words: b"\xef\xbb\xbf" + words.replace("\n", "\r\n").encode(),
    lambda words: words.replace("first", "d\u00e9j\u00e0").encode("cp1252"),
])  # fmt: skip
def test_a_file_is_taken_line_by_line_and_every_other_line_has_its_reason(asha, form):
    said = send(asha, form(FILE))
    assert "4 trades were noted, 5 lines were not taken." in said
    for line, why in ((6, "No instrument is called “nobody”."), (7, "The kind must be buy, sell or dividend."),
                      (8, "The day lies in the future."), (9, "Write the day as"), (10, "Write the price as a number")):  # fmt: skip
        assert f"Line {line} " in said
        assert why in said
    assert trades(asha) == [
        ("2026-12-02", "sell", "nse-kosha", 4, 140, 0), ("2026-12-02", "sell", "nse-kosha", 4, 140, 0),
        ("2026-12-01", "buy", "nse-tidewater", 1000, 1205.5, 0), ("2026-12-01", "buy", "nse-kosha", 10, 120.5, 2000),
    ]  # fmt: skip
    again = send(asha, form(FILE) + b"2026-12-05,buy,KOSHA,1,1,,\n")
    assert "1 trade was noted, 4 had been noted before, 5 lines were not taken." in again
    assert len(trades(asha)) == 5


@pytest.mark.parametrize(("content", "why"), [
    (b"", "The file is empty."),
    (b"a,b\n1,2\n", "The first line must name the columns date, kind, instrument, units, price"),
    (b"PK\x03\x04\0\0", "The file is not text. Save the table as CSV."),
    (b"x" * (inputs.MOST_BYTES + 1), "The file is larger than 1 MB."),
    (b"date,kind,instrument,units,price\n" + b"2026-12-01,buy,KOSHA,1,1\n" * 1001, "A file may have 1,000 trades"),
])  # fmt: skip
def test_a_file_that_is_none_is_refused_whole(asha, content, why):
    said = send(asha, content)
    assert "Nothing was taken." in said
    assert why in said
    assert trades(asha) == []


def test_trades_that_were_taken_away_can_be_brought_back(asha):
    buy(asha, note="=1+1")
    buy(asha, csrfmiddlewaretoken="k2", kind="dividend", units="10", price="2.25", day="2026-12-20", fee="")
    answer = asha.get("/investor/portfolio/trades.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="trades.csv"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [
        list(inputs.COLUMNS),
        ["2026-12-01", "buy", "nse-kosha", "10", "120.5", "20", "'=1+1"],
        ["2026-12-20", "dividend", "nse-kosha", "10", "2.25", "0", ""],
    ]
    ravi = signed_in("ravi@reader.example")
    send(ravi, answer.content)
    assert trades(ravi) == trades(asha)
    held = list(csv.reader(io.StringIO(asha.get("/investor/portfolio/holdings.csv").content.decode("utf-8-sig"))))
    assert held[1][:7] == ["nse-kosha", "Kosha Bank", "10", "150", "2027-01-08", "1500", "1225"]


def test_what_was_sold_beyond_what_was_held_is_said(asha):
    buy(asha, kind="sell")
    assert personal_queries.portfolio(asha.reader.pk, make.NOW).problems
    assert personal_queries.portfolio(asha.reader.pk, make.NOW).problems[0] in text(asha.get("/investor/portfolio/"))


# --- the screener -------------------------------------------------------------------------------------------------
def names(client, query):
    page = client.get(f"/investor/screener/?{query}").content.decode()
    return [code for code in ("nse-tidewater", "nse-kosha", "bse-mill") if f'href="/investor/{code}/"' in page]


def test_the_screener_asks_every_demand_and_says_what_it_could_not_read(asha):
    instrument("MILL", 20, -0.01, exchange="BSE", sector="Textiles", volume=10, count=40)
    assert names(asha, "") == ["nse-tidewater", "nse-kosha", "bse-mill"]
    for query, found in (
        ("exchange=BSE", ["bse-mill"]),
        ("sector=Ports", ["nse-tidewater", "nse-kosha"]),
        ("words=kosha", ["nse-kosha"]),
        ("close_from=100&close_to=1,000", ["nse-kosha"]),
        ("change_from=0", ["nse-tidewater", "nse-kosha"]),
        ("change_to=-0.01", ["bse-mill"]),
        ("near_high=0", ["nse-tidewater", "nse-kosha"]),
        ("near_low=1", ["bse-mill"]),
        ("year_from=10", ["nse-tidewater"]),
        ("kind=fund", []),
    ):
        assert names(asha, query) == found, query
    said = text(asha.get("/investor/screener/?close_from=cheap&order=sideways"))
    assert "Write the price as a number, such as 1,234.50." in said
    assert "Nothing meets all of it" in text(asha.get("/investor/screener/?kind=fund"))


def test_page_after_page_of_the_screener_shows_each_instrument_once(asha, monkeypatch):
    from broadsheet.markets import views_screen

    monkeypatch.setattr(views_screen, "PAGE", 5)
    for n in range(11):
        instrument(f"CO{n:02d}", 50, 0.1, count=25)  # all alike: only the key tells them apart
    seen, path = [], "/investor/screener/?words=co&order=-change"
    for _ in range(4):
        page = asha.get(path).content.decode()
        seen += [f"CO{n:02d}" for n in range(11) if f'href="/investor/nse-co{n:02d}/"' in page]
        more = page.partition('rel="next"')[0].rpartition('href="')[2]
        if 'rel="next"' not in page:
            break
        path = "/investor/screener/" + more.partition('"')[0].replace("&amp;", "&")
    assert sorted(seen) == [f"CO{n:02d}" for n in range(11)]


@pytest.mark.parametrize(
    "query", ["after=%00", "after=x:y", "after=1:%27", "order=-name&after=zzz", "close_from=1e999", "kind=%00"]
)
def test_nonsense_asks_for_nothing(asha, query):
    assert asha.get(f"/investor/screener/?{query}").status_code == 200


@pytest.mark.parametrize(("typed", "day"), [
    ("2026-11-20", date(2026, 11, 20)), ("20-11-2026", date(2026, 11, 20)), ("05/04/2026", date(2026, 4, 5)),
    ("20-Nov-2026", date(2026, 11, 20)),
])  # fmt: skip
def test_days_are_read_as_they_are_written_in_india(typed, day):
    assert inputs.day(typed) == day


def test_lists_have_room_for_so_many(asha):
    for n in range(20):
        actions.make_watch_list(reader_id=asha.reader.pk, name=f"List {n}", now=make.NOW)
    assert "There is room for 20 lists." in do(asha, "make", name="One more")
    assert len(lists(asha)) == 20
