"""What everybody sees of the markets, what the product opens, and that it ends when the right does."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from tests import make
from tests.markets.market import FRIDAY, instrument, signed_in

from broadsheet import clock
from broadsheet.markets import actions as markets
from broadsheet.markets import fronts, jobs
from broadsheet.markets.actions.stories import link_story
from broadsheet.markets.models import CorporateAction, Instrument, Price, Snapshot
from broadsheet.markets.values import SCALE, Action
from broadsheet.press.queries import stores

pytestmark = pytest.mark.django_db
ROOMS = ("/investor/watch/", "/investor/portfolio/", "/investor/screener/", "/investor/portfolio/trades.csv",
         "/investor/portfolio/holdings.csv")  # fmt: skip


@pytest.fixture(autouse=True)
def standing_clock():
    clock.stand_at(make.NOW)
    yield
    clock.stand_at(None)


@pytest.fixture
def tidewater():
    return instrument()


@pytest.fixture
def subscriber(tidewater):
    return signed_in()


@pytest.fixture
def reader(tidewater):
    return signed_in("ravi@reader.example", product="")


def text(answer):
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


# --- the front ----------------------------------------------------------------------------------------------------
def test_the_front_is_there_when_prices_are_and_says_of_which_day_they_are():
    assert Client().get("/investor/").status_code == 404
    instrument("MERIDIAN50", 24_812.35, 12.35, kind="index", featured=1, name="Meridian 50", volume=None)
    instrument("KOSHA", 500, 5, name="Kosha Bank", count=60)
    instrument("PATANGA", 50, -0.5, name="Patanga Airways")
    front = Client().get("/investor/")
    said = text(front)
    assert front.status_code == 200
    assert "At the close of Friday, 8 January 2027" in said
    assert "Meridian 50 24,812.35 ▲ +12.35 (+0.05 %)" in said.replace("\u00a0", " ")
    assert "Kosha Bank NSE KOSHA 500.00 ▲ +1.01 %" in said.replace("\u00a0", " ")
    assert "Patanga Airways NSE PATANGA 50.00 ▼ \u22120.99 %" in said.replace("\u00a0", " ")
    assert "▲ 12 rose ◆ 1 unchanged ▼ 7 fell turnover ₹9,876.5 crore" in said.replace("\u00a0", " ")
    assert "Nothing here is advice" in said
    assert "not live" in said


def test_the_front_is_the_same_for_everyone_and_printed_for_the_gate(subscriber, reader):
    first, second, third = (client.get("/investor/").content for client in (Client(), subscriber, reader))
    assert first == second == third
    assert stores().public.get("page/investor/") is not None
    assert Client().get("/investor/").headers["Cache-Control"].startswith("public")
    assert subscriber.get("/investor/").headers["Cache-Control"] == "private, no-store"


def test_prices_that_are_late_are_said_to_be(tidewater):
    assert "have not arrived" not in text(Client().get("/investor/"))
    clock.stand_at(make.NOW + timedelta(days=1, hours=12))  # Tuesday's first minutes, Monday's file may still come
    assert fronts.missing(clock.now()) is None
    assert not jobs.watch_lateness()
    clock.stand_at(make.NOW + timedelta(days=2))
    said = text(Client().get("/investor/"))
    assert (
        "The prices of Monday, 11 January 2027 at NSE have not arrived yet. What stands here is of Friday, 8 January 2027."
        in said
    )
    assert jobs.watch_lateness()
    assert not jobs.watch_lateness()


def test_generated_prices_are_called_that_wherever_they_stand(subscriber):
    code = instrument("ALDEX", generated=True, kind="index", featured=1, volume=None)
    for path in ("/investor/", f"/investor/{code}/", "/investor/screener/?kind=index", "/investor/find/?q=limited"):
        assert "Generated prices of invented companies." in text(subscriber.get(path)), path
    assert "generated" in Client().get(f"/investor/card/{code}.svg").content.decode()
    assert "Generated" not in text(subscriber.get("/investor/nse-tidewater/"))


# --- an instrument ------------------------------------------------------------------------------------------------
def test_of_an_instrument_everybody_sees_its_close_and_a_year_and_then_the_wall(tidewater, reader):
    for client in (Client(), reader):
        answer = client.get(f"/investor/{tidewater}/")
        said = text(answer).replace("\u00a0", " ")
        assert answer.status_code == 200
        assert answer.headers["Broadsheet-Variant"] == "wall"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Tidewater Limited" in said
        assert "₹1,234.50" in said
        assert "▲ +1.00 (+0.08 %)" in said
        assert "From 973.50 on 8 Jan 2026 to 1,234.50 on 8 Jan 2027: up 26.81 percent." in said
        assert "This is for subscribers." in said
        for hidden in ("Volume", "52 weeks", "5 years", "Add to", "data-figures", "data-range"):
            assert hidden not in answer.content.decode(), hidden


def test_a_subscriber_sees_all_of_it(subscriber):
    code = instrument("KOSHA", 150, 0.1, actions=(
        Action(date(2026, 7, 1), "split", 5, 1), Action(date(2026, 9, 1), "dividend", amount=125_000)))  # fmt: skip
    answer = subscriber.get(f"/investor/{code}/")
    said = text(answer).replace("\u00a0", " ")
    assert "Broadsheet-Variant" not in answer.headers
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "1 Jul 2026 Split: 1 unit becomes 5" in said
    assert "1 Sep 2026 Dividend of ₹12.50 a unit" in said
    for shown in (
        "52 weeks",
        "1 month",
        "Volume, weekly",
        "Compare with",
        "The chart as a table",
        "Previous close 149.90",
    ):
        assert shown in said, shown
    assert "This is for subscribers" not in said


@pytest.mark.parametrize(("span", "first"), [
    ("1m", "8 Dec 2026"), ("3m", "8 Oct 2026"), ("6m", "8 Jul 2026"), ("ytd", "31 Dec 2026"), ("1y", "8 Jan 2026"),
    ("3y", "17 Nov 2025"), ("max", "17 Nov 2025"), ("nonsense", "8 Jan 2026"),
])  # fmt: skip
def test_a_range_is_an_address_of_its_own_and_shows_its_days(subscriber, span, first):
    said = text(subscriber.get(f"/investor/nse-tidewater/?range={span}"))
    assert f"on {first} to 1,234.50 on 8 Jan 2027" in said


def test_who_switches_by_script_gets_the_same_chart_alone(subscriber, reader):
    whole = subscriber.get("/investor/nse-tidewater/?range=6m").content.decode()
    part = subscriber.get("/investor/nse-tidewater/?range=6m&part=chart")
    inner = part.content.decode().strip()
    assert inner in whole
    assert inner.startswith("<section")
    assert inner.endswith("</section>")
    assert part.headers["Cache-Control"] == "private, no-store"
    walled = reader.get("/investor/nse-tidewater/?range=6m&part=chart")
    assert walled.headers["Broadsheet-Variant"] == "wall"
    assert walled.content == reader.get("/investor/nse-tidewater/?range=6m&part=chart").content


def test_two_instruments_stand_beside_each_other_by_symbol_name_or_code(subscriber):
    instrument("KOSHA", 150, 0.1, name="Kosha Bank")
    for words in ("kosha", "Kosha Bank", "nse-kosha", "KOSHA"):
        said = text(subscriber.get("/investor/nse-tidewater/", {"range": "1m", "with": words})).replace("\u00a0", " ")
        assert "Tidewater Limited +1.90 % Kosha Bank +1.56 %" in said, words
    assert "No other instrument is called “nobody”." in text(subscriber.get("/investor/nse-tidewater/?with=nobody"))
    assert "No other instrument" in text(subscriber.get("/investor/nse-tidewater/?with=nse-tidewater"))


def test_stories_are_marked_on_the_chart_and_listed_once(subscriber):
    story = make.story(
        headline="Tidewater wins the dredging", instruments=["nse-tidewater"], now=make.NOW - timedelta(days=4)
    )
    old = make.story(headline="An old tale of Tidewater", instruments=["nse-tidewater"],
                     now=make.NOW - timedelta(days=40), at=make.NOW - timedelta(days=40))  # fmt: skip
    for one in (story, old):
        link_story(story_id=one)
    page = subscriber.get("/investor/nse-tidewater/?range=1m").content.decode()
    assert re.findall(r'data-mark="(.)"><title>([^<]*)', page)[0] == ("A", "6 Jan 2027: Tidewater wins the dredging")
    assert page.count(f"the-dredging-{story}") == page.count(f"-tidewater-{old}") == 1
    assert "Tidewater wins the dredging" in text(Client().get("/investor/"))


def test_nothing_is_compared_over_a_split_that_nobody_has_confirmed(subscriber):
    row = Instrument.objects.get(code="nse-tidewater")
    CorporateAction.objects.create(instrument=row, ex_day=date(2026, 12, 1), kind="unknown", status="proposed")
    Snapshot.objects.filter(pk=row.pk).update(pending_since=date(2026, 12, 1))
    for client in (subscriber, Client()):
        said = text(client.get("/investor/nse-tidewater/"))
        assert "Something happened to this share on 1 Dec 2026" in said
        assert "no change known" in said
        assert "up 26.81 percent" not in said
    assert "Something happened" not in text(subscriber.get("/investor/nse-tidewater/?range=1m"))


def test_what_nobody_knows_is_not_found_and_an_old_symbol_leads_to_the_new(tidewater, subscriber):
    for client in (Client(), subscriber):
        for path in ("nse-nothing/", "card/nse-nothing.svg", "chart/nse-nothing.svg", "strip-nothing.svg"):
            assert client.get(f"/investor/{path}").status_code == 404
    Instrument.objects.get(code=tidewater).changes.create(day=FRIDAY, what="symbol", old="TIDE", new="TIDEWATER")
    assert Client().get("/investor/nse-tide/").headers["Location"] == "/investor/nse-tidewater/"


def test_an_instrument_without_prices_or_with_one_has_a_page(subscriber):
    Instrument.objects.create(code="nse-new", kind="equity", name="New & Co", exchange="NSE", symbol="NEW")
    instrument("ONEDAY", 5, count=1)
    for client in (Client(), subscriber):
        assert "No price yet" in text(client.get("/investor/nse-new/"))
        assert "not enough prices" in text(client.get("/investor/nse-oneday/"))
        assert client.get("/investor/chart/nse-oneday.svg").status_code == 404
    assert "New &amp; Co: no price yet" in Client().get("/investor/card/nse-new.svg").content.decode()


def test_instruments_are_found_by_what_they_are_called(tidewater):
    instrument("TIDEPOOL", 12, 0.01)
    found = text(Client().get("/investor/find/?q=tide"))
    assert "TIDEWATER" in found
    assert "TIDEPOOL" in found
    assert Client().get("/investor/find/?q=tidewater").headers["Location"] == "/investor/nse-tidewater/"
    assert "No instrument matches “zzz”" in text(Client().get("/investor/find/?q=zzz"))
    assert Client().get("/investor/find/?q=%00").status_code == 200


# --- the wall -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [*ROOMS, "/investor/portfolio/upload/"])
def test_the_rooms_are_walled_before_anything_else_is_looked_at(reader, path):
    for client in (Client(), reader):
        for ask in (client.get, client.post):
            answer = ask(path)
            if answer.status_code == 405:
                continue
            assert answer.status_code == 200
            assert answer.headers["Broadsheet-Variant"] == "wall"
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert "for subscribers" in text(answer) or "not part of what you have" in text(answer)


def test_who_is_walled_changes_nothing(reader):
    reader.post("/investor/watch/", {"do": "make", "name": "Mine"})
    reader.post("/investor/portfolio/", {"instrument": "nse-tidewater", "kind": "buy", "day": "2027-01-04", "units": "1",
                                         "price": "1", "key": "k"})  # fmt: skip
    from broadsheet.markets import personal_queries

    assert not personal_queries.watch_lists(reader.reader.pk)
    assert not personal_queries.trades(reader.reader.pk)


def test_the_section_closes_on_the_day_the_right_ends(tidewater):
    client = signed_in(days=3)
    later = make.NOW + timedelta(days=3)
    clock.stand_at(later - timedelta(seconds=1))
    assert "Broadsheet-Variant" not in client.get("/investor/watch/").headers
    clock.stand_at(later)
    for path in (*ROOMS, "/investor/nse-tidewater/"):
        assert client.get(path).headers["Broadsheet-Variant"] == "wall", path
    assert client.get("/investor/chart/nse-tidewater.svg?range=3y").status_code == 404


# --- pictures -----------------------------------------------------------------------------------------------------
def test_the_card_of_a_story_is_public_and_follows_the_prices(tidewater):
    first = Client().get(f"/investor/card/{tidewater}.svg")
    assert first.headers["Content-Type"].startswith("image/svg+xml")
    assert first.headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=60"
    assert "₹1,234.50" in first.content.decode()
    assert stores().public.get(f"page/investor/card/{tidewater}.svg") is not None
    assert (
        Client().get(f"/investor/card/{tidewater}.svg", headers={"If-None-Match": first.headers["ETag"]}).status_code
        == 304
    )
    row = Instrument.objects.get(code=tidewater)
    Price.objects.filter(instrument=row, day=FRIDAY).update(close=1300 * SCALE)
    from broadsheet.bus.queries import last_notice
    from broadsheet.markets.actions.snapshots import refresh

    before = last_notice()
    refresh([row.pk])
    assert last_notice() > before, "the gate is told"
    assert "₹1,300.00" in Client().get(f"/investor/card/{tidewater}.svg").content.decode()


def test_a_picture_that_is_opened_may_paint_itself_and_nothing_else(tidewater):
    for path in (f"/investor/card/{tidewater}.svg", "/investor/strip-narrow.svg", f"/investor/chart/{tidewater}.svg"):
        policy = Client().get(path).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy


def test_a_chart_by_its_address_shows_others_than_a_year_to_who_may_alone(tidewater, subscriber, reader):
    year = subscriber.get(f"/investor/chart/{tidewater}.svg?range=1y").content.decode()
    assert "Volume" in year
    assert "Volume" not in Client().get(f"/investor/chart/{tidewater}.svg").content.decode()
    absent = Client().get("/investor/chart/nse-nothing.svg?range=3y")
    for span in ("1m", "3y", "max", "5y"):
        assert subscriber.get(f"/investor/chart/{tidewater}.svg?range={span}").status_code == 200
        for client in (Client(), reader):
            refused = client.get(f"/investor/chart/{tidewater}.svg?range={span}")
            assert refused.status_code == 404
        assert len(Client().get(f"/investor/chart/{tidewater}.svg?range={span}").content) == len(absent.content)


def test_a_story_about_an_instrument_shows_its_card_and_one_about_none_does_not(tidewater):
    from broadsheet.newsroom import queries as newsroom
    from broadsheet.press.printer import print_full, print_walls
    from broadsheet.press.queries import chrome, walls

    story = make.story(headline="Tidewater wins", instruments=[tidewater])
    other = make.story(headline="A quiet day")
    sheets = print_walls(newsroom.public_story(story), walls("metered", "national"), chrome())
    sheets.append(print_full(newsroom.full_story(story), chrome()))
    from broadsheet.access.products import connect_works

    for sheet in sheets:
        assert b'/investor/card/nse-tidewater.svg" width="480" height="132" alt="NSE TIDEWATER: last close' in plain(
            sheet
        )
    assert b"/investor/card/" not in plain(print_full(newsroom.full_story(other), chrome()))
    connect_works({})
    try:
        assert b"/investor/card/" not in plain(print_full(newsroom.full_story(story), chrome()))
    finally:
        from broadsheet.server.wiring_benefits import WORKS

        connect_works(WORKS)


def plain(sheet):
    return sheet.body("plain") if hasattr(sheet, "body") else sheet.plain


def test_pages_cost_the_same_however_many_instruments_there_are(subscriber, django_assert_max_num_queries):
    for n in range(12):
        instrument(f"CO{n:02d}", 10 + n, 0.1, count=30)
    markets.add_to_watch_list(reader_id=subscriber.reader.pk, code="nse-tidewater", now=make.NOW)
    for path, most in (("/investor/nse-tidewater/", 40), ("/investor/watch/", 30), ("/investor/screener/", 30)):
        subscriber.get(path)
        with django_assert_max_num_queries(most):
            subscriber.get(path)
