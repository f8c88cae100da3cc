"""Campaigns that run, and two whose words nobody may see yet: a draft, and one that begins tomorrow. That nobody gets
another's variant of a page is the shared caches' round."""

from __future__ import annotations

from datetime import datetime, timedelta

from broadsheet.ads.actions import file_campaign
from broadsheet.ads.rules import SLOT_NAMES
from broadsheet.ads.values import CampaignPlan, CreativePlan
from broadsheet.leakcheck.benefits import Filled, hidden_words


def fill(twin: str, now: datetime) -> Filled:
    """What is hidden is an advertiser's own affair until its day; it opens no address."""
    hidden = {name: hidden_words(f"campaign {name}", twin, 6) for name in ("draft", "waiting")}
    begins = {"draft": now - timedelta(days=1), "waiting": now + timedelta(days=400)}
    for name, words in hidden.items():
        creative = CreativePlan("https://shop.example/", headline=words[:60], text=words[60:200])
        state = "draft" if name == "draft" else "approved"
        file_campaign(plan=CampaignPlan(name, words, (creative,), SLOT_NAMES, begins[name], state=state), now=now)
    creative = CreativePlan("https://shop.example/", headline="Lamps for dark evenings")
    file_campaign(plan=CampaignPlan("running", "Lamp & Sons", (creative,), SLOT_NAMES, begins["draft"]), now=now)
    return Filled(hidden, [])
