"""Gifts and seats at the gate: what a browser is lent, what it is asked for first, and what gains nothing."""

import pytest
from tests.gate.test_app import NAMES, Desk

from broadsheet.gate.answers import Needs
from broadsheet.gate.asked import read_request
from broadsheet.gate.told import Told

CAMPUS = {"id": 3, "name": "Vellan College", "prefixes": ["192.0.2.0/25", "2001:db8:5::/48"],
          "products": ["unlimited", "premium"], "seats": 2, "start": 0, "end": None}  # fmt: skip


class Browser:
    """Requests with one jar, from one address; what the gate needs is answered from `ports`."""

    def __init__(self, desk, address="198.51.100.7", **ports):
        self.desk, self.address, self.ports, self.asked = desk, address, ports, []
        self.jar = {}

    def get(self, story, query=b"", method=b"GET", headers=()):
        cookie = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        lines = [(b"host", b"news.example"), (b"cookie", cookie.encode()), *headers]
        request = read_request(
            method, b"/world/story-%d" % story, lines, NAMES, secure=True, address=self.address, query=query
        )
        told = Told()
        while isinstance(answer := self.desk.gate.answer(request, told), Needs):
            self.asked.append(answer)
            slot = {"seat": "seat", "open_gift": "offered", "use_gift": "gift"}[answer.what]
            setattr(told, slot, self.ports[answer.what](*answer.key))
        for name, value in answer.headers:
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.jar[key] = rest.partition(";")[0]
        return answer

    def reason(self, story, **more):
        return dict(self.get(story, **more).headers).get("Broadsheet-Reason")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path, free_limit=1)


def gift_ports(desk, *, until=10**10, story=20):
    return {
        "open_gift": lambda token: {"gift": 5, "story": story, "until": until} if token == "t0ken" else {},
        "use_gift": lambda gift, story, device: until,
    }


def test_a_gift_is_taken_along_to_the_clean_address_and_used_up_by_its_first_read(desk):
    reader = Browser(desk, **gift_ports(desk))
    sent = reader.get(20, query=b"utm=x&gift=t0ken")
    assert (sent.status, dict(sent.headers)["Location"]) == (303, "/world/story-20")
    assert dict(sent.headers)["Cache-Control"] == "private, no-store"
    assert [needs.what for needs in reader.asked] == ["open_gift"]
    opened = reader.get(20)
    assert dict(opened.headers)["Broadsheet-Reason"] == "gift"
    assert dict(opened.headers)["Cache-Control"] == "private, no-store"
    assert opened.body == b"full text 20 v1"
    device = reader.asked[-1].key[2]
    assert reader.asked[-1] == Needs("use_gift", (5, 20, device))
    asked = len(reader.asked)
    assert reader.reason(20) == "gift"
    assert len(reader.asked) == asked


def test_a_gift_costs_nothing_of_the_meter_and_opens_no_other_story(desk):
    reader = Browser(desk, **gift_ports(desk, story=1))
    reader.get(1, query=b"gift=t0ken")
    assert [reader.reason(1), reader.reason(20), reader.reason(2), reader.reason(3)] == [
        "gift", "premium", "meter", "limit",
    ]  # fmt: skip


def test_a_client_without_a_jar_or_a_preview_uses_no_device_up(desk):
    used = []
    reader = Browser(desk, open_gift=gift_ports(desk)["open_gift"], use_gift=lambda *key: used.append(key) or 10**10)
    for hint in ((), ((b"sec-purpose", b"prefetch"),)):
        assert reader.get(20, query=b"gift=t0ken", headers=hint).status == 303
        reader.jar.clear()
        assert reader.reason(20) == "premium"
    reader.get(20, query=b"gift=t0ken")
    assert reader.reason(20, method=b"HEAD") == "premium"
    assert used == []


@pytest.mark.parametrize("query", [b"gift=other", b"gift=", b"GIFT=t0ken", b"x=gift=t0ken"])
def test_a_token_that_is_none_opens_nothing(desk, query):
    reader = Browser(desk, **gift_ports(desk))
    assert NAMES.grants not in reader.jar
    reader.get(20, query=query)
    assert NAMES.grants not in reader.jar
    assert reader.reason(20) == "premium"


def test_a_refused_revoked_or_lapsed_gift_falls_back_to_the_storys_own_rules(desk):
    refused = Browser(desk, open_gift=gift_ports(desk)["open_gift"], use_gift=lambda *_: 0)
    refused.get(20, query=b"gift=t0ken")
    assert [refused.reason(20), refused.reason(20)] == ["premium", "premium"]
    assert [needs.what for needs in refused.asked] == ["open_gift", "use_gift"]
    revoked = Browser(desk, **gift_ports(desk))
    revoked.get(20, query=b"gift=t0ken")
    assert revoked.reason(20) == "gift"
    desk.gate.gift_revoked(5)
    assert revoked.reason(20) == "premium"
    late = Browser(desk, **gift_ports(desk, until=int(desk.now.timestamp()) + 10))
    desk.gate.lending._revoked.drop(5)
    late.get(20, query=b"gift=t0ken")
    assert late.reason(20) == "gift"


def test_a_seat_needs_a_browser_that_keeps_its_cookie(desk):
    desk.gate.standing("institutions", [CAMPUS])
    seats = []
    reader = Browser(desk, address="192.0.2.9", seat=lambda *key: seats.append(key) or 10**10)
    sent = reader.get(20)
    assert (sent.status, dict(sent.headers)["Location"]) == (303, "/world/story-20?seat=1")
    assert seats == []
    assert reader.reason(20, query=b"seat=1") == "institution"
    assert [reader.reason(20), reader.reason(1), reader.reason(2)] == ["institution"] * 3
    assert len(seats) == 1
    robot = Browser(desk, address="192.0.2.9", seat=lambda *key: seats.append(key) or 10**10)
    for _ in range(3):
        assert robot.get(20).status == 303
        robot.jar.clear()
        assert robot.reason(20, query=b"seat=1") == "premium"
        robot.jar.clear()
    assert len(seats) == 1


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.0.2.127", True), ("192.0.2.128", False), ("191.255.255.255", False), ("2001:db8:5:1::9", True),
        ("2001:db8:6::1", False), ("::ffff:192.0.2.5", True), ("", False), ("unix:", False), ("192.0.2.5.evil", False),
    ],
)  # fmt: skip
def test_an_institutions_network_ends_where_it_ends(desk, address, inside):
    desk.gate.standing("institutions", [CAMPUS])
    reader = Browser(desk, address=address, seat=lambda *_: 10**10)
    assert (reader.get(20).status == 303) == inside


def test_a_full_institution_leaves_the_meter_and_is_not_asked_at_every_page(desk):
    desk.gate.standing("institutions", [CAMPUS])
    reader = Browser(desk, address="192.0.2.9", seat=lambda *_: 0)
    reader.get(1)
    assert [reader.reason(1, query=b"seat=1"), reader.reason(2), reader.reason(20)] == ["meter", "limit", "premium"]
    assert [needs.what for needs in reader.asked] == ["seat"]


def test_no_shared_cache_may_keep_a_wall_that_an_institution_opens(desk):
    assert dict(Browser(desk).get(20).headers)["Cache-Control"].startswith("public")
    desk.gate.standing("institutions", [CAMPUS])
    assert dict(Browser(desk).get(20).headers)["Cache-Control"] == "private, no-store"


def test_an_institution_that_left_takes_its_seats_along(desk):
    desk.gate.standing("institutions", [CAMPUS])
    reader = Browser(desk, address="192.0.2.9", seat=lambda *_: 10**10)
    reader.get(20)
    assert reader.reason(20, query=b"seat=1") == "institution"
    desk.gate.standing("institutions", [{**CAMPUS, "end": int(desk.now.timestamp())}])
    assert reader.reason(20) == "premium"
    desk.gate.standing("institutions", [])
    assert reader.reason(20) == "premium"


def test_a_grant_cookie_that_was_edited_is_as_none(desk):
    reader = Browser(desk, **gift_ports(desk))
    reader.get(20, query=b"gift=t0ken")
    assert reader.reason(20) == "gift"
    whole = reader.jar[NAMES.grants]
    for at in range(0, len(whole) - 1, 3):
        reader.jar[NAMES.grants] = whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :]
        assert reader.reason(20) == "premium"
