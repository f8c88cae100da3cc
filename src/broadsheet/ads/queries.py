"""What others may know of advertising: whether there is any, what is printed into pages, where a click leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Sum

from broadsheet.ads import rules
from broadsheet.ads.models import Creative, DayCount
from broadsheet.ads.values import Frame, HouseAd


def works() -> bool:
    """Whether reading without advertising is worth anything here: pages carry some."""
    return bool(settings.BROADSHEET.ads)


def frame() -> Frame | None:
    """What the advertising variant of every page has more; None when pages carry none. Part of the edition."""
    options = settings.BROADSHEET
    if not options.ads:
        return None
    chosen: dict[str, HouseAd] = {}
    rows = Creative.objects.filter(
        printed=True, campaign__kind="house", campaign__state="approved", campaign__ends_at=None
    )
    for row in rows.select_related("campaign").order_by("campaign_id", "sort_order", "pk"):
        for slot in row.campaign.slots:
            chosen.setdefault(slot, HouseAd(row.headline, row.text, row.action, f"/ads/go/{row.pk}?slot={slot}"))
    own = HouseAd(options.name, options.tagline or "Journalism that its readers pay for.", "Subscribe", "/subscribe/")
    return Frame(tuple((slot, chosen.get(slot, own)) for slot in rules.SLOT_NAMES), options.ads_tag_manager)


def target(creative_id: int, now: datetime) -> str:
    """Where an advertisement leads, "" for one that never ran: a page that was opened before its end still leads on."""
    row = Creative.objects.filter(pk=creative_id, campaign__state="approved", campaign__starts_at__lte=now)
    found = row.select_related("campaign").first()
    if found is None or rules.target_problem(found.url, house=found.campaign.kind == "house"):
        return ""
    return found.url


@dataclass(frozen=True, slots=True)
class Figures:
    """A campaign's figures between two days, estimated from the pages that report."""

    seen: int
    clicks: int

    @property
    def rate(self) -> str:
        """Clicks a hundred times seen."""
        return f"{100 * self.clicks / self.seen:.2f} %" if self.seen else ""


def by_day(campaign_id: int, most: int = 31) -> Sequence[tuple[date, Figures]]:
    """The last days on which a campaign was seen, the newest first."""
    rows = DayCount.objects.filter(creative__campaign_id=campaign_id).order_by().values("day")
    found = rows.annotate(seen_sum=Sum("seen"), click_sum=Sum("clicks")).order_by("-day")[:most]
    return [(row["day"], Figures(row["seen_sum"], row["click_sum"])) for row in found]
