"""The editor's side, through Wagtail's own views: write, preview, submit, lock, schedule, publish, take down."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from tests import make

from broadsheet.newsroom import actions, queries
from broadsheet.newsroom.models import Article
from broadsheet.readers.actions import create_editor
from broadsheet.readers.models import Reader

pytestmark = pytest.mark.django_db
EDITOR = "editor@post.example"


@pytest.fixture
def editor(client):
    actions.ensure_workflow()
    create_editor(email=EDITOR, password="a long password", name="Ed", now=make.NOW)
    client.force_login(Reader.objects.get(email=EDITOR), backend="django.contrib.auth.backends.ModelBackend")
    return client


def url(name, *args):
    return reverse(f"wagtailsnippets_newsroom_article:{name}", args=args)


def form(section, **fields):
    return {
        "headline": "Written at the desk", "standfirst": "One line.", "kicker": "", "slug": "", "tier": "premium",
        "priority": "5", "language": "en", "section": str(section), "dateline": "", "credit": "", "correction": "",
        "source_url": "", "picture_alt": "", "picture_caption": "", "picture_credit": "", "lead_in_blocks": "",
        "body": '{"blocks":[{"key":"a","text":"First words.","type":"unstyled","depth":0,"inlineStyleRanges":[],'
                '"entityRanges":[]}],"entityMap":{}}',
        "byline_rows-TOTAL_FORMS": "0", "byline_rows-INITIAL_FORMS": "0", "byline_rows-MIN_NUM_FORMS": "0",
        "byline_rows-MAX_NUM_FORMS": "1000", "go_live_at": "", "expire_at": "", **fields,
    }  # fmt: skip


@pytest.fixture
def section():
    return actions.ensure_section(name="National", slug="national")


def test_an_editor_writes_a_draft_then_publishes_it(editor, section):
    editor.post(url("add"), form(section))
    draft = Article.objects.get()
    assert (draft.live, draft.headline) == (False, "Written at the desk")
    assert queries.latest_cards(5) == []
    editor.post(url("edit", draft.pk), form(section, **{"action-publish": "1"}))
    assert [card.headline for card in queries.latest_cards(5)] == ["Written at the desk"]
    assert queries.full_story(draft.pk).public.tier == "premium"


def test_a_placeholder_is_told_to_the_editor_and_nothing_is_stored(editor, section):
    reply = editor.post(url("add"), form(section, headline="Only {{free_limit}} left", **{"action-publish": "1"}))
    assert reply.status_code == 200
    assert "placeholder" in reply.content.decode()
    assert not Article.objects.exists()


def test_the_preview_is_the_full_story_for_the_editor_alone(editor, client, section):
    story = make.story(publish=False)
    where = url("preview_on_edit", story)
    assert editor.post(where, form(section, headline="As it will look")).json()["is_valid"]
    shown = editor.get(where, {"mode": ""})
    assert "As it will look" in shown.content.decode()
    editor.logout()
    assert editor.get(where).status_code == 302


def test_a_story_goes_through_the_workflow(editor, section):
    story = make.story(publish=False)
    editor.post(url("edit", story), form(section, **{"action-submit": "1"}))
    article = Article.objects.get(pk=story)
    assert article.current_workflow_state.status == "in_progress"
    task = article.current_workflow_task_state
    editor.post(url("workflow_action", story, "approve", task.pk), {"comment": "Good."})
    assert Article.objects.get(pk=story).live


def test_a_locked_story_is_not_changed_by_another_hand(editor, section):
    story = make.story(publish=False)
    editor.post(url("lock", story))
    other = Reader.objects.create_superuser("other@post.example", "a long password")
    editor.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    editor.post(url("edit", story), form(section, headline="Overwritten"))
    assert Article.objects.get(pk=story).get_latest_revision_as_object().headline == "Board raises the night toll"


def test_a_scheduled_story_goes_live_when_its_time_has_come(editor, section):
    soon = timezone.localtime(timezone.now() + timedelta(hours=1))
    story = make.story(publish=False)
    editor.post(
        url("edit", story), form(section, go_live_at=soon.strftime("%Y-%m-%d %H:%M"), **{"action-publish": "1"})
    )
    assert queries.public_story(story) is None
    call_command("publish_scheduled", verbosity=0)
    assert queries.public_story(story) is None
    article = Article.objects.get(pk=story)
    # An hour passes: for Wagtail, which asks the machine's clock, the revision's own times are moved instead.
    past = timezone.now() - timedelta(minutes=1)
    revision = article.scheduled_revision
    revision.content["go_live_at"] = past.isoformat()
    revision.approved_go_live_at = past
    revision.save()
    call_command("publish_scheduled", verbosity=0)
    assert queries.public_story(story).headline == "Written at the desk"


def test_unpublishing_takes_the_story_off_the_site(editor, section):
    story = make.story()
    editor.post(url("unpublish", story))
    assert queries.public_story(story) is None
    assert queries.story_facts(story).state == "unpublished"


def test_the_list_of_stories_costs_the_same_for_any_archive(editor, django_assert_max_num_queries):
    for number in range(12):
        make.story(headline=f"Story {number}")
    with django_assert_max_num_queries(49) as captured:
        reply = editor.get(url("list"))
    assert "Story 11" in reply.content.decode()
    counts = [
        query["sql"]
        for query in captured.captured_queries
        if "COUNT(" in query["sql"] and "newsroom_article" in query["sql"]
    ]
    assert all("LIMIT 5000" in sql for sql in counts), counts


def test_readers_and_visitors_have_no_door_to_the_newsroom(client):
    assert client.get(url("list")).status_code == 302
    client.force_login(make.reader(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(url("list")).status_code == 302
