"""Alerts, the folder, the feed, stories' links: what happens by itself."""

from __future__ import annotations

import dataclasses
import http.server
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from tests import make
from tests.markets.lists import udiff, udiff_name, udiff_row

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.bus.actions import run_due_jobs
from broadsheet.bus.queries import standing
from broadsheet.markets import actions, jobs, queries
from broadsheet.markets.actions import imports
from broadsheet.markets.adapters import feed
from broadsheet.markets.models import Alert, Holiday, Instrument, Price, PriceImport, StoryLink
from broadsheet.newsroom import actions as newsroom
from broadsheet.readers.models import Reader

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 16, 14, 30, tzinfo=UTC)  # a Friday, 20:00 at the exchanges
MON, TUE, WED, THU, FRI = (date(2026, 10, day) for day in range(12, 17))


@pytest.fixture(autouse=True)
def on_friday():
    Holiday.objects.all().delete()
    Holiday.objects.create(exchange="NSE", day=date(2026, 1, 26), name="Republic Day")
    clock.stand_at(NOW)
    yield
    clock.stand_at(None)


def day_list(day, close, prev, volume=1000):
    rows = udiff(udiff_row(day, "TIDE", close, prev, volume=volume))
    [report] = imports.take_file(name=udiff_name(day), data=rows, now=NOW, came_by="command")
    assert report.status == "done", report
    return report


def reader(email: str, *, until: datetime | None = NOW + timedelta(days=30), product: str = "investor") -> int:
    row = Reader.objects.create(email=email, verified_at=NOW)
    if until:
        access.grant(reader_id=row.pk, product=product, starts_at=NOW - timedelta(days=30), ends_at=until, source=email)
    return row.pk


def run() -> list:
    """The jobs' letters since the last call."""
    mail.outbox.clear()
    run_due_jobs()
    return list(mail.outbox)


def test_an_alert_is_mailed_once_rests_and_is_armed_again():
    day_list(MON, "100", "99")
    who = reader("asha@example.com")
    actions.set_alert(reader_id=who, code="nse-tide", kind="above", level=1_050_000, now=NOW)
    assert run() == []
    day_list(TUE, "105.00", "100")
    [letter] = run()
    assert letter.to == ["asha@example.com"]
    assert letter.subject == "TIDE LTD closed at or above ₹105.00"
    assert "/investor/nse-tide/" in letter.body
    assert "no advice" in letter.body
    [report] = imports.take_file(name=udiff_name(TUE), data=udiff(udiff_row(TUE, "TIDE", "106", "100")), now=NOW, came_by="command")  # fmt: skip
    assert report.rows_changed == 1
    assert run() == []  # a correction of the day does not fire it again
    day_list(WED, "110", "106")
    assert run() == []  # still above: it rests
    day_list(THU, "104", "110")
    assert run() == []
    assert Alert.objects.get().status == "armed"
    day_list(FRI, "106", "104")
    assert len(run()) == 1


def test_a_move_is_told_each_day_up_or_down():
    day_list(MON, "100", "99")
    who = reader("asha@example.com")
    actions.set_alert(reader_id=who, code="nse-tide", kind="change", level=500, now=NOW)
    day_list(TUE, "94.90", "100")
    [letter] = run()
    assert "moved by 5.00" in letter.subject
    day_list(WED, "96", "94.90")
    assert run() == []
    day_list(THU, "101", "96")
    assert len(run()) == 1


def test_several_alerts_of_a_reader_are_one_letter():
    day_list(MON, "100", "99")
    who = reader("asha@example.com")
    for kind, level in (("above", 1_010_000), ("change", 100), ("below", 500_000)):
        actions.set_alert(reader_id=who, code="nse-tide", kind=kind, level=level, now=NOW)
    day_list(TUE, "105", "100")
    [letter] = run()
    assert letter.subject == "2 of your price alerts"
    assert letter.extra_headers["Message-ID"]


@pytest.mark.parametrize(
    "how", ["never had", "another product", "ended today", "ended before the letter", "unverified"]
)
def test_no_letter_without_the_right_at_that_moment(how):
    day_list(MON, "100", "99")
    until = None if how == "never had" else NOW if how == "ended today" else NOW + timedelta(hours=1)
    who = reader("asha@example.com", until=until, product="archive" if how == "another product" else "investor")
    actions.set_alert(reader_id=who, code="nse-tide", kind="above", level=1_010_000, now=NOW)
    if how == "unverified":
        Reader.objects.update(verified_at=None)
    day_list(TUE, "105", "100")
    if how == "ended before the letter":
        jobs.fire_alerts(jobs.PricesImported(1, "NSE", TUE.isoformat()))
        clock.stand_at(NOW + timedelta(hours=1))
    assert run() == []
    if how in ("never had", "another product", "ended today"):
        assert Alert.objects.get().status == "armed"  # it waits for the right to come back


def test_somebody_elses_things_are_nobodys():
    day_list(MON, "100", "99")
    mine, theirs = reader("a@example.com"), reader("b@example.com")
    alert = actions.set_alert(reader_id=mine, code="nse-tide", kind="above", level=5, now=NOW)
    watch = actions.make_watch_list(reader_id=mine, name="Ports", now=NOW)
    actions.delete_alert(reader_id=theirs, alert_id=alert)
    actions.delete_watch_list(reader_id=theirs, list_id=watch)
    with pytest.raises(actions.RefusedError):
        actions.add_to_watch_list(reader_id=theirs, code="nse-tide", list_id=watch, now=NOW)
    actions.add_to_watch_list(reader_id=mine, code="nse-tide", list_id=watch, now=NOW)
    actions.remove_from_watch_list(reader_id=theirs, list_id=watch, code="nse-tide")
    assert [len(each.quotes) for each in personal(mine)] == [1]
    assert Alert.objects.count() == 1


def personal(who):
    from broadsheet.markets.personal_queries import watch_lists

    return watch_lists(who)


def test_a_trade_sent_twice_is_one_and_nonsense_is_refused():
    day_list(MON, "100", "99")
    who = reader("a@example.com")
    said = {"reader_id": who, "code": "nse-tide", "kind": "buy", "day": MON, "units": 100_000, "price": 990_000,
            "now": NOW, "today": FRI, "key": "k1"}  # fmt: skip
    assert actions.add_trade(**said) == actions.add_trade(**said)
    for wrong in ({"units": 0}, {"price": 0}, {"day": FRI + timedelta(days=1)}, {"kind": "short"}, {"fee_minor": -1},
                  {"code": "nothing"}, {"units": 10**15, "price": 10**14}):  # fmt: skip
        with pytest.raises(actions.RefusedError):
            actions.add_trade(**{**said, "key": "k2", **wrong})
    from broadsheet.markets.personal_queries import portfolio

    found = portfolio(who, NOW)
    assert (found.invested_minor, found.value_minor) == (99_000, 100_000)


def test_the_folder_takes_whole_files_and_puts_them_away(settings, tmp_path):
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, data=tmp_path)
    incoming = tmp_path / "markets" / "incoming"
    jobs._seen.clear()
    assert jobs.watch_incoming() == 0
    (incoming / udiff_name(MON)).write_bytes(udiff(udiff_row(MON, "TIDE", "100", "99"))[:-300])
    (incoming / "page.csv").write_bytes(b"<html>not found</html>")
    assert jobs.watch_incoming() == 0  # seen for the first time
    (incoming / udiff_name(MON)).write_bytes(udiff(udiff_row(MON, "TIDE", "100", "99")))
    assert jobs.watch_incoming() == 1  # the page; the list has grown since
    assert jobs.watch_incoming() == 1
    assert Price.objects.count() == 1
    assert (tmp_path / "markets" / "done" / udiff_name(MON)).exists()
    assert (tmp_path / "markets" / "refused" / "page.csv").exists()
    assert list(incoming.iterdir()) == []
    assert set(PriceImport.objects.values_list("status", "came_by")) == {("done", "folder"), ("refused", "folder")}


class Feed(http.server.BaseHTTPRequestHandler):
    said: list[tuple[int, dict[str, str], bytes]] = []
    asked: list[tuple[str, str | None]] = []

    def do_GET(self):
        self.asked.append((self.path, self.headers.get("Authorization")))
        status, headers, body = self.said.pop(0)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture
def server(settings):
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feed)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    Feed.said.clear()
    Feed.asked.clear()
    url = f"http://127.0.0.1:{running.server_port}/eod.json"
    settings.BROADSHEET = dataclasses.replace(settings.BROADSHEET, markets_feed_url=url, markets_feed_key="key")
    yield url
    running.shutdown()
    running.server_close()


PRICES = b'{"prices": [{"day": "2026-10-16", "code": "gold", "name": "Gold", "kind": "commodity", "close": 68450.25}]}'


def test_the_feed_is_asked_when_due_and_once(server):
    Feed.said[:] = [(200, {}, PRICES)]
    clock.stand_at(NOW - timedelta(hours=4))
    assert jobs.fetch_feed() is None  # 16:00: too early
    clock.stand_at(NOW)
    assert jobs.fetch_feed().rows_new == 1
    assert jobs.fetch_feed() is None
    assert (Feed.asked, queries.quote("gold").close) == ([("/eod.json", "Bearer key")], 684_502_500)
    clock.stand_at(NOW + timedelta(days=1))
    assert jobs.fetch_feed() is None  # a Saturday


def test_a_feed_that_fails_is_asked_later_and_later_and_the_desk_is_told(server):
    Feed.said[:] = [
        (503, {}, b""),
        (200, {}, b"<html>sorry</html>"),
        (200, {"Content-Length": "9999"}, PRICES),
        (200, {}, PRICES),
    ]
    for after, problem in ((0, "status 503"), (5, "web page"), (20, "cut off"), (80, "")):
        clock.stand_at(NOW + timedelta(minutes=after - 1))
        if after:
            assert jobs.fetch_feed() is None
        clock.stand_at(NOW + timedelta(minutes=after))
        jobs.fetch_feed()
        assert problem in standing(jobs.FEED)["problem"]
        assert bool(problem) == bool(standing(jobs.FEED)["problem"])
    assert Price.objects.count() == 1


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_inwards_is_not_followed(server, target):
    Feed.said[:] = [(302, {"Location": target}, b"")]
    with pytest.raises(feed.FeedError):
        feed.fetch(server, "key")
    assert len(Feed.asked) == 1


def test_an_answer_without_end_is_cut(server, monkeypatch):
    monkeypatch.setattr(feed, "LARGEST", 1000)
    Feed.said[:] = [(200, {}, b"x" * 200_000)]
    with pytest.raises(feed.FeedError, match="larger"):
        feed.fetch(server)


def test_stories_follow_their_tags(settings):
    day_list(MON, "100", "99")
    newsroom.ensure_section(name="Markets", slug="markets")
    copy = newsroom.Copy("Tide rises", make.body(), "markets", instruments=("NSE:TIDE", "nse-tide"))
    story = newsroom.file_story(copy=copy, now=NOW, publish=True)
    run_due_jobs()
    [mark] = queries.related_stories("nse-tide")
    assert (mark.story_id, mark.headline, mark.day) == (story, "Tide rises", FRI)
    from broadsheet.newsroom.queries import public_story

    assert public_story(story).instruments == ("nse-tide",)
    newsroom.withdraw_story(story_id=story, reason="wrong", now=NOW)
    assert queries.related_stories("nse-tide") == []  # at once: the newsroom says what is published
    run_due_jobs()
    assert not StoryLink.objects.exists()


def test_a_tag_that_names_nothing_is_refused():
    from django.core.exceptions import ValidationError

    newsroom.ensure_section(name="Markets", slug="markets")
    for wrong in (("nse-nothing",), ("a b",), tuple(f"nse-{n}" for n in range(11))):
        copy = newsroom.Copy("Tide rises", make.body(), "markets", instruments=wrong)
        with pytest.raises(ValidationError):
            newsroom.file_story(copy=copy, now=NOW, publish=True)
    assert not Instrument.objects.exists()
