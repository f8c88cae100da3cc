"""Gifts: who may give what, what a link opens, and that no order, race or trick gets more out of it."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from django.test import Client
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.access import queries
from broadsheet.access.actions import GiftRefusedError
from broadsheet.access.meter import pack
from broadsheet.access.models import Gift, GiftUse, Institution, MeterRead
from broadsheet.access.rules import policy_values
from broadsheet.account import actions
from broadsheet.bus.models import Notice
from broadsheet.newsroom.actions import withdraw_story
from broadsheet.readers.models import Reader
from tests import make

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
NOW = make.NOW  # 10 January 2027, noon in the publisher's zone
MONTH = "m202701"


def option(settings, **values):
    """The installation's options with other values."""
    settings.BROADSHEET = replace(settings.BROADSHEET, **values)


def subscriber(email="asha@reader.example", products=("unlimited", "premium"), ends_at=None, now=NOW):
    reader = make.reader(email)
    for name in products:
        access.grant(reader_id=reader.pk, product=name, starts_at=now, ends_at=ends_at, source=f"test:{email}")
    return reader.pk


def give(reader, story, now=NOW):
    return actions.give_story(reader_id=reader, story_id=story, now=now)


def opened(token, now=NOW):
    return actions.open_gift(token=token, now=now)


def used(gift, story, device="phone", now=NOW):
    return actions.use_gift(gift=gift, story=story, device=device, now=now)


def refusal(reader, story, now=NOW):
    before = list(Gift.objects.values())
    with pytest.raises(GiftRefusedError) as refused:
        give(reader, story, now)
    assert list(Gift.objects.values()) == before
    return refused.value.reason


# --- who may give -----------------------------------------------------------------------------------------------
RIGHTS = {
    "nothing": (),
    "unlimited": ("unlimited",),
    "premium": ("premium",),
    "both": ("unlimited", "premium"),
    "other": ("e-paper",),
}
MAY_GIVE = {
    ("metered", "unlimited"), ("metered", "both"), ("registered", "unlimited"), ("registered", "both"),
    ("premium", "premium"), ("premium", "both"),
}  # fmt: skip


@pytest.mark.parametrize(("tier", "rights"), list(product(["metered", "registered", "premium"], RIGHTS)))
def test_who_may_read_it_by_a_right_of_their_own_may_give_it(tier, rights):
    story, reader = make.story(tier=tier), subscriber(products=RIGHTS[rights])
    if (tier, rights) in MAY_GIVE:
        assert opened(give(reader, story).token)["story"] == story
    else:
        assert refusal(reader, story) == "not_entitled"


@pytest.mark.parametrize("tier", ["metered", "registered", "premium"])
def test_staff_may_give(tier):
    story, editor = make.story(tier=tier), make.reader(is_staff=True).pk
    assert opened(give(editor, story).token)["story"] == story


def test_a_right_gives_from_its_first_second_to_its_last():
    story, end = make.story(tier="premium"), NOW + timedelta(days=3)
    reader = subscriber(ends_at=end)
    assert refusal(reader, story, NOW - timedelta(seconds=1)) == "not_entitled"
    assert refusal(reader, story, end) == "not_entitled"
    assert give(reader, story, end - timedelta(seconds=1))


def test_nothing_lent_is_given_on(settings):
    """A read of the meter, a seat and a gift open a story to somebody; none of them is theirs to give."""
    story = make.story(tier="metered")
    ravi = make.reader("ravi@reader.example").pk
    access.count_read(reader_id=ravi, window=MONTH, read=pack(story, 1), limit=9, section_limit=None, now=NOW)
    assert MeterRead.objects.filter(reader=ravi, story_id=story).exists()
    access.keep_institution(
        institution=Institution(
            name="C", prefixes="203.0.113.0/24", products=["unlimited", "premium"], starts_at=NOW, seats=1
        ),
        now=NOW,
    )
    assert access.take_seat(institution_id=Institution.objects.get().pk, holder="ravi's phone", now=NOW)
    gift = give(subscriber(), story)
    assert used(gift.id, story, "ravi's phone")
    assert refusal(ravi, story) == "not_entitled"


@pytest.mark.parametrize("paper_wide", [False, True])
def test_what_is_free_for_everyone_needs_no_gift(paper_wide):
    reader = subscriber()
    if paper_wide:
        story = make.story(tier="premium")
        standing = give(reader, story).token
        access.switch_policy(values={**policy_values(queries.current_policy()), "emergency": True}, by=None, now=NOW)
        assert opened(standing) is not None  # an old link is as good as it was
        assert refusal(reader, make.story(tier="metered")) == "free"
    else:
        story = make.story(tier="free")
    assert refusal(reader, story) == "free"


def test_a_story_that_is_not_in_the_paper_cannot_be_given():
    reader = subscriber()
    story = make.story(tier="premium")
    gift = give(reader, story)
    withdraw_story(story_id=story, reason="killed", now=NOW)
    assert refusal(reader, story) == "absent"
    assert refusal(reader, make.story(tier="premium", publish=False)) == "absent"
    assert refusal(reader, 10**9) == "absent"
    assert (opened(gift.token), used(gift.id, story)) == (None, 0)


def test_gifts_can_be_switched_off(settings):
    story, reader = make.story(tier="premium"), subscriber()
    gift = give(reader, story)
    option(settings, gift_quota=0)
    assert refusal(reader, story) == "off"
    assert (opened(gift.token), used(gift.id, story)) == (None, 0)


# --- the quota --------------------------------------------------------------------------------------------------
def test_a_months_gifts_are_counted_in_the_publishers_zone(settings):
    option(settings, gift_quota=2)
    reader = subscriber(now=NOW - timedelta(days=40))
    stories = [make.story(tier="premium") for _ in range(4)]
    last_of_january = NOW.replace(day=31, hour=18, minute=29, second=59)  # 23:59:59 in Kolkata
    give(reader, stories[0]), give(reader, stories[1], last_of_january)
    assert queries.gifts_left(reader, last_of_january) == 0
    assert refusal(reader, stories[2], last_of_january) == "quota"
    february = last_of_january + timedelta(seconds=1)
    assert queries.gifts_left(reader, february) == 2
    give(reader, stories[2], february), give(reader, stories[3], february)
    assert refusal(reader, make.story(tier="premium"), february) == "quota"


def test_a_gift_of_a_months_first_instant_is_that_months():
    reader, february = subscriber(), NOW.replace(day=31, hour=18, minute=30, second=0)
    give(reader, make.story(tier="premium"), february)
    assert [queries.gifts_left(reader, february - timedelta(seconds=ago)) for ago in (0, 1)] == [9, 10]


def test_the_same_story_again_is_the_same_link_and_costs_nothing(settings):
    option(settings, gift_quota=1)
    reader, story = subscriber(), make.story(tier="premium")
    first = give(reader, story)
    assert give(reader, story, NOW + timedelta(days=13)) == first
    assert Gift.objects.count() == 1
    assert queries.gifts_left(reader, NOW) == 0


def test_taking_back_gives_no_gift_back(settings):
    option(settings, gift_quota=1)
    reader, story = subscriber(), make.story(tier="premium")
    gift = give(reader, story)
    access.revoke_gift(gift_id=gift.id, giver_id=reader, now=NOW)
    assert refusal(reader, story) == "quota"


def test_after_the_end_the_same_story_is_a_new_link():
    reader, story = subscriber(), make.story(tier="premium")
    first = give(reader, story)
    access.revoke_gift(gift_id=first.id, giver_id=reader, now=NOW)
    second = give(reader, story)
    third = give(reader, story, NOW + timedelta(days=14))
    assert len({first.token, second.token, third.token}) == 3
    assert opened(first.token) is None


# --- what a link opens ------------------------------------------------------------------------------------------
def test_a_link_opens_its_story_for_two_weeks():
    story = make.story(tier="premium")
    gift = give(subscriber(), story, NOW + timedelta(microseconds=5))
    until = NOW + timedelta(days=14)
    last = until - timedelta(seconds=1)
    assert opened(gift.token, last) == {"gift": gift.id, "story": story, "until": int(until.timestamp())}
    assert used(gift.id, story, now=last) == int(until.timestamp())
    assert opened(gift.token, until) is None
    assert used(gift.id, story, now=until) == 0
    assert used(gift.id, story, "laptop", now=until) == 0


def test_looking_uses_nothing_up(settings):
    option(settings, gift_devices=1)
    story = make.story(tier="premium")
    gift = give(subscriber(), story)
    for _ in range(20):
        assert opened(gift.token)
    assert not GiftUse.objects.exists()
    assert used(gift.id, story)


def test_devices_count_once_each_up_to_the_cap(settings):
    option(settings, gift_devices=3)
    story = make.story(tier="premium")
    gift = give(subscriber(), story)
    option(settings, gift_devices=9)  # what was promised with the link holds
    assert all(used(gift.id, story, device) for device in "aabacb")
    assert used(gift.id, story, "d") == 0
    assert used(gift.id, story, "a")
    assert queries.gifts_of(Gift.objects.get().giver_id)[0].opened == 3
    assert GiftUse.objects.count() == 3


OTHERWISE = ["other story", "expired", "revoked", "one device too many", "giver lapsed", "giver gone", "giver closed"]


@pytest.mark.parametrize("how", OTHERWISE)
@pytest.mark.parametrize("tier", ["metered", "registered", "premium"])
@pytest.mark.parametrize("known", [False, True])
def test_every_refusal_and_nothing_changes(settings, how, tier, known):
    """`known`: the device has opened the gift before. It is no better off, but for the cap on devices."""
    option(settings, gift_devices=1)
    end = NOW + timedelta(days=5)
    story, other, reader = make.story(tier=tier), make.story(tier=tier), subscriber(ends_at=end)
    gift = give(reader, story)
    if known or how == "one device too many":
        used(gift.id, story, "phone" if known else "first")
    asked, now = story, NOW + timedelta(days=1)
    if how == "other story":
        asked = other
    elif how == "expired":
        now = NOW + timedelta(days=14)
        access.grant(reader_id=reader, product="unlimited", starts_at=NOW, ends_at=None, source="more")
        access.grant(reader_id=reader, product="premium", starts_at=NOW, ends_at=None, source="more")
    elif how == "revoked":
        assert access.revoke_gift(gift_id=gift.id, giver_id=reader, now=NOW)
    elif how == "giver lapsed":
        now = end
    elif how == "giver gone":
        Reader.objects.filter(pk=reader).update(is_active=False)
    elif how == "giver closed":
        Reader.objects.filter(pk=reader).delete()
    before = list(GiftUse.objects.values())
    until = used(gift.id, asked, now=now)
    if how == "one device too many" and known:
        assert until  # it is the one
    else:
        assert until == 0
    assert list(GiftUse.objects.values()) == before
    still_a_link = how in ("other story", "one device too many")
    assert (opened(gift.token, now) is not None) == still_a_link


def test_a_giver_who_comes_back_brings_the_link_back():
    story, reader = make.story(tier="premium"), subscriber(ends_at=NOW + timedelta(days=2))
    gift = give(reader, story)
    lapsed = NOW + timedelta(days=3)
    assert opened(gift.token, lapsed) is None
    access.grant(reader_id=reader, product="premium", starts_at=lapsed, ends_at=None, source="again")
    assert opened(gift.token, lapsed)


def test_a_story_that_became_premium_is_given_by_who_has_premium():
    from broadsheet.newsroom.models import Article

    story = make.story(tier="metered")
    plain, full = subscriber("p@reader.example", ("unlimited",)), subscriber("f@reader.example")
    gifts = give(plain, story), give(full, story)
    Article.objects.filter(pk=story).update(tier="premium")
    assert [opened(gift.token) is not None for gift in gifts] == [False, True]
    assert [bool(used(gift.id, story)) for gift in gifts] == [False, True]


@pytest.mark.parametrize(
    "token", ["", "x", "A" * 22, "A" * 5000, "ख़बर", "\udcff", "../../etc", "' OR 1=1 --", "\x00", "=" * 22]
)
def test_no_other_token_opens_anything(token):
    give(subscriber(), make.story(tier="premium"))
    assert opened(token) is None


def test_an_edited_token_is_no_token():
    token = give(subscriber(), make.story(tier="premium")).token
    assert len(token) == 22
    for place in range(len(token) - 1):
        other = "A" if token[place] != "A" else "B"
        assert opened(token[:place] + other + token[place + 1 :]) is None
    assert opened(token + "A") is None
    assert opened(token.swapcase()) is None


def test_the_token_is_not_in_the_database():
    gift = give(subscriber(), make.story(tier="premium"))
    used(gift.id, gift.story, "device-1234")
    kept = repr([list(Gift.objects.values()), list(GiftUse.objects.values())])
    assert gift.token not in kept
    assert "device-1234" not in kept


def test_a_link_outlives_the_secret_it_was_made_with(settings, client):
    reader, story = subscriber(now=clock.now()), make.story(tier="premium", now=clock.now())
    first = give(reader, story, clock.now())
    settings.BROADSHEET_SECRET = b"another secret of this installation"
    assert opened(first.token, clock.now())
    client.force_login(Reader.objects.get(pk=reader), backend=BACKEND)
    page = client.get("/account/gifts/")
    assert "can no longer be shown here" in text(page)
    assert "?gift=" not in page.content.decode()
    second = give(reader, story, clock.now())
    assert second.id != first.id
    assert opened(second.token, clock.now())


def test_two_gifts_know_nothing_of_each_others_devices():
    stories = [make.story(tier="premium") for _ in range(2)]
    reader = subscriber()
    for story in stories:
        used(give(reader, story).id, story, "phone")
    assert len(set(GiftUse.objects.values_list("device", flat=True))) == 2


def test_taking_back_tells_every_gate_once_and_is_the_givers_alone():
    reader, story = subscriber(), make.story(tier="premium")
    ravi = subscriber("ravi@reader.example")
    gift = give(reader, story)
    assert not access.revoke_gift(gift_id=gift.id, giver_id=ravi, now=NOW)
    assert opened(gift.token)
    assert not Notice.objects.filter(kind="gift").exists()
    assert access.revoke_gift(gift_id=gift.id, giver_id=reader, now=NOW)
    assert access.revoke_gift(gift_id=gift.id, giver_id=reader, now=NOW)
    assert list(Notice.objects.filter(kind="gift").values_list("key", flat=True)) == [str(gift.id)]


def test_old_gifts_are_forgotten_after_two_months():
    reader = subscriber()
    gift = give(reader, make.story(tier="premium"))
    used(gift.id, gift.story)
    end = NOW + timedelta(days=74)
    access.purge(now=end)
    assert Gift.objects.exists()
    access.purge(now=end + timedelta(seconds=1))
    assert not Gift.objects.exists()
    assert not GiftUse.objects.exists()


class Gifts(RuleBasedStateMachine):
    """Two givers, three stories, four devices, any order: quota, cap, term and revocation hold exactly."""

    quota, cap = 2, 2

    def __init__(self):
        super().__init__()
        Gift.objects.all().delete()
        Reader.objects.all().delete()
        self.stories = [make.story(tier="premium") for _ in range(3)]
        self.givers = [subscriber(f"g{number}@reader.example", now=NOW - timedelta(days=1)) for number in range(2)]
        self.now = NOW
        self.made = {}  # gift id -> [giver, story, token, created, devices, revoked]

    def _live(self, one):
        return not one[5] and self.now < one[3] + timedelta(days=14)

    @rule(giver=st.integers(0, 1), story=st.integers(0, 2))
    def gives(self, giver, story):
        standing = [gift for gift, one in self.made.items() if one[0] == giver and one[1] == story and self._live(one)]
        month = [one for one in self.made.values() if one[0] == giver and one[3].month == self.now.month]
        if not standing and len(month) == self.quota:
            assert refusal(self.givers[giver], self.stories[story], self.now) == "quota"
            return
        row = give(self.givers[giver], self.stories[story], self.now)
        if standing:
            assert [row.id] == standing
            assert row.token == self.made[row.id][2]
        else:
            assert row.id not in self.made
            self.made[row.id] = [giver, story, row.token, self.now, set(), False]

    @rule(data=st.data(), story=st.integers(0, 2), device=st.sampled_from("abcd"))
    def opens(self, data, story, device):
        if not self.made:
            return
        gift = data.draw(st.sampled_from(sorted(self.made)))
        one = self.made[gift]
        found = opened(one[2], self.now)
        assert (found is not None) == self._live(one)
        until = used(gift, self.stories[story], device, self.now)
        fits = device in one[4] or len(one[4]) < self.cap
        assert bool(until) == (self._live(one) and story == one[1] and fits)
        if until:
            one[4].add(device)

    @rule(data=st.data(), giver=st.integers(0, 1))
    def takes_back(self, data, giver):
        if not self.made:
            return
        gift = data.draw(st.sampled_from(sorted(self.made)))
        mine = self.made[gift][0] == giver
        assert access.revoke_gift(gift_id=gift, giver_id=self.givers[giver], now=self.now) == mine
        self.made[gift][5] |= mine

    @rule(days=st.integers(1, 9))
    def waits(self, days):
        self.now += timedelta(days=days)


def test_any_sequence_of_gifts_keeps_its_bounds(settings):
    option(settings, gift_quota=Gifts.quota, gift_devices=Gifts.cap)
    run_state_machine_as_test(
        Gifts, settings=hypothesis_settings(max_examples=15, stateful_step_count=25, deadline=None)
    )


# --- the pages --------------------------------------------------------------------------------------------------
@pytest.fixture
def asha(client):
    reader = subscriber(now=clock.now() - timedelta(days=1))
    client.force_login(Reader.objects.get(pk=reader), backend=BACKEND)
    return reader


@pytest.fixture
def story():
    return make.story(tier="premium", headline="Harbour dues rise", body_html=f"<p>Lead.</p>{make.body()}")


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def link_of(answer):
    return re.search(r'type="text" value="([^"]+)" readonly', answer.content.decode()).group(1)


def test_looking_makes_no_link_and_a_post_makes_one(client, asha, story):
    page = client.get(f"/account/gift/{story}/")
    assert "Harbour dues rise" in text(page)
    assert "10 of 10 gifts left this month" in text(page)
    assert client.head(f"/account/gift/{story}/").status_code == 200
    assert not Gift.objects.exists()
    made = client.post(f"/account/gift/{story}/")
    assert (made.status_code, made.url) == (302, f"/account/gift/{story}/")
    page = client.get(made.url)
    row = queries.gifts_of(asha)[0]
    path = f"/national/harbour-dues-rise-{story}"
    assert link_of(page) == f"http://localhost:8000{path}?gift={row.token}"
    assert "on up to 10 devices until" in text(page)
    assert "Opened on 0 of 10 devices so far" in text(page)
    client.post(f"/account/gift/{story}/")
    assert Gift.objects.count() == 1


def test_pages_of_gifts_are_nobody_elses_to_keep(client, asha, story):
    client.post(f"/account/gift/{story}/")
    for path in (f"/account/gift/{story}/", "/account/gifts/"):
        assert client.get(path).headers["Cache-Control"] == "private, no-store"


def test_no_page_of_a_gift_has_the_storys_body(client, asha, story):
    stranger = Client()
    stranger.force_login(make.reader("ravi@reader.example"), backend=BACKEND)
    client.post(f"/account/gift/{story}/")
    hidden = make.paragraph(5)[:40]
    for browser, path in product((client, stranger), (f"/account/gift/{story}/", "/account/gifts/")):
        assert hidden not in browser.get(path).content.decode()


def test_who_has_no_right_is_led_to_the_plans(story):
    stranger = Client()
    stranger.force_login(make.reader("ravi@reader.example"), backend=BACKEND)
    for call in (stranger.get, stranger.post):
        page = call(f"/account/gift/{story}/")
        assert page.status_code == 403
        assert "Giving stories is for subscribers" in text(page)
        assert f'href="/subscribe/?next=%2Fnational%2Fharbour-dues-rise-{story}"' in page.content.decode()
    assert not Gift.objects.exists()


def test_a_visitor_logs_in_first(story):
    for call in (Client().get, Client().post):
        page = call(f"/account/gift/{story}/")
        assert page.status_code == 302
        assert page.url == f"/account/sign-in/?next=/account/gift/{story}/"
    assert not Gift.objects.exists()


def test_a_free_story_is_sent_by_its_own_address(client, asha):
    free = make.story(tier="free", headline="Free for all")
    page = client.get(f"/account/gift/{free}/")
    assert "This story is free for everyone" in text(page)
    assert link_of(page) == f"http://localhost:8000/national/free-for-all-{free}"
    client.post(f"/account/gift/{free}/")
    assert not Gift.objects.exists()


def test_a_post_needs_its_token(asha, story):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(Reader.objects.get(pk=asha), backend=BACKEND)
    assert strict.post(f"/account/gift/{story}/").status_code == 403
    gift = give(asha, story, clock.now())
    assert strict.post(f"/account/gifts/{gift.id}/revoke/").status_code == 403
    assert Gift.objects.get().revoked_at is None


def test_the_months_last_gift(client, asha, story, settings):
    option(settings, gift_quota=1)
    other = make.story(tier="premium")
    client.post(f"/account/gift/{other}/")
    page = text(client.get(f"/account/gift/{story}/"))
    assert "You have given 1 story this month. From 1 " in page
    assert "Make the link" not in page
    assert client.post(f"/account/gift/{story}/").status_code == 302
    assert Gift.objects.count() == 1


def test_what_i_gave_and_taking_it_back(client, asha, story):
    assert "You have not given a story away yet" in text(client.get("/account/gifts/"))
    assert 'href="/account/gifts/"' not in client.get("/account/").content.decode()  # no subscription, no advertisement
    client.post(f"/account/gift/{story}/")
    gift = queries.gifts_of(asha)[0]
    used(gift.id, story, now=clock.now())
    page = client.get("/account/gifts/")
    assert "You can give 9 more stories this month, and 10 again from 1 " in text(page)
    assert "Harbour dues rise" in text(page)
    assert "Opened on 1 of 10 devices" in text(page)
    assert gift.token in link_of(page)
    assert client.get(f"/account/gifts/{gift.id}/revoke/").status_code == 405
    assert client.post(f"/account/gifts/{gift.id}/revoke/").url == "/account/gifts/"
    page = client.get("/account/gifts/")
    assert "Ended Taken back" in text(page)
    assert gift.token not in page.content.decode()
    assert opened(gift.token, clock.now()) is None


def test_somebody_elses_gift_is_not_found(client, asha, story):
    ravi = subscriber("ravi@reader.example", now=clock.now() - timedelta(days=1))
    gift = give(ravi, story, clock.now())
    assert client.post(f"/account/gifts/{gift.id}/revoke/").status_code == 404
    assert Gift.objects.get().revoked_at is None
    assert gift.token not in client.get("/account/gifts/").content.decode()
    assert gift.token not in client.get(f"/account/gift/{story}/").content.decode()


def test_a_story_that_left_the_paper_is_not_found_and_its_words_are_gone(client, asha, story):
    client.post(f"/account/gift/{story}/")
    withdraw_story(story_id=story, reason="killed", now=clock.now())
    assert client.get(f"/account/gift/{story}/").status_code == 404
    page = text(client.get("/account/gifts/"))
    assert "A story that is no longer in the paper" in page
    assert "Harbour" not in page
    assert client.get("/account/gift/999999/").status_code == 404


def test_switched_off_there_is_no_page_of_gifts(client, asha, story, settings):
    option(settings, gift_quota=0)
    for path in (f"/account/gift/{story}/", "/account/gifts/"):
        assert client.get(path).status_code == 404
    assert client.post(f"/account/gift/{story}/").status_code == 404
    assert not Gift.objects.exists()
