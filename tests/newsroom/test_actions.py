import pytest
from django.core.exceptions import ValidationError
from tests import make

from broadsheet.bus.models import Job, Notice
from broadsheet.newsroom import actions, queries
from broadsheet.newsroom.models import Article

pytestmark = pytest.mark.django_db


def events():
    return sorted(set(Job.objects.values_list("event", flat=True)))


def test_a_filed_story_is_live_with_one_revision_and_says_so_once():
    story = make.story(headline="Toll rises")
    article = Article.objects.get(pk=story)
    assert (article.live, article.published_at, article.print_version) == (True, make.NOW, 1)
    assert article.revisions.count() == 1
    assert article.path == f"/national/toll-rises-{story}"
    assert events() == ["StoryPublished"]
    assert list(Notice.objects.values_list("kind", "key", "value")) == [("story", str(story), 1)]


def test_a_draft_is_on_no_surface():
    story = make.story(publish=False)
    assert queries.public_story(story) is None
    assert queries.full_story(story) is None
    assert queries.latest_cards(10) == []
    assert queries.story_facts(story).state == "unpublished"
    assert events() == []


def test_an_update_keeps_the_address_and_the_first_date():
    story = make.story(headline="Toll rises")
    later = make.NOW.replace(hour=9)
    actions.update_story(story_id=story, copy=make.copy(headline="Toll rises again"), now=later)
    public = queries.public_story(story)
    assert public.headline == "Toll rises again"
    assert public.path == f"/national/toll-rises-{story}"
    assert (public.published_at, public.updated_at, public.version) == (make.NOW, later, 2)


def test_a_withdrawn_story_leaves_at_once_and_keeps_its_drafts():
    story = make.story()
    actions.withdraw_story(story_id=story, reason="Withdrawn by NWA", now=make.NOW)
    facts = queries.story_facts(story)
    assert (facts.state, facts.withdrawn_reason, facts.version) == ("withdrawn", "Withdrawn by NWA", 2)
    assert queries.public_story(story) is None
    assert Article.objects.get(pk=story).revisions.count() == 1
    assert Notice.objects.filter(kind="removed", key=str(story), value=2).exists()


def test_publishing_by_an_editor_makes_it_a_story_of_the_paper(django_capture_on_commit_callbacks):
    story = make.story(auto_published=True, credit="NWA")
    assert queries.public_story(story).disclaimer
    article = Article.objects.get(pk=story)
    article.headline = "Edited by hand"
    article.save_revision().publish()
    after = Article.objects.get(pk=story)
    assert (after.hand_edited, after.auto_published, after.print_version) == (True, False, 2)
    assert queries.public_story(story).disclaimer == ""


@pytest.mark.parametrize("fields", [{"headline": ""}, {"section": "nowhere"}, {"tier": "gold"},
                                    {"headline": "Limit of {{free_limit}} stories"}])  # fmt: skip
def test_copy_that_cannot_stand_is_refused_and_nothing_is_stored(fields):
    with pytest.raises(ValidationError):
        actions.file_story(copy=make.copy(**fields), now=make.NOW, publish=True)
    assert not Article.objects.exists()
    assert events() == []


def test_paging_by_key_shows_every_story_once():
    stories = [make.story(headline=f"Story {n}", at=make.NOW) for n in range(7)]
    seen, before = [], None
    while page := queries.latest_cards(3, before=before):
        seen += [card.id for card in page]
        before = (page[-1].published_at, page[-1].id)
    assert seen == stories[::-1]


def test_also_read_prefers_stories_that_share_words():
    near = make.story(headline="Harbour toll and the night ferry", section="national")
    for n in range(6):
        make.story(headline=f"Cricket score {n}")
    story = make.story(headline="Harbour toll rises for the night")
    assert queries.public_story(story).also_read[0].id == near
    assert story not in [card.id for card in queries.public_story(story).also_read]


def test_a_public_story_is_read_without_its_body(django_assert_max_num_queries):
    story = make.story()
    with django_assert_max_num_queries(4) as captured:
        queries.public_story(story)
    first = captured.captured_queries[0]["sql"]
    assert '"newsroom_article"."body"' not in first


def test_names_stand_in_the_order_they_were_given():
    story = make.story(bylines=("Nikhil Marrow", "Asha Verne", "Nikhil Marrow"))
    assert queries.public_story(story).bylines == ("Nikhil Marrow", "Asha Verne")
    assert queries.latest_cards(1)[0].byline == "Nikhil Marrow and Asha Verne"
    article = Article.objects.get(pk=story)
    article.save_revision().publish()
    assert queries.public_story(story).bylines == ("Nikhil Marrow", "Asha Verne")
