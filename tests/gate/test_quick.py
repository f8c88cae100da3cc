"""The short road says what the general road says: two gates, one of them without it, hear the same requests."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from broadsheet.access.book import Taken
from broadsheet.access.local_book import LocalBook
from broadsheet.access.meter import Meter, MeterSeal, pack, section_code
from broadsheet.access.recall import read
from broadsheet.access.records import RecordBook
from broadsheet.access.rules import Policy, policy_values
from broadsheet.gate.answers import Answer, Needs
from broadsheet.gate.app import Gate
from broadsheet.gate.asked import ENCODINGS, CookieNames, read_request
from broadsheet.gate.options import GateOptions, Seals
from broadsheet.gate.passes import GIFT, Grants, GrantSeal, Pass
from broadsheet.gate.quick import Counting, ShortRoad
from broadsheet.gate.recorder import Recorder
from broadsheet.gate.shelf import Shelf
from broadsheet.gate.told import Told
from broadsheet.press.store import Facts, make_sheet, open_stores
from broadsheet.readers.passport import Passport, PassportOffice, Right

START = datetime(2027, 1, 30, 12, 0, tzinfo=UTC)
NAMES = CookieNames.for_site(https=False)
SITE = "news.example"
METERS, OFFICE, GRANTS = MeterSeal([b"m" * 32], SITE), PassportOffice([b"p" * 32], SITE), GrantSeal([b"g" * 32], SITE)
WALLS = ("limit", "limit-signed-in", "register", "subscribe", "section", "section-signed-in", "away", "cookie")
STORIES = {
    1: "metered",
    2: "metered",
    3: "metered",
    4: "metered",
    5: "metered",
    6: "free",
    7: "premium",
    8: "registered",
}
SECTIONS = ("world", "sport")


class FarBook(LocalBook):
    """Answers as one on another machine does: later."""

    def take(self, *_):
        return None

    def take_later(self, *asked):
        *rest, done = asked
        done(super().take(*rest))


class Pair:
    """Two gates in the same state: `short` has the short road, `plain` is only ever asked the general way. `general` is
    what the latter answered last."""

    def __init__(self, folder, policy, book=LocalBook, *, ads=False):
        self.ads, self.general = ads, None
        self.now, self.tick = START + timedelta(seconds=0.1), 1.0
        stores = open_stores(folder / "press")
        stores.public.write_note("edition", 1)
        for story, tier in STORIES.items():
            facts = Facts(story, 1, self.path(story), tier, SECTIONS[story % 2], "published", emergency_free=story == 5)
            for variant in ("", "ads/") if ads else ("",):
                key, words = f"story/{story}/{variant}", f"{variant}{{}} {story}"
                walls = [make_sheet(key + name, words.format(name), version=1, edition=1) for name in WALLS]
                stores.public.put(*walls, facts=facts)
                stores.full.put(make_sheet(f"{key}full", words.format("full"), version=1, edition=1))
        self.stores, self.books = stores, {}
        self.short, self.plain = self.gate(folder / "short", policy, book), self.gate(folder / "plain", policy)
        self.road, self.taken = ShortRoad(self.short), {}

    @staticmethod
    def path(story):
        return f"/{SECTIONS[story % 2]}/story-{story}"

    def gate(self, folder, policy, book=LocalBook):
        self.books[folder] = RecordBook(folder)
        return Gate(
            GateOptions(policy, NAMES, frozenset({SITE.encode()}), secure=False, ads=self.ads),
            Shelf(self.stores),
            Seals(METERS, OFFICE, GRANTS),
            book=book(folder / "meter", limit=5, meters=400, budget=9),
            recorder=Recorder(b"s" * 32, self.books[folder]),
            now=lambda: self.now,
        )

    def ask(self, story, cookies, encoding, address):
        path = self.path(story)
        headers = [(b"host", SITE.encode()), (b"accept-encoding", encoding.encode()), (b"cookie", cookies.encode())]
        asked = read_request(b"GET", path.encode(), headers, NAMES, secure=False, address=address)
        general = self.general = self.plain.answer(asked)
        held = self.short.shelf.at(path.encode())
        written = held and self.road.page(held, cookies, ENCODINGS.index(encoding), address, self.tick)
        told = Told()
        if isinstance(written, Counting):
            told, written = self.counted(written)
        if written is None:
            ours = self.short.answer(asked, told)
            if isinstance(ours, Needs) and ours.what == "take":
                told.meter = ours.key[0]
                self.short.book.take_later(*ours.key, lambda taken: setattr(told, "taken", taken))
                ours = self.short.answer(asked, told)
            assert type(ours) is type(general)
            if isinstance(ours, Answer):
                assert (ours.head, ours.body) == (general.head, general.body)
            return self.set_by(ours.extra) if isinstance(ours, Answer) else None
        head, line, body = written
        assert isinstance(general, Answer)
        assert (head, body) == (general.head.wire, general.body)
        ours = [tuple(line.decode().removesuffix("\r\n").split(": ", 1))] if line else []
        assert [self.opened(extra) for extra in ours] == [self.opened(extra) for extra in general.extra]
        reason = dict(general.headers)["Broadsheet-Reason"]
        self.taken[reason] = self.taken.get(reason, 0) + 1
        return self.set_by(ours)

    def counted(self, counting):
        told = Told(meter=counting.meter)
        asked = (counting.meter, counting.held.read, counting.row.limit, None, counting.network, counting.now)
        self.short.book.take_later(*asked, lambda taken: setattr(told, "taken", taken))
        return told, self.road.counted(counting, told.taken, self.tick)

    @staticmethod
    def opened(extra):
        """A Set-Cookie line with what is in it; a new meter's id is by chance."""
        name, _, rest = extra[1].partition("=")
        value, _, attributes = rest.partition("; ")
        assert (extra[0], name) == ("Set-Cookie", NAMES.meter)
        return METERS.open(value)[1:], attributes

    @staticmethod
    def set_by(extra):
        found = [value.partition(";")[0] for name, value in extra if value.startswith(NAMES.meter)]
        return found[0] if found else None

    def recorded(self):
        """What each gate wrote down, without who it was: new meters have ids of their own."""
        rows = []
        for folder, book in self.books.items():
            book.flush()
            rows.append([record._replace(who=b"") for record in read(folder, START, START + timedelta(9))])
        return rows


def passport(at, draw):
    seconds = int(at.now.timestamp())
    spans = [(-50, None), (-50, 50), (-50, -10), (10, 50)]
    rights = [Right(draw.choice(("unlimited", "premium", "ad_free")), seconds + a, b and seconds + b)
              for a, b in draw.sample(spans, draw.randint(0, 3))]  # fmt: skip
    issued = seconds - draw.choice((0, 30, 700))
    return OFFICE.seal(Passport(
        draw.randint(1, 9), draw.randint(1, 2), f"session{draw.randint(1, 9)}", draw.random() < 0.1, issued,
        issued + 600, tuple(rights), "Asha",
    ))  # fmt: skip


def cookie_header(at, draw, jar):
    kind = draw.random()
    if kind < 0.25:
        return f"{NAMES.passport}={passport(at, draw)}" + draw.choice(("", "; other=1", f"; {jar[0]}"))
    if kind < 0.3:
        reads = tuple(pack(story, section_code(SECTIONS[story % 2])) for story in draw.sample(range(1, 40), 3))
        window = draw.choice(("m202612", "m202701", "w20270125", "r7-1801300000"))
        return f"{NAMES.meter}={METERS.seal(Meter(draw.randbytes(16), window, 1801300000, reads))}"
    if kind < 0.35:
        held = draw.choice(((), (Pass(GIFT, 9, draw.randint(1, 3), int(at.now.timestamp()) + 60),)))
        return f"{draw.choice(jar)}; {NAMES.grants}={GRANTS.seal(Grants(b'd' * 16, held))}"
    if kind < 0.45:
        return draw.choice(("", "a=b", f"{NAMES.meter}=", f"{NAMES.meter}=forged", f"x{jar[0]}", f"{NAMES.session}=s"))
    return draw.choice(("{}", "{}", "{}", "a=b; {}", "{}; a=b; c")).format(draw.choice(jar))


POLICIES = [
    Policy(free_limit=2),
    Policy(free_limit=5, mode="login"),
    Policy(free_limit=3, mode="strict"),
    Policy(free_limit=3, section_limits={"sport": 1}),
    Policy(free_limit=2, window="rolling:7"),
    Policy(free_limit=1, emergency=True),
]


@pytest.mark.parametrize("book", [LocalBook, FarBook])
@pytest.mark.parametrize("policy", POLICIES, ids=range(len(POLICIES)))
def test_the_two_roads_say_the_same(tmp_path, policy, book):
    at, draw = Pair(tmp_path, policy, book), random.Random(policy.free_limit)
    jar = [""]
    for number in range(1500):
        story, cookies = draw.choice(list(STORIES)), cookie_header(at, draw, jar)
        given = at.ask(story, cookies, draw.choice(ENCODINGS), f"192.0.{draw.randint(1, 60)}.7")
        if given:
            jar = [given, *jar][:12]  # old ones are put back now and then
        at.tick += 1
        at.now += timedelta(seconds=draw.choice((0, 0.2, 1, 60)))
        change = draw.random()
        for gate in (at.short, at.plain):
            if change < 0.003:
                gate.reader_changed(2, 2)
            elif change < 0.006:
                gate.session_ended("session2")
            elif change < 0.01:
                gate.standing("policy", policy_values(Policy(free_limit=number % 4) if number % 2 else policy))
            elif change < 0.013:
                gate.standing("institutions", [] if number % 2 else [{
                    "id": 1, "name": "A library", "prefixes": ["192.0.0.0/20"], "products": ["unlimited"], "seats": 3,
                    "start": 0, "end": None,
                }])  # fmt: skip
    short, plain = at.recorded()
    assert short == plain
    assert len(short) > 500
    if not policy.emergency:
        assert at.taken["entitled"] > 20
    if policy == POLICIES[0]:
        assert min(at.taken[reason] for reason in ("meter", "repeat", "limit", "free")) > 20


@pytest.mark.parametrize("change", ["story", "policy", "institutions", "month", "refused"])
def test_what_changed_while_a_read_was_counted_is_for_the_general_road(tmp_path, change):
    at = Pair(tmp_path, POLICIES[0], FarBook)
    at.ask(1, "", "gzip", "192.0.2.1")
    held = at.short.shelf.at(at.path(1).encode())
    counting = at.road.page(held, "", 0, "192.0.2.1", at.tick)
    assert isinstance(counting, Counting)
    taken = Taken("ok", (held.read,))
    assert at.road.counted(counting, taken, at.tick)[2] == held.sheets["full"].gzip
    if change == "story":
        at.short.shelf.story_changed(1, 2, 1, removed=True)
    elif change == "policy":
        at.short.standing("policy", policy_values(Policy(free_limit=1, revision=1)))
    elif change == "institutions":
        at.short.standing("institutions", [
            {"id": 1, "name": "A", "prefixes": [], "products": ["unlimited"], "seats": 1, "start": 0, "end": None}
        ])  # fmt: skip
    elif change == "month":
        at.now, at.tick = at.now + timedelta(days=9), at.tick + 1
    else:
        taken = Taken("limit", (held.read,))
    assert at.road.counted(counting, taken, at.tick) is None
