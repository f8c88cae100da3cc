"""What screens, jobs and other apps read of newsletters: frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.conf import settings

from broadsheet.newsletters.models import Address, Delivery, Issue, IssueStory, Link, List, SignUp
from broadsheet.newsletters.rules import normal_email
from broadsheet.newsletters.tokens import Tokens
from broadsheet.newsletters.values import Chosen, IssueCard, ListCard, PastIssue

PAST = 30


def works() -> bool:
    """Whether there is a newsletter to sign up for."""
    return List.objects.filter(live=True).exists()


def tokens() -> Tokens:
    return Tokens(list(reversed(settings.BROADSHEET_SECRETS)))


def live_lists() -> Sequence[ListCard]:
    """The lists that readers can sign up for, each with its latest issue as a sample."""
    return [_list_card(one) for one in List.objects.filter(live=True)]


def _list_card(one: List) -> ListCard:
    last = Issue.objects.filter(list=one, status="sent").order_by("-number").values_list("number", "subject").first()
    sample = f"/newsletters/{one.slug}/{last[0]}/" if last else ""
    return ListCard(one.pk, one.name, one.slug, one.words, one.audience, one.language, sample, last[1] if last else "")


def list_by_slug(slug: str) -> ListCard | None:
    one = List.objects.filter(slug=slug, live=True).first()
    return _list_card(one) if one else None


def list_names(ids: Iterable[int]) -> Sequence[str]:
    return list(List.objects.filter(pk__in=list(ids)).values_list("name", flat=True))


def _issue_card(row: Issue) -> IssueCard:
    one = row.list
    stories = IssueStory.objects.filter(issue=row).values_list("story_id", "note", "whole")
    return IssueCard(
        id=row.pk,
        list_id=one.pk,
        list_name=one.name,
        list_slug=one.slug,
        audience=one.audience,
        language=one.language,
        from_name=one.from_name or f"{settings.BROADSHEET.name}: {one.name}",
        number=row.number,
        subject=row.subject,
        preheader=row.preheader,
        intro=row.intro,
        status=row.status,
        stories=tuple(Chosen(*story) for story in stories),
        created_at=row.created_at,
        send_at=row.send_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        recipients=row.recipients,
        gathered=row.gathered,
        sent=row.sent,
        refused=row.refused,
        doubtful=row.doubtful,
        skipped=row.skipped,
        trouble=row.trouble,
        progress_at=row.progress_at,
        opens=row.opens,
        by_rule=row.rule_day is not None,
    )


def issue(issue_id: int) -> IssueCard | None:
    row = Issue.objects.select_related("list").filter(pk=issue_id).first()
    return _issue_card(row) if row else None


def public_issue(slug: str, number: int) -> IssueCard | None:
    """An issue that has gone out, or is going out; a draft is not there for anybody."""
    rows = Issue.objects.select_related("list").filter(list__slug=slug, list__live=True, number=number)
    row = rows.filter(status__in=["sending", "sent"]).first()
    return _issue_card(row) if row else None


def past_issues(slug: str, before: int = 0) -> Sequence[PastIssue]:
    """Sent issues of a list, newest first; `before`: a number, for the page that follows."""
    rows = Issue.objects.filter(list__slug=slug, status="sent")
    if before:
        rows = rows.filter(number__lt=before)
    values = rows.order_by("-number").values_list("number", "subject", "preheader", "started_at", "created_at")
    return [
        PastIssue(number, subject, preheader, started or created, f"/newsletters/{slug}/{number}/")
        for number, subject, preheader, started, created in values[:PAST]
    ]


@dataclass(frozen=True, slots=True)
class AddressCard:
    """An address: what it is on, and why nothing goes there ("" when it does)."""

    id: int
    email: str
    lists: frozenset[str]  # slugs
    suppressed: str
    suppressed_at: datetime | None = None


def _address_card(row: Address | None) -> AddressCard | None:
    if row is None:
        return None
    on = SignUp.objects.filter(address=row, status="on").values_list("list__slug", flat=True)
    return AddressCard(row.pk, row.email, frozenset(on), row.suppressed, row.suppressed_at)


def address(address_id: int) -> AddressCard | None:
    return _address_card(Address.objects.filter(pk=address_id).first())


def pending_names(address_id: int) -> Sequence[str]:
    """The lists that wait for a confirmation."""
    rows = SignUp.objects.filter(address_id=address_id, status="pending").order_by("list__position")
    return list(rows.values_list("list__name", flat=True))


def address_by_email(email: str) -> AddressCard | None:
    return _address_card(Address.objects.filter(email=normal_email(email)).first())


def suppressed(limit: int = 100) -> Sequence[AddressCard]:
    """The addresses that get nothing, the latest first."""
    rows = Address.objects.exclude(suppressed="").order_by("-suppressed_at")[:limit]
    return [AddressCard(row.pk, row.email, frozenset(), row.suppressed, row.suppressed_at) for row in rows]


@dataclass(frozen=True, slots=True)
class Troubled:
    """A mail that did not simply arrive."""

    email: str
    status: str
    answer: str
    at: datetime | None


def troubled(issue_id: int, limit: int = 100) -> Sequence[Troubled]:
    rows = Delivery.objects.filter(issue_id=issue_id, status__in=["refused", "doubtful"]).order_by("status", "id")
    return [Troubled(*row) for row in rows.values_list("address__email", "status", "answer", "at")[:limit]]


def troubles() -> Sequence[IssueCard]:
    """Sendings that need somebody: the banner on every staff page."""
    rows = Issue.objects.select_related("list").filter(status__in=["scheduled", "sending", "failed"])
    return [_issue_card(row) for row in rows.exclude(trouble="").order_by("send_at")[:5]]


def recent_issues(limit: int = 30) -> Sequence[IssueCard]:
    return [_issue_card(row) for row in Issue.objects.select_related("list").order_by("-id")[:limit]]


def links_of(issue_id: int) -> Sequence[tuple[str, int]]:
    """(address, how often followed), the most followed first."""
    return list(Link.objects.filter(issue_id=issue_id).order_by("-clicks", "id").values_list("url", "clicks"))


def link(link_id: int, issue_id: int) -> str:
    """Where a link of this issue leads; "" when it has none such."""
    return Link.objects.filter(pk=link_id, issue_id=issue_id).values_list("url", flat=True).first() or ""


def audience_size(list_id: int, most: int = 10_000) -> int:
    """How many are on a list, counted up to `most`: a screen need not count a million to say that there are many."""
    ids = SignUp.objects.filter(list_id=list_id, status="on").values_list("pk", flat=True)[:most]
    return len(ids)


def messages_of(issue_id: int, addresses: Iterable[int]) -> Mapping[int, str]:
    """The status of an issue's mails to these addresses."""
    rows = Delivery.objects.filter(issue_id=issue_id, address_id__in=list(addresses))
    return dict(rows.values_list("address_id", "status"))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A list as editors see it: how it is made, and what its rule said last."""

    id: int
    name: str
    slug: str
    audience: str
    live: bool
    by_rule: bool
    weekdays: str
    send_at: time
    held_day: date | None
    held_why: str


def schedules() -> Sequence[Schedule]:
    return [
        Schedule(
            one.pk, one.name, one.slug, one.get_audience_display(), one.live, one.made_by == "rule", one.weekdays,
            one.send_at, one.held_day, one.held_why,
        )
        for one in List.objects.all()
    ]  # fmt: skip
