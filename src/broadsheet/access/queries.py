"""What a reader may read, as values."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from broadsheet.access.meter import pack
from broadsheet.access.models import Gift, GiftUse, Grant, Institution, MeterRead, PolicyRevision, SeatLease
from broadsheet.access.rules import (
    Decision,
    Policy,
    Principal,
    Request,
    Right,
    Story,
    Surface,
    Window,
    decide,
    decide_benefit,
    policy_from,
    policy_of,
    rolling_start,
    window,
)
from broadsheet.dates import month_window
from broadsheet.ids import keyed_digest
from broadsheet.readers.queries import reader as reader_card
from broadsheet.readers.queries import readers_by_ids


@dataclass(frozen=True, slots=True)
class GrantRow:
    product: str
    starts_at: datetime
    ends_at: datetime | None
    source: str


def live_grants(reader_id: int, now: datetime) -> Sequence[GrantRow]:
    """Grants that hold now or will hold later; those that ended are history."""
    rows = Grant.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), reader_id=reader_id).order_by("id")
    return [GrantRow(g.product, g.starts_at, g.ends_at, g.source) for g in rows]


def products_held(reader_id: int, now: datetime) -> frozenset[str]:
    """The products whose grants hold at `now`."""
    return frozenset(row.product for row in live_grants(reader_id, now) if row.starts_at <= now)


def grants_from(sources: Sequence[str]) -> Sequence[tuple[int, GrantRow]]:
    """(reader, grant) of everything these sources ever granted."""
    rows = Grant.objects.filter(source__in=sources).order_by("id")
    return [(g.reader_id, GrantRow(g.product, g.starts_at, g.ends_at, g.source)) for g in rows]


def sources_granting(prefix: str, now: datetime) -> Iterator[str]:
    """The sources whose name begins with `prefix` and whose grants hold at `now`, streamed."""
    rows = Grant.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), source__startswith=prefix)
    yield from rows.order_by("source").values_list("source", flat=True).distinct().iterator(chunk_size=1000)


def running_reads(reader_id: int, policy: Policy, now: datetime) -> tuple[Window, datetime | None, frozenset[int]]:
    """The reader's running window, the first read that dates it if it rolls, and the reads (meter.pack) in it."""
    rows = MeterRead.objects.filter(reader_id=reader_id)
    kind, _, days = policy.window.partition(":")
    first = None
    if kind == "rolling":
        last = rows.order_by("-at", "-id").values_list("window", flat=True).first()
        first = rolling_start(last) if last else None
        if last and first is None:
            # Counted by the calendar until the policy changed: it rolls from the oldest read that is young enough.
            young = rows.filter(at__gt=now - timedelta(days=int(days)), at__lte=now)
            first = young.order_by("at").values_list("at", flat=True).first()
    span = window(policy, now, first)
    return span, first, frozenset(packed(reads_in(reader_id, span)))


def reads_in(reader_id: int, span: Window) -> QuerySet[MeterRead]:
    """The reader's rows of a window, those too that were counted in another kind of window while it ran: a policy that
    changes its window gives nobody a second allowance."""
    kind = f"{span.name.partition('-')[0]}-" if span.name.startswith("r") else span.name[:1]
    while_it_ran = Q(at__gte=span.start, at__lt=span.end) & ~Q(window__startswith=kind)
    return MeterRead.objects.filter(Q(window=span.name) | while_it_ran, reader_id=reader_id)


def packed(rows: QuerySet[MeterRead]) -> tuple[int, ...]:
    """Meter rows as reads (meter.pack), the oldest first."""
    pairs = rows.order_by("id").values_list("story_id", "section")
    sections: dict[int, int] = {}
    for story, section in pairs:
        sections.setdefault(story, section)
    return tuple(pack(story, section) for story, section in sections.items())


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A decision of the publisher's. `by`: the name it was made under, "" for the program's own."""

    policy: Policy
    at: datetime
    by: str
    note: str

    @property
    def number(self) -> int:
        return self.policy.revision


def _revision(row: PolicyRevision) -> RevisionRow:
    return RevisionRow(policy_from({**row.values, "revision": row.pk}), row.at, row.by_name, row.note)


def current_policy() -> Policy:
    """The policy that holds: the publisher's newest decision, else what the options say.

    Read from the table each time (one step at the end of an index): no process can go on with an older one.
    """
    newest = PolicyRevision.objects.order_by("-id").first()
    return _revision(newest).policy if newest else policy_of(settings.BROADSHEET)


def policy_at(revision: int) -> Policy | None:
    """The policy of a revision, 0 being what the options say now; None when there is no such revision."""
    if revision == 0:
        return policy_of(settings.BROADSHEET)
    row = PolicyRevision.objects.filter(pk=revision).first()
    return _revision(row).policy if row else None


def policy_history(limit: int = 100) -> Sequence[RevisionRow]:
    """The publisher's decisions, newest first."""
    return [_revision(row) for row in PolicyRevision.objects.order_by("-id")[:limit]]


def emergency_since() -> RevisionRow | None:
    """The decision with which the running emergency of the whole paper began; None when there is none."""
    if not current_policy().emergency:
        return None
    ended = PolicyRevision.objects.filter(values__emergency=False).order_by("-id").values_list("id", flat=True).first()
    began = PolicyRevision.objects.filter(id__gt=ended or 0).order_by("id").first()
    return _revision(began) if began else None


def institutions_value(now: datetime) -> list[dict[str, Any]]:
    """What stands under "institutions" for every gate: those that lend seats now or will."""
    rows = Institution.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("id")
    return [
        {
            "id": row.pk,
            "name": row.name,
            "prefixes": row.prefixes.split(),
            "products": row.products,
            "seats": row.seats,
            "start": int(row.starts_at.timestamp()),
            "end": int(row.ends_at.timestamp()) if row.ends_at else None,
        }
        for row in rows
    ]


def seats_in_use(now: datetime) -> Mapping[int, int]:
    """How many browsers hold a seat, by institution; those with none are left out."""
    rows = SeatLease.objects.filter(until__gt=now).values_list("institution").annotate(Count("id"))
    return dict(rows.order_by())


@dataclass(frozen=True, slots=True)
class GiftRow:
    """A gift. `token` opens it and is its giver's alone to see, "" when the secret it was made with is gone; `opened`
    of `devices` are used up."""

    id: int
    giver: int
    story: int
    token: str
    created_at: datetime
    expires_at: datetime
    devices: int
    opened: int
    revoked: bool

    def is_live(self, now: datetime) -> bool:
        return not self.revoked and now < self.expires_at


def gift_token(seed: str) -> str:
    """A gift's token: 128 bits that are random to whoever lacks the seed or the installation's secret."""
    digest = keyed_digest(settings.BROADSHEET_SECRET, "gift-token", bytes.fromhex(seed))
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def token_digest(token: str) -> str:
    return keyed_digest(b"", "gift-link", token.encode("utf-8", "replace")).hex()


def gift_row(row: Gift, opened: int) -> GiftRow:
    token = gift_token(row.seed)
    return GiftRow(
        id=row.pk,
        giver=row.giver_id,
        story=row.story_id,
        token=token if token_digest(token) == row.token else "",
        created_at=row.created_at,
        expires_at=row.expires_at,
        devices=row.devices,
        opened=opened,
        revoked=row.revoked_at is not None,
    )


def _gift_rows(rows: QuerySet[Gift]) -> list[GiftRow]:
    found = list(rows)
    opened = dict(GiftUse.objects.filter(gift__in=found).values_list("gift").annotate(Count("id")).order_by())
    return [gift_row(row, opened.get(row.pk, 0)) for row in found]


def gifts_of(reader_id: int, limit: int = 100) -> Sequence[GiftRow]:
    """What the reader gave, newest first."""
    return _gift_rows(Gift.objects.filter(giver_id=reader_id).order_by("-created_at", "-id")[:limit])


def live_gift(reader_id: int, story_id: int, now: datetime) -> GiftRow | None:
    """The reader's gift of this story that neither ended nor was revoked, and whose link can still be shown."""
    rows = Gift.objects.filter(giver_id=reader_id, story_id=story_id, revoked_at=None, expires_at__gt=now)
    return next((row for row in _gift_rows(rows.order_by("-id")[:1]) if row.token), None)


def gifts_left(reader_id: int, now: datetime) -> int:
    """How many gifts of the calendar month in the publisher's zone are left; a revoked one stays given."""
    start, end = month_window(now, settings.BROADSHEET.zone)
    given = Gift.objects.filter(giver_id=reader_id, created_at__gte=start, created_at__lt=end).count()
    return max(0, int(settings.BROADSHEET.gift_quota) - given)


def has_own_right(reader_id: int, story: Story, now: datetime) -> bool:
    """Whether the reader's own grants, or being staff, open the story: no meter, seat or gift counts, nor that it is
    free for everybody at the moment."""
    card = reader_card(reader_id)
    if card is None:
        return False
    principal = Principal.STAFF if card.staff else Principal.REGISTERED
    rights = tuple(Right(row.product, row.starts_at, row.ends_at) for row in live_grants(reader_id, now))
    always = replace(current_policy(), emergency=False)
    asked = Request(principal, rights, real_read=False)
    return decide(always, story._replace(emergency_free=False), asked, now).reason in ("entitled", "staff")


def asking(reader_id: int | None, now: datetime) -> Request:
    """Who asks on a surface that Django answers, with the rights that hold: never a read that the meter could count."""
    card = reader_card(reader_id) if reader_id is not None else None
    if card is None:
        return Request(real_read=False, surface=Surface.OTHER)
    principal = Principal.STAFF if card.staff else Principal.REGISTERED
    rights = tuple(Right(row.product, row.starts_at, row.ends_at) for row in live_grants(card.id, now))
    return Request(principal, rights, real_read=False, surface=Surface.OTHER)


def asking_many(reader_ids: Sequence[int], now: datetime) -> Mapping[int, Request]:
    """As asking(), for many open accounts in two statements: whoever writes to thousands asks for them in batches."""
    held: dict[int, list[Right]] = {}
    rows = Grant.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), reader_id__in=reader_ids).order_by("id")
    for reader_id, *right in rows.values_list("reader_id", "product", "starts_at", "ends_at"):
        held.setdefault(reader_id, []).append(Right(*right))
    cards = readers_by_ids(reader_ids)
    return {
        key: Request(
            Principal.STAFF if card.staff else Principal.REGISTERED,
            tuple(held.get(key, ())),
            real_read=False,
            surface=Surface.OTHER,
        )
        for key, card in cards.items()
    }


def benefit(product: str, reader_id: int | None, now: datetime) -> Decision:
    """Whether a reader (None: a visitor) may have what a product opens: the answer of decide_benefit()."""
    return decide_benefit(product, asking(reader_id, now), now)


def refuses_gift(reader_id: int, story: Story | None, now: datetime) -> str:
    """Why the reader cannot give this story: off, absent, free or not_entitled; "" when they can."""
    if not settings.BROADSHEET.gift_quota:
        return "off"
    decision = decide(current_policy(), story, Request(real_read=False), now)
    if story is None or decision.status != 200:  # noqa: PLR2004 - the one good status
        return "absent"
    if decision.reason in ("free", "emergency"):
        return "free"
    return "" if has_own_right(reader_id, story, now) else "not_entitled"


def gift_opens(row: Gift, story: Story, now: datetime) -> bool:
    """Whether a gift of this story lets anybody in now: it runs, and its giver could still read the story."""
    running = settings.BROADSHEET.gift_quota and row.revoked_at is None and now < row.expires_at
    return bool(running) and has_own_right(row.giver_id, story, now)


def story_of_gift(token: str) -> int | None:
    """Which story a link's token is of, whether it opens or not."""
    return Gift.objects.filter(token=token_digest(token)).values_list("story_id", flat=True).first()


def open_gift(token: str, story: Story, now: datetime) -> tuple[int, int] | None:
    """(gift, until in Unix seconds) of a token that opens `story` now; uses nothing up."""
    row = Gift.objects.filter(token=token_digest(token), story_id=story.id).first()
    if row is None or not gift_opens(row, story, now):
        return None
    return row.pk, int(row.expires_at.timestamp())
