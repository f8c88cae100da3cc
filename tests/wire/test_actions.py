"""Identity, versions, withdrawal, quarantine: what a file does to the site, and that repeating it does nothing."""

from datetime import timedelta

import pytest

from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom.queries import full_story, story_facts
from broadsheet.wire import actions, queries
from broadsheet.wire.models import RawMessage, WireItem, WireVersion
from tests.wire import make_wire as make

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture(autouse=True)
def paper():
    for position, slug in enumerate(("national", "world", "business")):
        newsroom.ensure_section(name=slug.title(), slug=slug, position=position)


def bring(content, *, name="a.xml", publish=True, source="", now=NOW):
    received = actions.receive(file_name=name, content=content, source=source, publish=publish, now=now)
    if not received.fresh:
        return actions.earlier(raw_id=received.raw_id)
    return actions.process(raw_id=received.raw_id, now=now)


def statuses(filed):
    return [(entry.status, entry.reasons) for entry in filed]


def state(story_id):
    facts = story_facts(story_id)
    return facts.state if facts else None


def test_a_sound_item_is_published_with_its_provenance_in_fields():
    [filed] = bring(make.g2())
    assert statuses([filed]) == [("published", ())]
    story = full_story(filed.story_id)
    assert story is not None
    assert (story.public.headline, story.public.credit, story.public.tier) == (
        "Alderport to raise harbour toll",
        "NWA",
        "metered",
    )
    assert story.public.section.slug == "business"
    assert "NWA" in story.public.disclaimer
    assert make.FILLER[0] in story.body_html


def test_without_publish_it_is_a_draft_for_an_editor():
    [filed] = bring(make.g2(), publish=False)
    assert statuses([filed]) == [("held", ("awaiting_editor",))]
    assert state(filed.story_id) == "unpublished"


def test_same_bytes_again_change_nothing_whatever_they_were():
    for content in (make.g2(), b"<cut", make.g2("urn:b", status="withheld")):
        first = bring(content)
        before = (WireVersion.objects.count(), WireItem.objects.count(), RawMessage.objects.count())
        again = bring(content, name="other-name.xml", now=NOW + timedelta(days=1))
        assert [entry.status for entry in again] == ["duplicate"] * len(first)
        assert [entry.story_id for entry in again] == [entry.story_id for entry in first]
        assert before == (WireVersion.objects.count(), WireItem.objects.count(), RawMessage.objects.count())
    assert list(RawMessage.objects.order_by("pk").values_list("deliveries", flat=True)) == [2, 2, 2]


def test_same_item_in_another_file_is_a_duplicate_too():
    bring(make.g2())
    assert statuses(bring(make.g2() + b"\n")) == [("duplicate", ())]


def test_higher_version_updates_in_place_and_keeps_the_address():
    [first] = bring(make.g2())
    before = story_facts(first.story_id)
    [second] = bring(make.g2(version=2, headline="Alderport raises harbour toll by four percent"))
    after = story_facts(first.story_id)
    assert (second.status, second.story_id) == ("updated", first.story_id)
    assert full_story(first.story_id).public.headline == "Alderport raises harbour toll by four percent"
    assert (after.path, after.state) == (before.path, "published")
    assert after.version > before.version


def test_lower_version_is_kept_and_never_applied():
    [first] = bring(make.g2(version=10))
    [late] = bring(make.g2(version=9, headline="An older headline of the story"))
    assert (late.status, late.story_id) == ("superseded", first.story_id)
    assert full_story(first.story_id).public.headline == "Alderport to raise harbour toll"
    assert WireVersion.objects.filter(status="superseded").count() == 1


def test_same_version_with_other_words_is_applied_and_flagged():
    [first] = bring(make.g2())
    [silent] = bring(make.g2(headline="Alderport quietly changes its headline"))
    assert statuses([silent]) == [("updated", ("silent_change",))]
    assert full_story(first.story_id).public.headline == "Alderport quietly changes its headline"


def test_canceled_item_comes_down_at_once_and_stays_down():
    [first] = bring(make.g2())
    [kill] = bring(make.g2(version=2, status="canceled", body="<p>Kill this story.</p>"))
    assert statuses([kill]) == [("withdrawn", ("canceled",))]
    assert state(first.story_id) == "withdrawn"
    assert full_story(first.story_id) is None
    assert statuses(bring(make.g2(version=1, headline="A late copy of the first version"))) == [("superseded", ())]
    [revived] = bring(make.g2(version=3, headline="Alderport to raise harbour toll after all"))
    assert statuses([revived]) == [("held", ("revived",))]
    assert state(first.story_id) == "withdrawn"


def test_cancellation_that_comes_first_stops_the_story():
    assert statuses(bring(make.g2(version=2, status="canceled"))) == [("withdrawn", ("canceled",))]
    assert statuses(bring(make.g2(version=1))) == [("superseded", ())]


def test_withheld_version_takes_a_live_story_down():
    [first] = bring(make.g2())
    assert statuses(bring(make.g2(version=2, status="withheld"))) == [("withdrawn", ("withheld",))]
    assert state(first.story_id) == "withdrawn"


def test_constructed_kill_chain():
    folder = make.SAMPLES / "newsml-g2"
    done = [
        bring((folder / f"constructed__{name}.xml").read_bytes())[0]
        for name in ("v1", "v2_update", "v3_correction", "v4_canceled")
    ]
    assert [entry.status for entry in done] == ["held", "published", "updated", "withdrawn"]
    assert queries.counts()["held"] == 0
    assert len({entry.story_id for entry in done}) == 1
    assert state(done[0].story_id) == "withdrawn"


def test_an_editors_work_is_not_overwritten(django_user_model):
    [first] = bring(make.g2())
    editor = django_user_model.objects.create(email="desk@paper.example")
    from broadsheet.newsroom.models import Article

    article = Article.objects.get(pk=first.story_id)
    article.headline = "The desk's own headline for this story"
    article.save_revision(user=editor).publish()
    [second] = bring(make.g2(version=2, headline="The agency's second headline"))
    assert statuses([second]) == [("held", ("edited_by_hand",))]
    assert full_story(first.story_id).public.headline == "The desk's own headline for this story"
    # A cancellation is stronger than the desk's work.
    assert statuses(bring(make.g2(version=3, status="canceled"))) == [("withdrawn", ("canceled",))]
    assert state(first.story_id) == "withdrawn"


def test_held_update_leaves_the_published_version():
    [first] = bring(make.g2())
    [held] = bring(make.g2(version=2, headline="Only {{n}} ships left in the harbour"))
    assert statuses([held]) == [("held", ("placeholder",))]
    assert full_story(first.story_id).public.headline == "Alderport to raise harbour toll"


def test_quarantined_file_is_kept_with_its_reason():
    [bad] = bring(make.g2()[:600], name="cut.xml")
    assert (bad.status, bad.reasons, bad.story_id) == ("quarantined", ("truncated",), None)
    [row] = queries.quarantine()
    assert (row.file_name, row.state, row.reason, row.size) == ("cut.xml", "failed", "truncated", 600)
    assert queries.raw_file(row.id)[1] == make.g2()[:600]
    assert queries.counts() == {"held": 0, "quarantined": 1}
    actions.reject_raw(raw_id=row.id)
    assert queries.quarantine() == []


def test_one_bad_item_does_not_stop_its_neighbours():
    deep = "&lt;b>" * 400 + "x"
    entry = "<item><guid>{0}</guid><title>Alderport to raise toll</title><description>{1}</description></item>"
    feed = f"<rss><channel><title>NWA</title>{entry.format(1, deep)}{entry.format(2, ' '.join(make.FILLER))}</channel></rss>"
    assert statuses(bring(feed.encode())) == [("quarantined", ("too_deep",)), ("published", ())]


def test_source_is_half_of_the_identity():
    [one] = bring(make.g2(), source="NWA")
    [other] = bring(make.g2(), source="Second Wire")
    assert (one.status, other.status) == ("published", "published")
    assert one.story_id != other.story_id


def test_crash_between_storing_and_reading_loses_nothing():
    received = actions.receive(file_name="a.xml", content=make.g2(), publish=True, now=NOW)
    assert queries.unread(received_before=NOW + timedelta(seconds=1)) == [received.raw_id]
    assert statuses(bring(make.g2())) == [("published", ())]
    assert queries.unread(received_before=NOW + timedelta(days=1)) == []
    assert statuses(actions.process(raw_id=received.raw_id, now=NOW)) == [("duplicate", ())]


def test_embargo_ends_and_the_story_goes_out_once():
    until = NOW + timedelta(hours=1)
    [held] = bring(make.g2(meta=f"<embargoed>{until.isoformat()}</embargoed>"))
    assert statuses([held]) == [("held", ("embargoed",))]
    assert held.story_id is None
    assert queries.embargoes_over(NOW) == []
    [due] = queries.embargoes_over(until)
    assert not actions.release_embargo(version_id=due, now=NOW)
    assert actions.release_embargo(version_id=due, now=until)
    assert not actions.release_embargo(version_id=due, now=until)
    [row] = queries.board(status="published")
    assert state(row.story_id) == "published"


def test_embargo_of_an_older_version_releases_nothing():
    until = NOW + timedelta(hours=1)
    bring(make.g2(meta=f"<embargoed>{until.isoformat()}</embargoed>"))
    [due] = queries.embargoes_over(until)
    bring(make.g2(version=2, status="withheld"))
    assert not actions.release_embargo(version_id=due, now=until)


def test_a_person_may_publish_what_was_held_but_not_everything():
    [short] = bring(make.g2(body="<p>Too little to go out unseen.</p>"))
    [row] = queries.board(status="held")
    story_id = actions.publish_held(version_id=row.id, now=NOW)
    assert (state(story_id), short.status) == ("published", "held")
    assert story_id == short.story_id
    bring(make.g2("urn:b", headline="Only {{n}} ships left in the harbour"))
    [refused] = queries.board(status="held")
    with pytest.raises(actions.NotPublishableError, match="placeholder"):
        actions.publish_held(version_id=refused.id, now=NOW)
    assert [r.id for r in queries.board(status="held")] == [refused.id]
    actions.reject_version(version_id=refused.id)
    assert queries.counts()["held"] == 0


def test_a_draft_the_desk_published_waits_no_longer():
    [draft] = bring(make.g2(), publish=False)
    newsroom.publish_story(story_id=draft.story_id, now=NOW)
    actions.note_published(story_id=draft.story_id)
    assert queries.counts()["held"] == 0
    assert [row.status for row in queries.board()] == ["published"]


def test_a_held_update_waits_on_when_the_story_is_published_anew():
    [first] = bring(make.g2())
    bring(make.g2(version=2, headline="Only {{n}} ships left in the harbour"))
    actions.note_published(story_id=first.story_id)
    assert queries.counts()["held"] == 1


def test_a_person_may_not_publish_an_older_version():
    bring(make.g2(body="<p>Too little to go out unseen.</p>"))
    [row] = queries.board(status="held")
    [update] = bring(make.g2(version=2))
    assert update.status == "published"
    with pytest.raises(actions.NotPublishableError, match="superseded"):
        actions.publish_held(version_id=row.id, now=NOW)


def test_no_sections_at_all_is_no_obstacle():
    from broadsheet.newsroom.models import Section

    Section.objects.all().delete()
    [filed] = bring(make.g2())
    assert story_facts(filed.story_id).section == "news"


def test_very_long_identifiers_keep_items_apart():
    long = "urn:" + "x" * 600
    [a], [b] = bring(make.g2(long + "a")), bring(make.g2(long + "b"))
    assert a.story_id != b.story_id
    assert statuses(bring(make.g2(long + "a", version=2, headline="Alderport raises harbour toll at last"))) == [
        ("updated", ())
    ]
