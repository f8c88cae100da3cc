"""The rows of a sending. An issue is one run's at a time (a lease), and an address has one row in it.

waiting -> claimed (before anything leaves) -> sent | refused | doubtful | skipped, or waiting again when it certainly
did not leave. Nothing but an editor's word or the mail server's own log sends a doubtful one again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import F, Q

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.newsletters import journal, rules
from broadsheet.newsletters.actions import signups
from broadsheet.newsletters.events import SendingTroubled
from broadsheet.newsletters.models import Delivery, Issue, Link, SignUp

LEASE = timedelta(seconds=60)
STEP = 1000  # rows a transaction: it holds the write lock for some tens of milliseconds
LATE_START = timedelta(minutes=10)
KEEP = timedelta(days=60)  # a bounce may come days later, a question of a reader weeks


class LeaseLostError(Exception):
    """Another run has this issue, or an editor stopped it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that this run has claimed."""

    id: int
    address_id: int
    email: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claimed delivery. `kind`: sent | refused | later | doubtful | back (it never left; `at`: when to
    try again)."""

    taken: Taken
    kind: str
    code: int = 0
    words: str = ""
    at: datetime | None = None


def due_issues(*, now: datetime) -> list[int]:
    """Issues that somebody has to send now."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    due = Q(status="scheduled", send_at__lte=now) | Q(status="sending")
    return list(Issue.objects.filter(free & due).order_by("send_at").values_list("pk", flat=True)[:20])


@transaction.atomic
def take(*, issue_id: int, run: str, now: datetime) -> bool:
    """Make the issue this run's. False when another has it or it is not due any more."""
    free = Q(leased_until=None) | Q(leased_until__lt=now) | Q(leased_by=run)
    due = Q(status="scheduled", send_at__lte=now) | Q(status="sending")
    rows = Issue.objects.filter(free & due, pk=issue_id)
    if not rows.update(status="sending", leased_by=run, leased_until=now + LEASE, progress_at=now):
        return False
    Issue.objects.filter(pk=issue_id, started_at=None).update(started_at=now)
    return True


def keep(*, issue_id: int, run: str, now: datetime) -> None:
    """Renew the lease. LeaseLostError when it is another's or the issue was stopped."""
    rows = Issue.objects.filter(pk=issue_id, leased_by=run, status="sending")
    if not rows.update(leased_until=now + LEASE):
        raise LeaseLostError


def let_go(*, issue_id: int, run: str) -> None:
    Issue.objects.filter(pk=issue_id, leased_by=run).update(leased_until=None, leased_by="")


def gather(*, issue_id: int, run: str, now: datetime) -> bool:
    """A step of the snapshot of who gets it; True when there is no more. Who signs up later gets the next issue."""
    with transaction.atomic():
        issue = Issue.objects.select_for_update().get(pk=issue_id)
        if issue.leased_by != run or issue.status != "sending":
            raise LeaseLostError
        if issue.gathered:
            return True
        rows = SignUp.objects.filter(list_id=issue.list_id, status="on", address_id__gt=issue.gathered_to)
        rows = rows.filter(confirmed_at__lte=issue.started_at).order_by("address_id")
        found = list(rows.values_list("address_id", "address__suppressed")[:STEP])
        Delivery.objects.bulk_create(
            [Delivery(issue=issue, address_id=pk, next_at=now) for pk, suppressed in found if not suppressed],
            ignore_conflicts=True,
        )
        issue.recipients += sum(1 for _, suppressed in found if not suppressed)
        issue.gathered_to = found[-1][0] if found else issue.gathered_to
        issue.gathered = len(found) < STEP
        issue.progress_at, issue.leased_until = now, now + LEASE
        issue.save(update_fields=["recipients", "gathered_to", "gathered", "progress_at", "leased_until"])
        return issue.gathered


@transaction.atomic
def claim(*, issue_id: int, run: str, limit: int, now: datetime) -> list[Taken]:
    """The next mails, written down as this run's before any of them leaves. Who unsubscribed meanwhile is skipped."""
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    if issue.leased_by != run or issue.status != "sending":
        raise LeaseLostError
    rows = Delivery.objects.filter(issue_id=issue_id, status="waiting", next_at__lte=now).order_by("next_at", "id")
    found = list(rows.values_list("pk", "address_id", "address__email", "address__suppressed", "attempts")[:limit])
    addresses = [row[1] for row in found]
    on = set(
        SignUp.objects.filter(list_id=issue.list_id, status="on", address_id__in=addresses).values_list(
            "address_id", flat=True
        )
    )
    gone = [row[0] for row in found if row[1] not in on or row[3]]
    taken = [Taken(row[0], row[1], row[2], row[4]) for row in found if row[1] in on and not row[3]]
    Delivery.objects.filter(pk__in=gone).update(status="skipped", at=now)
    Delivery.objects.filter(pk__in=[one.id for one in taken]).update(status="claimed", claim=run)
    issue.skipped += len(gone)
    issue.leased_until = now + LEASE
    issue.save(update_fields=["skipped", "leased_until"])
    return taken


def record(*, issue_id: int, run: str, outcomes: Sequence[Outcome], now: datetime) -> None:
    """What became of a batch, in one transaction; the issue's counters grow with its rows."""
    counted: Counter[str] = Counter()
    with transaction.atomic():
        plain = [one.taken.id for one in outcomes if one.kind == "sent"]
        mine = Delivery.objects.filter(claim=run, status="claimed")
        counted["sent"] = mine.filter(pk__in=plain).update(status="sent", at=now)
        for one in outcomes:
            if one.kind != "sent":
                counted[_put(mine, one, now)] += 1
        Issue.objects.filter(pk=issue_id).update(
            sent=F("sent") + counted["sent"],
            refused=F("refused") + counted["refused"],
            doubtful=F("doubtful") + counted["doubtful"],
            **({"progress_at": now} if counted["sent"] or counted["refused"] else {}),
        )


def _put(mine, one: Outcome, now: datetime) -> str:
    """A delivery that was not simply sent; returns what it counts as."""
    row = mine.filter(pk=one.taken.id)
    words = f"{one.code} {one.words}".strip()[:200] if one.code else one.words[:200]
    attempts = one.taken.attempts + 1
    if one.kind == "back":
        return "back" if row.update(status="waiting", claim="", next_at=one.at or now) else ""
    wait = rules.next_try(attempts) if one.kind == "later" else None
    if wait is not None:
        row.update(status="waiting", claim="", next_at=now + wait, attempts=attempts, answer=words)
        return "later"
    status = "doubtful" if one.kind == "doubtful" else "refused"
    if not row.update(status=status, at=now, attempts=attempts, answer=words):
        return ""
    if one.kind == "refused" and rules.is_gone(one.code, one.words):
        signups.suppress(address_id=one.taken.address_id, why="bounce", now=now)
    elif one.kind == "later":
        signups.count_soft(address_id=one.taken.address_id, now=now)
    return status


def recover(*, issue_id: int, run: str, folder: Path, now: datetime) -> bool:
    """Settle what dead runs had claimed, by their journals. False while one of them is alive after all."""
    others = Delivery.objects.filter(issue_id=issue_id, status="claimed").exclude(claim=run)
    for claimed_by in list(others.values_list("claim", flat=True).distinct().order_by("claim")):
        told = journal.read(folder, claimed_by)
        if told.alive:
            return False
        while True:
            with transaction.atomic():
                rows = list(others.filter(claim=claimed_by).order_by("id").values_list("pk", flat=True)[:STEP])
                if not rows:
                    break
                fates: dict[str, list[int]] = {}
                for pk in rows:
                    fates.setdefault(told.fate(pk), []).append(pk)
                for fate, ids in fates.items():
                    values = {"claim": "", "next_at": now} if fate == "waiting" else {"at": now}
                    Delivery.objects.filter(pk__in=ids, status="claimed").update(status=fate, **values)
                Issue.objects.filter(pk=issue_id).update(
                    **{name: F(name) + len(fates.get(name, ())) for name in ("sent", "refused", "doubtful")}
                )
        journal.forget(folder, claimed_by)
    return True


@transaction.atomic
def finish(*, issue_id: int, run: str, now: datetime) -> bool:
    """The issue is sent, if nothing of it waits. False when something does."""
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    open_rows = Delivery.objects.filter(issue_id=issue_id, status__in=["waiting", "claimed"])
    if issue.leased_by != run or issue.status != "sending" or not issue.gathered or open_rows.exists():
        return False
    issue.status, issue.finished_at, issue.trouble, issue.trouble_since = "sent", now, "", None
    issue.leased_by, issue.leased_until = "", None
    issue.save()
    return True


def claimed_by(*, issue_id: int, run: str) -> bool:
    """Whether a run still has mails of which nothing is recorded."""
    return Delivery.objects.filter(issue_id=issue_id, status="claimed", claim=run).exists()


def next_due(*, issue_id: int) -> datetime | None:
    """When the next mail that waits may be tried."""
    rows = Delivery.objects.filter(issue_id=issue_id, status="waiting").order_by("next_at", "id")
    return rows.values_list("next_at", flat=True).first()


@transaction.atomic
def trouble(*, issue_id: int, why: str, now: datetime, fail: bool = False) -> None:
    """Say loudly that a sending does not go on: a banner for every editor, and a letter, once for each trouble."""
    issue = Issue.objects.select_for_update().get(pk=issue_id)
    if issue.status not in ("sending", "scheduled"):
        return
    fresh = not issue.trouble or fail
    issue.trouble = why[:300]
    issue.trouble_since = issue.trouble_since or now
    if fail:
        issue.status, issue.leased_by, issue.leased_until = "failed", "", None
    issue.save()
    if fresh:
        emit(SendingTroubled(issue_id, why[:300], rfc3339(now)))


def goes_again(*, issue_id: int) -> None:
    """The trouble is over."""
    Issue.objects.filter(pk=issue_id).exclude(trouble="").update(trouble="", trouble_since=None)


def find_stalled(*, now: datetime) -> None:
    """Sendings without progress, and scheduled issues nobody began."""
    silent = Issue.objects.filter(status="sending", progress_at__lt=now - rules.STALLED, trouble="")
    for pk in list(silent.values_list("pk", flat=True)):
        due = next_due(issue_id=pk)
        if due is None or due <= now:
            trouble(issue_id=pk, why="Nothing has been sent for five minutes.", now=now)
    late = Issue.objects.filter(status="scheduled", send_at__lt=now - LATE_START, trouble="")
    for pk in list(late.values_list("pk", flat=True)):
        trouble(issue_id=pk, why="It should have begun ten minutes ago. Do the jobs run?", now=now)


def forget_old(*, now: datetime) -> int:
    """Drop what became of single mails of issues that ended long ago; their figures stay. Returns how many rows."""
    oldest = Delivery.objects.order_by("pk").values_list("issue_id", "issue__finished_at").first()
    if oldest is None or oldest[1] is None or oldest[1] > now - KEEP:
        return 0
    rows = Delivery.objects.filter(issue_id=oldest[0]).order_by("pk").values_list("pk", flat=True)[:STEP]
    return Delivery.objects.filter(pk__in=list(rows)).delete()[0]


def settle(
    *, issue_id: int, arrived: Callable[[Collection[int]], Collection[int]], before: datetime
) -> tuple[int, int]:
    """Decide the doubtful ones by who knows: `arrived` gets address ids and returns those the mail server took.

    The others are sent again. Only mails handed over before `before`: a log may be behind. Returns (arrived, again).
    """
    sent = again = after = 0
    while True:
        with transaction.atomic():
            rows = Delivery.objects.filter(issue_id=issue_id, status="doubtful", at__lt=before, pk__gt=after)
            found = dict(rows.order_by("id").values_list("pk", "address_id")[:STEP])
            if not found:
                return sent, again
            after = max(found)
            known = set(arrived(list(found.values())))
            yes = [pk for pk, address in found.items() if address in known]
            no = [pk for pk, address in found.items() if address not in known]
            Delivery.objects.filter(pk__in=yes).update(status="sent")
            Delivery.objects.filter(pk__in=no).update(status="waiting", claim="", next_at=before)
            issue = Issue.objects.select_for_update().get(pk=issue_id)
            issue.sent += len(yes)
            issue.doubtful -= len(yes) + len(no)
            if no and issue.status == "sent":
                issue.status, issue.finished_at = "sending", None
            issue.save(update_fields=["sent", "doubtful", "status", "finished_at"])
            sent, again = sent + len(yes), again + len(no)


def count_click(*, link_id: int) -> None:
    Link.objects.filter(pk=link_id).update(clicks=F("clicks") + 1)


def count_open(*, issue_id: int) -> None:
    Issue.objects.filter(pk=issue_id).update(opens=F("opens") + 1)
