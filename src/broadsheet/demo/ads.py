"""The demo's advertising: some advertisers and the paper's own words. The advertisers are invented, and their pictures
were drawn for this demo."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from broadsheet.ads.actions import file_campaign
from broadsheet.ads.values import CampaignPlan, CreativePlan
from broadsheet.demo import rules

_PICTURES = Path(__file__).parent / "pictures" / "ads"
_SIZES = ("728x90", "320x100", "300x250", "300x600")
EVERYWHERE = ("top", "feed", "side", "story", "end")


def furnish(now: datetime) -> None:
    """The campaigns, unless they are there."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
    for plan in (*_sold(start), *_own(start)):
        file_campaign(plan=plan, now=now)


def _pictures(name: str, alt: str, url: str) -> tuple[CreativePlan, ...]:
    files = [f"{name}-{size}.svg" for size in _SIZES]
    return tuple(CreativePlan(url, picture=file, content=(_PICTURES / file).read_bytes(), alt=alt) for file in files)


def _sold(start: datetime) -> tuple[CampaignPlan, ...]:
    night = "Asleep in Alderport, awake in Nandanpur. The Night Mail leaves at 21:40, every evening."
    cloth = "Cloth that keeps its colour. Handwoven in Nandanpur since 1931."
    return (
        CampaignPlan(
            name="Night Mail, winter timetable (invented)",
            advertiser="Suvarna Coast Railway",
            creatives=_pictures("night-mail", night, "https://railway.example/night-mail"),
            slots=EVERYWHERE,
            starts_at=start,
            ends_at=start + timedelta(days=60),
            weight=20,
            frequency_cap=12,
        ),
        CampaignPlan(
            name="Winter cloth (invented)",
            advertiser="Loom & Ledger",
            creatives=_pictures("loom-and-ledger", cloth, "https://weavers.example/winter"),
            slots=EVERYWHERE,
            starts_at=start,
            ends_at=start + timedelta(days=30),
            weight=10,
        ),
        CampaignPlan(
            name="The Harbour Lectures (invented)",
            advertiser="Alderport Harbour Trust",
            creatives=(
                CreativePlan(
                    "https://harbour.example/lectures",
                    headline="Who owns a coastline?",
                    text="The Harbour Lectures, six Thursdays at the Customs House.",
                    action="Reserve a seat",
                ),
            ),
            slots=("feed", "story", "end"),
            starts_at=start,
            ends_at=start + timedelta(days=21),
            weight=15,
        ),
        CampaignPlan(
            name="Spring sailings (invented, begins next month)",
            advertiser="Tamoa Ferries",
            creatives=(
                CreativePlan(
                    "https://ferries.example/spring",
                    headline="The islands, from April.",
                    text="Three sailings a day to Tamoa.",
                    action="Timetable",
                ),
            ),
            slots=("top", "feed"),
            starts_at=start + timedelta(days=33),
            ends_at=start + timedelta(days=63),
        ),
    )


def _own(start: datetime) -> tuple[CampaignPlan, ...]:
    unlimited = CreativePlan(
        "/subscribe/",
        headline="Read without advertising.",
        text=f"Subscribers of {rules.NAME} get pages without a single one.",
        action="See the plans",
        printed=True,
    )
    desk = CreativePlan(
        "/subscribe/",
        headline="Facts take time.",
        text="Readers pay for the reporters who look for them, every day of the year.",
        action="Subscribe",
        printed=True,
    )
    common = {"advertiser": rules.NAME, "kind": "house", "starts_at": start, "weight": 1}
    return (
        CampaignPlan(
            name="Our own: without advertising", creatives=(unlimited,), slots=("top", "side", "story"), **common
        ),
        CampaignPlan(name="Our own: facts take time", creatives=(desk,), slots=("feed", "end"), **common),
    )
