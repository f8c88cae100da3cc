"""An issue from its schedule to the mailboxes, by the real sender."""

import pytest
from tests import make
from tests.newsletters.making import NOW, a_list, an_issue, entitled, html_of, mails, subscribed, text_of

from broadsheet import clock
from broadsheet.access.actions import end_grants
from broadsheet.newsletters import jobs, queries
from broadsheet.newsletters.actions import signups
from broadsheet.newsroom import actions as newsroom

pytestmark = pytest.mark.django_db
OPEN, HIDDEN = make.paragraph(1), make.paragraph(5)


@pytest.fixture(autouse=True)
def at_noon():
    clock.stand_at(NOW)
    yield
    clock.stand_at(None)


def has(message, words):
    inside = " ".join(text_of(message).split())
    whole = html_of(message)
    assert (words in inside) == (words in whole)
    return words in whole


def test_full_text_goes_to_the_entitled_alone():
    one = a_list(audience="subscribers")
    story = make.story(tier="metered")
    entitled("both@x.example", "newsletters", "unlimited")
    entitled("letters@x.example", "newsletters")
    entitled("stories@x.example", "unlimited")
    make.reader("reader@x.example")
    everybody = ["both@x.example", "letters@x.example", "stories@x.example", "reader@x.example", "visitor@x.example"]
    for address in everybody:
        subscribed(address, one)
    number = an_issue(one, [story])
    assert jobs.send_due() == 1
    got = mails()
    assert sorted(got) == sorted(everybody)
    assert [address for address in everybody if has(got[address], HIDDEN)] == ["both@x.example"]
    assert all(OPEN in " ".join(text_of(message).split()) for message in got.values())
    done = queries.issue(number)
    assert (done.status, done.recipients, done.sent) == ("sent", 5, 5)
    assert jobs.send_due() == 0
    assert len(mails()) == 5


def test_a_story_of_another_tier_needs_its_own_right():
    one = a_list()
    plain, premium = make.story(tier="free"), make.story(tier="premium", headline="Behind the toll")
    entitled("unlimited@x.example", "newsletters", "unlimited")
    entitled("premium@x.example", "newsletters", "premium")
    for address in ("unlimited@x.example", "premium@x.example", "visitor@x.example"):
        subscribed(address, one)
    an_issue(one, [plain, premium])
    jobs.send_due()
    count = {address: html_of(message).count(HIDDEN) for address, message in mails().items()}
    assert count == {"unlimited@x.example": 1, "premium@x.example": 2, "visitor@x.example": 1}


def test_a_right_that_ended_before_its_mail_is_written_counts_for_nothing():
    one, story = a_list(), make.story(tier="premium")
    who = entitled("gone@x.example", "newsletters", "premium")
    subscribed("gone@x.example", one)
    an_issue(one, [story])
    for product in ("newsletters", "premium"):
        end_grants(source=f"test:{product}:{who.pk}", ends_at=NOW)
    jobs.send_due()
    assert not has(mails()["gone@x.example"], HIDDEN)


def test_a_withdrawn_story_is_in_no_mail_and_an_issue_of_nothing_else_fails_loudly():
    one = a_list()
    stays, goes = make.story(tier="free"), make.story(tier="free", headline="Killed by its agency")
    subscribed("a@x.example", one)
    first, second = an_issue(one, [goes, stays]), an_issue(one, [goes])
    newsroom.withdraw_story(story_id=goes, reason="killed", now=NOW)
    jobs.send_due()
    (message,) = mails().values()
    assert "Killed by its agency" not in html_of(message) + text_of(message)
    assert queries.issue(first).status == "sent"
    failed = queries.issue(second)
    assert (failed.status, failed.sent, failed.trouble) == (
        "failed",
        0,
        "None of its stories is published any more.",
    )
    assert [issue.id for issue in queries.troubles()] == [second]


def test_who_left_or_is_suppressed_between_snapshot_and_mail_gets_none():
    one, story = a_list(), make.story(tier="free")
    for name in "abc":
        subscribed(f"{name}@x.example", one)
    number = an_issue(one, [story])
    signups.suppress_email(email="b@x.example", now=NOW)
    signups.unsubscribe(address_id=queries.address_by_email("c@x.example").id, list_id=one.pk, now=NOW)
    jobs.send_due()
    assert sorted(mails()) == ["a@x.example"]
    assert queries.issue(number).recipients == 1
