"""What plans include besides stories: which of it works here, what happens after what, and what is looked after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broadsheet.access.products import connect_works
from broadsheet.ads import jobs as ads_jobs
from broadsheet.ads import ports as ads_ports
from broadsheet.ads import queries as ads
from broadsheet.api import jobs as api_jobs
from broadsheet.archive import jobs as archive_jobs
from broadsheet.archive import queries as archive
from broadsheet.epaper import jobs as epaper_jobs
from broadsheet.epaper import queries as epaper
from broadsheet.epaper.events import EditionOrdered, EditionPublished, EditionReceived, EditionRevised
from broadsheet.markets import jobs as market_jobs
from broadsheet.markets import queries as markets
from broadsheet.markets.events import AlertsFired, PricesImported
from broadsheet.newsletters import jobs as newsletter_jobs
from broadsheet.newsletters import queries as newsletters
from broadsheet.newsletters.events import SendingTroubled, SignUpAsked
from broadsheet.newsroom import queries as newsroom
from broadsheet.newsroom.ports import connect_instruments
from broadsheet.partners import jobs as partner_jobs
from broadsheet.partners import ports as partner_ports
from broadsheet.partners import queries as partners
from broadsheet.partners.events import ClaimEnded, StockLow
from broadsheet.readers import jobs as reader_jobs
from broadsheet.readers.events import DeviceEnded
from broadsheet.server import wiring_billing, wiring_partners
from broadsheet.server.worker import Every
from broadsheet.subscriptions.events import (
    SeatRemoved,
    SeatsCut,
    SubscriptionChanged,
    SubscriptionEnded,
    SubscriptionPaused,
    SubscriptionSuspended,
)

# What billing does after these comes first; a line here takes the place of billing's own.
_BILLING: dict[type, tuple[Callable[[Any], None], ...]] = wiring_billing.HANDLERS

HANDLERS: dict[type, tuple[Callable[[Any], None], ...]] = {
    StockLow: (partner_jobs.mail_low_stock,),
    ClaimEnded: (partner_jobs.report_end,),
    **{
        event: (*_BILLING[event], wiring_partners.review_subscription)
        for event in (SubscriptionEnded, SubscriptionSuspended, SubscriptionPaused, SubscriptionChanged, SeatsCut)
    },
    SeatRemoved: (*_BILLING[SeatRemoved], wiring_partners.review_seat),
    DeviceEnded: (reader_jobs.tell_of_ended_device,),
    SignUpAsked: (newsletter_jobs.send_confirmation,),
    SendingTroubled: (newsletter_jobs.tell_of_trouble,),
    PricesImported: (market_jobs.fire_alerts,),
    AlertsFired: (market_jobs.mail_alerts,),
    EditionReceived: (epaper_jobs.make_received,),
    EditionOrdered: (epaper_jobs.set_ordered,),
    EditionPublished: (),
    EditionRevised: (),
}

# Whether a product has anything to offer in this installation now: one step on an index each, or an option.
WORKS: dict[str, Callable[[], bool]] = {
    "epaper": epaper.works,
    "investor": markets.works,
    "newsletters": newsletters.works,
    "archive": archive.works,
    "partner": partners.works,
    "ad_free": ads.works,
}


def periodic() -> list[Every]:
    """What the worker looks after."""
    return [
        Every(20, archive_jobs.turn_window),
        Every(20, partner_jobs.review_due),
        Every(60, partner_jobs.watch_stocks),
        Every(3600, partner_jobs.tidy),
        Every(3600, api_jobs.purge),
        Every(10, market_jobs.watch_incoming),
        Every(900, market_jobs.watch_lateness),
        Every(60, market_jobs.refresh_stale),
        Every(60, market_jobs.fetch_feed),
        Every(5, ads_jobs.write_seen),
        Every(60, ads_jobs.post_again),
        Every(20, epaper_jobs.take_up_left),
        Every(3600, epaper_jobs.purge_clips),
        Every(5, epaper_jobs.watch_incoming),
        Every(30, epaper_jobs.order_by_rule),
        Every(2, newsletter_jobs.keep_sending),
        Every(20, newsletter_jobs.make_due),
        Every(60, newsletter_jobs.look_after),
    ]


def connect_ports() -> None:
    """Called once, when every app is loaded."""
    partner_ports.connect(wiring_partners.subscribed)
    ads_ports.connect_sections(lambda: [(section.slug, section.name) for section in newsroom.sections()])
    connect_instruments(markets.codes_for)
    connect_works(WORKS)
