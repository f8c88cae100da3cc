"""The only writers of campaigns and of their figures."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q

from broadsheet.ads import rules
from broadsheet.ads.models import Campaign, Creative, DayCount
from broadsheet.ads.values import CampaignPlan, CreativePlan
from broadsheet.bus.actions import post
from broadsheet.bus.queries import standing
from broadsheet.dates import local_date

FLUSH_AFTER = 5.0  # seconds for which what was seen is added up in memory before it is written
MOST_WAITING = 2000


# --- campaigns --------------------------------------------------------------------------------------------------------
@transaction.atomic
def keep_campaign(*, campaign: Campaign, now: datetime) -> None:
    """Save a campaign with its advertisements and tell every gate. ValidationError names what may not run."""
    _check(campaign)
    campaign.save()
    post_campaigns(now=now)


@transaction.atomic
def file_campaign(*, plan: CampaignPlan, now: datetime) -> int:
    """Make a campaign that is written down, once for its name; returns its id. ValidationError as above."""
    found = Campaign.objects.filter(name=plan.name).values_list("pk", flat=True).first()
    if found is not None:
        return int(found)
    campaign = Campaign(
        **{name: getattr(plan, name) for name in ("name", "advertiser", "kind", "state", "starts_at", "ends_at")},
        **{name: getattr(plan, name) for name in ("weight", "frequency_cap")},
        **{name: list(getattr(plan, name)) for name in ("slots", "devices", "sections")},
    )
    campaign.full_clean()
    campaign.creatives = [_creative(number, wanted) for number, wanted in enumerate(plan.creatives)]
    keep_campaign(campaign=campaign, now=now)
    return int(campaign.pk)


def _creative(number: int, plan: CreativePlan) -> Creative:
    words = {name: getattr(plan, name) for name in ("url", "headline", "text", "action", "alt", "printed")}
    creative = Creative(sort_order=number, **words)
    if plan.picture:
        creative.picture = ContentFile(plan.content, name=plan.picture)
    creative.full_clean(exclude=["campaign"])
    return creative


@transaction.atomic
def drop_campaign(*, campaign: Campaign, now: datetime) -> None:
    """Remove a campaign with its advertisements and their figures."""
    campaign.delete()
    post_campaigns(now=now)


def _check(campaign: Campaign) -> None:
    problems = []
    creatives = list(campaign.creatives.all())
    if campaign.state == "approved" and not (creatives and campaign.slots):
        problems.append("A campaign that is approved has a slot and an advertisement.")
    for creative in creatives:
        wrong = rules.target_problem(creative.url, house=campaign.kind == "house")
        if not wrong and creative.picture:
            wrong = rules.size_problem(creative.width, creative.height, campaign.slots)
        if not wrong and creative.printed and (campaign.kind != "house" or campaign.ends_at is not None):
            wrong = "Only the paper's own campaigns without an end are printed into pages: those are not printed anew."
        if wrong:
            problems.append(f"{creative}: {wrong}")
    if problems:
        raise ValidationError(problems)


def post_campaigns(*, now: datetime) -> None:
    """Tell every gate what is approved and has not ended. When each begins and ends they see by themselves."""
    post("ads", _all_posted(now))


def post_if_changed(*, now: datetime) -> None:
    """The same when they know something else, as after a change of an option."""
    values = _all_posted(now)
    if standing("ads") != values:
        post("ads", values)


def _all_posted(now: datetime) -> dict[str, Any]:
    live = Campaign.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), state="approved").order_by("pk")
    campaigns = [_posted(campaign) for campaign in live.prefetch_related("creatives")]
    return {"sample": settings.BROADSHEET.ads_sample, "campaigns": [one for one in campaigns if one["creatives"]]}


def _posted(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.pk,
        "kind": campaign.kind,
        "weight": campaign.weight,
        "cap": campaign.frequency_cap,
        "start": int(campaign.starts_at.timestamp()),
        "end": int(campaign.ends_at.timestamp()) if campaign.ends_at else None,
        "slots": campaign.slots,
        "sections": campaign.sections,
        "devices": campaign.devices,
        "creatives": [_shown(campaign, creative) for creative in campaign.creatives.all()],
    }


def _shown(campaign: Campaign, creative: Creative) -> dict[str, Any]:
    if creative.picture:
        width, height = rules.shown_size(creative.width, creative.height)
        return {"id": creative.pk, "src": creative.picture.url, "alt": creative.alt, "w": width, "h": height}
    words = {"headline": creative.headline, "text": creative.text, "action": creative.action}
    by = campaign.advertiser if campaign.kind == "direct" else ""
    return {"id": creative.pk, **words, "by": by}


# --- figures ----------------------------------------------------------------------------------------------------------
class _Tally:
    """What was seen since it was last written: flat in memory and in time, whatever the traffic. A crash loses seconds
    of an estimate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[tuple[int, date, str]] = Counter()
        self._since = 0.0

    def add(self, rows: Iterable[tuple[int, date, str]], times: int) -> bool:
        """Whether it is time to write it down."""
        with self._lock:
            if not self._seen:
                self._since = time.monotonic()
            for row in rows:
                self._seen[row] += times
            return time.monotonic() - self._since > FLUSH_AFTER or len(self._seen) > MOST_WAITING

    def take(self) -> dict[tuple[int, date, str], int]:
        with self._lock:
            taken, self._seen = dict(self._seen), Counter()
        return taken


_tally = _Tally()


def note_seen(*, rows: Iterable[tuple[int, str]], now: datetime) -> None:
    """One page reports which (advertisement, slot) were seen on it, for all the pages that do not."""
    day = local_date(now, settings.BROADSHEET.zone)
    if _tally.add([(creative, day, slot) for creative, slot in rows], settings.BROADSHEET.ads_sample):
        write_seen()


def write_seen() -> None:
    """Write down what this process has added up. Reports of advertisements that are no more count for nothing."""
    taken = _tally.take()
    if not taken:
        return
    known = set(Creative.objects.filter(pk__in={row[0] for row in taken}).values_list("pk", flat=True))
    with transaction.atomic():
        for (creative, day, slot), times in sorted(taken.items()):
            if creative in known:
                _count(creative, day, slot, seen=times)


def note_click(*, creative: int, slot: str, now: datetime) -> None:
    """One click on an advertisement."""
    with transaction.atomic():
        _count(creative, local_date(now, settings.BROADSHEET.zone), slot, clicks=1)


def _count(creative: int, day: date, slot: str, **more: int) -> None:
    row, _ = DayCount.objects.get_or_create(creative_id=creative, day=day, slot=slot)
    DayCount.objects.filter(pk=row.pk).update(**{name: F(name) + number for name, number in more.items()})
