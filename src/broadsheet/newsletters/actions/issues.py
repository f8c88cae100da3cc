"""Lists and issues: what editors put together, and what rules put together for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from broadsheet.newsletters import rules
from broadsheet.newsletters.models import Issue, IssueStory, Link, List
from broadsheet.newsletters.values import Chosen
from broadsheet.newsroom import queries as newsroom

DEFAULTS: tuple[dict[str, Any], ...] = (
    {"name": "Morning Brief", "slug": "morning-brief", "words": "What matters today, before breakfast.",
     "send_at": time(6, 30), "weekdays": "1234567", "count": 8},
    {"name": "Markets", "slug": "markets", "words": "Prices, companies and the money behind them, before the bell.",
     "send_at": time(8, 15), "sections": "markets,companies,economy,business", "audience": "subscribers"},
    {"name": "Politics", "slug": "politics", "words": "Who decides what, and why it came out that way.",
     "send_at": time(18, 0), "sections": "politics,national"},
    {"name": "Tech", "slug": "tech", "words": "Machines, the people who build them and the rules for both.",
     "send_at": time(12, 30), "sections": "technology,science", "weekdays": "24"},
    {"name": "Weekend", "slug": "weekend", "words": "The long reads of the week, for a slow morning.",
     "send_at": time(8, 0), "weekdays": "6", "count": 6, "whole": 3, "audience": "subscribers"},
)  # fmt: skip
LOOKED_THROUGH = 300  # the newest stories a rule chooses from
FIRST_LOOK = timedelta(days=1)
KEPT_BACK = timedelta(days=14)  # stories sent in so many days are not sent again by a rule


class IssueError(Exception):
    """What an editor asked for cannot be; the message says why and what would help."""


def ensure_default_lists() -> None:
    """The five lists of a new paper. Idempotent; lists that exist keep what editors made of them."""
    if List.objects.exists():
        return
    for place, values in enumerate(DEFAULTS):
        List.objects.get_or_create(slug=values["slug"], defaults={**values, "position": place})


def has_issues(*, list_id: int) -> bool:
    return Issue.objects.filter(list_id=list_id).exists()


@transaction.atomic
def begin_issue(*, list_id: int, by: int | None, now: datetime) -> int:
    """A draft with the stories the list's rule would choose. Returns its id."""
    one = List.objects.select_for_update().get(pk=list_id)
    return _new_issue(one, by=by, now=now, stories=_picked(one, now)).pk


def _new_issue(one: List, *, by: int | None, now: datetime, stories: Sequence[int], **fields: Any) -> Issue:
    number = (Issue.objects.filter(list=one).aggregate(last=Max("number"))["last"] or 0) + 1
    issue = Issue.objects.create(list=one, number=number, created_at=now, created_by_id=by, **fields)
    _place(issue, [Chosen(story, whole=place < one.whole) for place, story in enumerate(stories)])
    return issue


def _place(issue: Issue, stories: Sequence[Chosen]) -> None:
    IssueStory.objects.filter(issue=issue).delete()
    IssueStory.objects.bulk_create(
        IssueStory(issue=issue, story_id=one.story_id, position=place, note=one.note, whole=one.whole)
        for place, one in enumerate(stories)
    )


@transaction.atomic
def write_issue(*, issue_id: int, subject: str, preheader: str, intro: str, stories: Sequence[Chosen]) -> None:
    """What the editor wrote and the order they chose. IssueError once it is on its way."""
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    if issue.status not in ("draft", "scheduled"):
        raise IssueError("This issue is on its way; it cannot be changed any more.")
    if "\n" in subject or "\r" in subject:
        raise IssueError("A subject is one line.")
    unique = {one.story_id: one for one in stories}
    issue.subject, issue.preheader, issue.intro = subject.strip(), preheader.strip(), intro.strip()
    issue.save(update_fields=["subject", "preheader", "intro"])
    _place(issue, list(unique.values()))


@transaction.atomic
def add_stories(*, issue_id: int, story_ids: Sequence[int]) -> None:
    """Stories at the end of a draft; those that are in it stay where they are."""
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    if issue.status not in ("draft", "scheduled"):
        raise IssueError("This issue is on its way; it cannot be changed any more.")
    rows = list(issue.stories.values_list("story_id", "position"))
    held, last = {story for story, _ in rows}, max((place for _, place in rows), default=-1)
    fresh = [story for story in dict.fromkeys(story_ids) if story not in held]
    IssueStory.objects.bulk_create(
        IssueStory(issue=issue, story_id=story, position=last + 1 + place) for place, story in enumerate(fresh)
    )


@transaction.atomic
def schedule(*, issue_id: int, at: datetime, now: datetime) -> None:
    """Send it then (a past time: now). IssueError when there is nothing in it or it has no subject."""
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    if issue.status not in ("draft", "scheduled"):
        raise IssueError("This issue was sent or is on its way.")
    if not newsroom.cards_by_id(issue.stories.values_list("story_id", flat=True)):
        raise IssueError("There is no published story in it.")
    if not issue.subject:
        raise IssueError("Write a subject first.")
    issue.status, issue.send_at = "scheduled", max(at, now)
    issue.save(update_fields=["status", "send_at"])


@transaction.atomic
def cancel(*, issue_id: int, now: datetime) -> None:
    """A scheduled issue is a draft again; one that is being sent stops where it is and stays as it is."""
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    if issue.status == "scheduled":
        issue.status, issue.send_at = "draft", None
    elif issue.status in ("sending", "failed"):
        issue.status, issue.finished_at = "cancelled", now
    else:
        raise IssueError("There is nothing to cancel.")
    issue.trouble, issue.trouble_since = "", None
    issue.save(update_fields=["status", "send_at", "finished_at", "trouble", "trouble_since"])


@transaction.atomic
def delete_draft(*, issue_id: int) -> None:
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    if issue.status != "draft":
        raise IssueError("Only a draft can be deleted.")
    issue.delete()


@transaction.atomic
def resume(*, issue_id: int, now: datetime) -> None:
    """Go on with a sending that failed; who has their mail gets no second one."""
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    if issue.status != "failed":
        raise IssueError("This sending has not failed.")
    issue.status, issue.trouble, issue.trouble_since, issue.progress_at = "sending", "", None, now
    issue.save(update_fields=["status", "trouble", "trouble_since", "progress_at"])


def make_due(*, now: datetime) -> list[int]:
    """Issues that are due by rule now, each once, however often and wherever this runs. Returns their ids."""
    made = []
    for one in List.objects.filter(live=True, made_by="rule"):
        day = rules.rule_day(one.weekdays, one.send_at, settings.BROADSHEET.zone, now)
        if day is None or one.held_day == day:
            continue
        if Issue.objects.filter(list=one, rule_day=day).exists():
            continue
        stories = _picked(one, now)
        if not stories:
            List.objects.filter(pk=one.pk).update(held_day=day, held_why="Nothing new since the last issue.")
            continue
        lead = newsroom.cards_by_id(stories[:1])[stories[0]]
        try:
            with transaction.atomic():
                List.objects.select_for_update().get(pk=one.pk)
                issue = _new_issue(
                    one, by=None, now=now, stories=stories, rule_day=day, status="scheduled", send_at=now,
                    subject=lead.headline[:150], preheader=lead.standfirst[:150],
                )  # fmt: skip
        except IntegrityError:
            continue  # another process made it this very moment
        made.append(issue.pk)
    return made


def _picked(one: List, now: datetime) -> list[int]:
    """What the list's rule chooses now."""
    past = Issue.objects.filter(list=one).exclude(status__in=["draft", "cancelled"])
    last = past.order_by("-number").values_list("created_at", flat=True).first()
    recent = IssueStory.objects.filter(issue__in=past.filter(created_at__gt=now - KEPT_BACK))
    cards = newsroom.latest_cards(LOOKED_THROUGH)
    stories = [
        rules.Candidate(card.id, card.section.slug, card.priority, card.language, card.published_at) for card in cards
    ]
    return rules.pick(
        stories,
        sections=[name.strip() for name in one.sections.split(",") if name.strip()],
        priority=one.priority,
        count=one.count,
        language=one.language,
        since=last or now - FIRST_LOOK,
        already=frozenset(recent.values_list("story_id", flat=True)),
    )


def ensure_links(*, issue_id: int, urls: Sequence[str]) -> Mapping[str, int]:
    """A row for each address that an issue leads to; returns their ids."""
    Link.objects.bulk_create([Link(issue_id=issue_id, url=url) for url in urls], ignore_conflicts=True)
    return dict(Link.objects.filter(issue_id=issue_id, url__in=urls).values_list("url", "pk"))
