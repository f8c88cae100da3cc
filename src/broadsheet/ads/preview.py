"""How a campaign looks, for the desk: each advertisement in every slot and size it may stand in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from broadsheet.ads import rules
from broadsheet.ads.models import Campaign, Creative
from broadsheet.ads.queries import Figures


def _fits(creative: Creative, size: rules.Size | None) -> bool:
    return bool(size) and (not creative.picture or rules.shown_size(creative.width, creative.height) == size)


def proof(campaign: Campaign) -> SafeString:
    """Everything that a reader may see of a campaign, with the slot's name and size over it."""
    shown = [
        {"creative": creative, "slot": slot, "device": device, "size": size}
        for creative in campaign.creatives.all()
        for slot in rules.SLOTS
        if slot.name in campaign.slots
        for device, size in (("phone", slot.phone), ("desktop", slot.desktop))
        if (not campaign.devices or device in campaign.devices) and _fits(creative, size)
    ]
    return render_to_string("ads/admin/proof.html", {"campaign": campaign, "shown": shown}, using="django")


def figures(rows: Sequence[tuple[date, Figures]]) -> SafeString:
    return render_to_string("ads/admin/figures.html", {"rows": rows}, using="django")
