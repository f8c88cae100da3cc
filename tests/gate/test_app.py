"""The gate in memory, with a clock that is walked: windows, modes, passports, registered readers, stale sheets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from broadsheet.access.book import Taken
from broadsheet.access.local_book import LocalBook
from broadsheet.access.meter import MeterSeal, pack, section_code
from broadsheet.access.rules import Policy, policy_values
from broadsheet.gate.answers import Needs
from broadsheet.gate.app import Gate
from broadsheet.gate.asked import CookieNames, read_request
from broadsheet.gate.options import GateOptions, Seals
from broadsheet.gate.passes import GrantSeal
from broadsheet.gate.recorder import Recorder
from broadsheet.gate.shelf import Shelf
from broadsheet.gate.told import Told
from broadsheet.press.store import Facts, make_sheet, open_stores
from broadsheet.readers.passport import Passport, PassportOffice, Right

START = datetime(2027, 1, 30, 12, 0, tzinfo=UTC)
NAMES = CookieNames.for_site(https=True)


class Desk:
    """A gate, its stores and its clock."""

    def __init__(self, folder, **policy):
        self.now = START
        self.stores = open_stores(folder)
        self.stores.public.write_note("edition", 1)
        for story in range(1, 9):
            self.print(story, "metered")
        self.print(20, "premium")
        self.office = PassportOffice([b"p" * 32], "news.example")
        options = GateOptions(Policy(**policy), NAMES, frozenset({b"news.example"}), secure=True)
        seals = Seals(MeterSeal([b"m" * 32], "news.example"), self.office, GrantSeal([b"g" * 32], "news.example"))
        book = LocalBook(folder / "meter", limit=options.policy.free_limit, meters=1000)
        self.gate = Gate(options, Shelf(self.stores), seals, book=book, recorder=Recorder(), now=self.clock)
        self.cookies = {}

    def clock(self):
        return self.now

    def print(self, story, tier, version=1, mentions=(), edition=1):
        facts = Facts(story, version, f"/world/story-{story}", tier, "world", "published")
        walls = [
            make_sheet(f"story/{story}/{name}", name, version=version, edition=edition, mentions=mentions)
            for name in ("limit", "limit-signed-in", "register", "subscribe", "section", "away", "cookie")
        ]
        self.stores.full.put(
            make_sheet(
                f"story/{story}/full",
                f"full text {story} v{version}",
                version=version,
                edition=edition,
                mentions=mentions,
            )
        )
        self.stores.public.put(*walls, facts=facts)

    def get(self, story, *, method="GET", **more):
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = [(b"host", b"news.example"), (b"cookie", cookie.encode())]
        asked = read_request(method.encode(), f"/world/story-{story}".encode(), headers, NAMES, secure=True)
        answer = self.gate.answer(asked, Told(**more))
        for name, value in getattr(answer, "headers", []):
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer

    def reasons(self, *stories):
        return [dict(self.get(story).headers)["Broadsheet-Reason"] for story in stories]

    def sign_in(self, *rights, epoch=1, minutes=10):
        seconds = int(self.now.timestamp())
        passport = Passport(
            7, epoch, "session", staff=False, issued=seconds, expires=seconds + minutes * 60, rights=rights
        )
        self.cookies[NAMES.passport] = self.office.seal(passport)
        self.cookies[NAMES.session] = "s" * 32


@pytest.fixture
def desk(tmp_path):
    return lambda **policy: Desk(tmp_path, **policy)


def test_a_new_month_begins_a_new_allowance_once_and_in_the_publishers_zone(desk):
    at = desk(free_limit=2)
    assert at.reasons(1, 2, 3) == ["meter", "meter", "limit"]
    at.now = datetime(2027, 1, 31, 18, 29, 59, tzinfo=UTC)
    assert at.reasons(3) == ["limit"]
    at.now = datetime(2027, 1, 31, 18, 30, tzinfo=UTC)  # midnight in Kolkata
    assert at.reasons(3, 1, 4) == ["meter", "meter", "limit"]


def test_a_rolling_window_runs_from_the_first_read(desk):
    at = desk(free_limit=2, window="rolling:7")
    assert at.reasons(1) == ["meter"]
    at.now += timedelta(days=6, hours=23)
    assert at.reasons(2, 3, 1) == ["meter", "limit", "repeat"]
    at.now += timedelta(hours=1)
    assert at.reasons(3, 1, 2) == ["meter", "meter", "limit"]


def test_strict_mode_gives_nothing_to_a_client_that_keeps_no_cookie(desk):
    at = desk(mode="strict")
    assert at.reasons(1) == ["not_a_read"]
    assert at.reasons(1) == ["meter"]
    for _ in range(9):
        at.cookies.clear()
        assert at.reasons(2) == ["not_a_read"]


def test_login_mode_asks_visitors_to_register_and_lets_readers_read(desk):
    at = desk(mode="login")
    assert at.reasons(1) == ["login"]
    at.sign_in()
    at.gate.knows_reads(7, None, ())
    assert dict(at.get(1, taken=Taken("ok", (1,))).headers)["Broadsheet-Reason"] == "meter"


def test_a_limit_that_was_lowered_keeps_what_was_read_and_opens_nothing_new(tmp_path):
    at = Desk(tmp_path, free_limit=5)
    at.reasons(1, 2, 3, 4)
    lower = Desk(tmp_path, free_limit=3)
    lower.cookies = at.cookies
    assert lower.reasons(4, 1, 5) == ["repeat", "repeat", "limit"]


@pytest.mark.parametrize("window", ["week", "rolling:30", "rolling:2"])
def test_a_window_of_another_kind_gives_no_second_allowance_while_the_first_one_runs(desk, window):
    at = desk(free_limit=3)
    assert at.reasons(1, 2) == ["meter", "meter"]
    old = dict(at.cookies)
    at.gate.standing("policy", policy_values(replace(at.gate.policy, window=window, revision=1)))
    at.now += timedelta(hours=1)
    assert at.reasons(1, 3, 4) == ["repeat", "meter", "limit"]
    at.cookies = old
    assert at.reasons(2, 4, 3) == ["repeat", "limit", "repeat"]


def test_a_registered_readers_first_read_is_counted_by_the_server_before_a_byte_is_sent(desk):
    at = desk(registered_limit=2)
    at.sign_in()
    assert at.get(1) == Needs("reads", (7,))
    at.gate.knows_reads(7, None, (5,))
    assert at.reasons(5) == ["repeat"]
    assert at.get(1) == Needs("count", (7, "m202701", pack(1, section_code("world")), 2, None))
    assert dict(at.get(1, taken=Taken("ok", (5, 1))).headers)["Broadsheet-Reason"] == "meter"
    assert at.reasons(1, 2) == ["repeat", "limit"]
    # Another device was quicker: the server's word holds against what this worker remembers.
    at.gate.knows_reads(7, None, (5,))
    assert dict(at.get(3, taken=Taken("limit", (5, 6))).headers)["Broadsheet-Reason"] == "limit"


def test_rights_open_for_exactly_their_time(desk):
    at = desk()
    begin = int(START.timestamp())
    at.sign_in(Right("premium", begin, begin + 60))
    assert at.reasons(20) == ["entitled"]
    at.now += timedelta(seconds=59)
    assert at.reasons(20) == ["entitled"]
    at.now += timedelta(seconds=1)
    assert at.reasons(20) == ["premium"]


def test_a_passport_of_an_old_epoch_or_an_ended_session_is_asked_about_again(desk):
    at = desk()
    at.sign_in(Right("premium", 0, None))
    assert at.reasons(20) == ["entitled"]
    at.gate.reader_changed(7, 2)
    assert at.get(20) == Needs("passport", ("s" * 32,))
    assert dict(at.get(20, issued="").headers)["Broadsheet-Reason"] == "premium"
    assert at.cookies[NAMES.passport] == ""
    at.sign_in(Right("premium", 0, None), epoch=2)
    assert at.reasons(20) == ["entitled"]
    at.gate.session_ended("session")
    at.cookies.pop(NAMES.session)
    assert at.reasons(20) == ["premium"]


def test_a_passport_that_only_grew_old_is_good_for_a_day_while_nobody_can_renew_it(desk):
    at = desk()
    at.sign_in(Right("premium", 0, None), minutes=10)
    at.now += timedelta(minutes=10)
    assert at.get(20) == Needs("passport", ("s" * 32,))
    assert dict(at.get(20, away=True).headers)["Broadsheet-Reason"] == "entitled"
    at.gate.reader_changed(7, 2)
    assert at.get(20, away=True) == Needs("passport", ("s" * 32,))
    at.sign_in(Right("premium", 0, None), epoch=2, minutes=10)
    at.now += timedelta(hours=24, minutes=10)
    assert at.get(20, away=True) == Needs("passport", ("s" * 32,))


def test_an_expired_passport_is_worth_nothing_by_itself(desk):
    at = desk()
    at.sign_in(Right("premium", 0, None), minutes=10)
    at.cookies.pop(NAMES.session)
    at.now += timedelta(minutes=10)
    assert at.reasons(20) == ["premium"]


def test_sheets_of_an_older_version_or_edition_or_with_a_removed_story_are_not_served(desk):
    at = desk()
    at.print(1, "metered", mentions=(2,))
    assert at.reasons(1) == ["meter"]
    at.gate.shelf.story_changed(1, 2, notice=10, removed=False)
    assert at.get(1) == Needs("story", (1,))
    at.print(1, "metered", version=2, mentions=(2,))
    assert b"v2" in at.get(1).body
    at.gate.shelf.story_changed(2, 9, notice=11, removed=True)
    assert at.get(1) == Needs("story", (1,))
    at.print(1, "metered", version=2)
    at.gate.shelf.forget(1)
    assert at.reasons(1) == ["repeat"]
    at.stores.public.write_note("edition", 2)
    at.gate.shelf.look_at_edition()
    assert at.get(1) == Needs("story", (1,))


def test_a_front_printed_before_the_last_change_is_cold(desk):
    at = desk()
    at.stores.public.put(make_sheet("page/", "front", version=10, edition=1))
    asked = read_request(b"GET", b"/", [(b"host", b"news.example")], NAMES, secure=True)
    assert at.gate.answer(asked).body == b"front"
    at.gate.shelf.story_changed(1, 1, notice=11, removed=False)
    assert at.gate.answer(asked) == Needs("page", ("/",))


def test_public_answers_vary_by_cookie_so_that_no_browser_shows_a_payer_its_stored_wall(desk):
    at = desk()
    headers = at.get(20).headers
    assert dict(headers)["Cache-Control"].startswith("public")
    assert ("Vary", "Cookie") in headers
    at.sign_in()
    assert dict(at.get(20).headers)["Cache-Control"] == "private, no-store"


def test_cookies_are_sealed_httponly_lax_and_secure_over_https(desk):
    at = desk()
    line = dict(at.get(1).headers)["Set-Cookie"]
    assert line.startswith("__Host-bsm=")
    assert line.endswith("; Path=/; Max-Age=109800; HttpOnly; SameSite=Lax; Secure")  # to midnight in Kolkata
