"""One page that shows what happens after something happened: every event and its handlers, every periodic job, and the
few synchronous ports. Nothing in this program is connected anywhere else than here and in `wiring_billing`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpResponse

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.access.events import PolicySwitched
from broadsheet.access.queries import current_policy, running_reads
from broadsheet.account import actions as account
from broadsheet.archive import jobs as archive_jobs
from broadsheet.archive.events import IndexLost
from broadsheet.bus import actions as bus
from broadsheet.demo import actions as demo
from broadsheet.demo import jobs as demo_jobs
from broadsheet.epaper import jobs as epaper_jobs
from broadsheet.gate.ports import Ports
from broadsheet.leakcheck import jobs as leakcheck_jobs
from broadsheet.leakcheck import ports as leakcheck_ports
from broadsheet.markets import jobs as market_jobs
from broadsheet.newsroom import ports as newsroom_ports
from broadsheet.newsroom.events import StoryPublished, StoryRemoved
from broadsheet.newsroom.queries import draft_story
from broadsheet.payments import jobs as payment_jobs
from broadsheet.press import jobs as press_jobs
from broadsheet.press.actions import print_story
from broadsheet.press.printer import print_full
from broadsheet.press.queries import chrome
from broadsheet.server import jobs as server_jobs
from broadsheet.server import leak_cookies, passports, wiring_benefits, wiring_billing
from broadsheet.server.worker import Every
from broadsheet.subscriptions import jobs as subscription_jobs
from broadsheet.website import actions as website
from broadsheet.website import jobs as website_jobs
from broadsheet.wire import jobs as wire_jobs

Result = TypeVar("Result")

HANDLERS = {
    StoryPublished: (
        press_jobs.print_published,
        website_jobs.reprint_fronts,
        archive_jobs.index_story,
        market_jobs.link_story,
        wire_jobs.note_published,
        leakcheck_jobs.note_published,
    ),
    StoryRemoved: (
        press_jobs.pull_removed,
        website_jobs.reprint_fronts,
        archive_jobs.unindex_story,
        market_jobs.unlink_story,
        epaper_jobs.take_off_story,
    ),
    IndexLost: (archive_jobs.rebuild_lost,),
    PolicySwitched: (server_jobs.print_policy,),
    **wiring_billing.HANDLERS,
    **wiring_benefits.HANDLERS,
}


def periodic() -> list[Every]:
    """What the worker looks after besides the queue; each looks for what is due and may run late or twice."""
    return [
        Every(2, server_jobs.renew_edition),
        Every(1, wire_jobs.watch_incoming),
        Every(10, server_jobs.publish_scheduled),
        Every(15, wire_jobs.release_embargoes),
        Every(60, wire_jobs.read_unread),
        Every(60, archive_jobs.ensure_index),
        Every(20, server_jobs.turn_the_day),
        Every(20, server_jobs.follow_time_zone),
        Every(1, subscription_jobs.run_billing),
        Every(300, payment_jobs.follow_up),
        Every(6 * 3600, payment_jobs.compare_books),
        Every(3600, payment_jobs.close_months),
        Every(2, leakcheck_jobs.look_at_published),
        Every(300, leakcheck_jobs.look_at_night),
        Every(3600, server_jobs.purge),
        *wiring_benefits.periodic(),
        *([Every(5, demo_jobs.drip), Every(3, demo_jobs.furnish)] if settings.BROADSHEET.demo else []),
    ]


def _preview(article: object) -> HttpResponse:
    """What an editor's draft would look like in full; sent to staff by the admin's preview alone."""
    sheet = print_full(draft_story(article, clock.now()), chrome())
    return HttpResponse(sheet.plain, content_type=sheet.content_type)


def _reads(reader: int) -> tuple[int | None, list[int]]:
    _, first, reads = running_reads(reader, current_policy(), clock.now())
    return int(first.timestamp()) if first else None, sorted(reads)


def _count_read(reader: int, window: str, read: int, limit: int, section_limit: int | None) -> tuple[str, list[int]]:
    verdict, reads = access.count_read(
        reader_id=reader, window=window, read=read, limit=limit, section_limit=section_limit, now=clock.now()
    )
    return verdict, list(reads)


def _take_seat(institution: int, holder: str) -> int:
    return access.take_seat(institution_id=institution, holder=holder, now=clock.now())


def _open_gift(token: str) -> dict[str, int] | None:
    return account.open_gift(token=token, now=clock.now())


def _use_gift(gift: int, story: int, device: str) -> int:
    return account.use_gift(gift=gift, story=story, device=device, now=clock.now())


def _afresh(port: Callable[..., Result]) -> Callable[..., Result]:
    """A port whose thread first drops a connection that died or grew old: no request of Django's does it there."""

    @wraps(port)
    def call(*arguments: Any) -> Result:
        close_old_connections()
        return port(*arguments)

    return call


def _in_this_edition(port: Callable[..., Result]) -> Callable[..., Result]:
    """A printing port: the gates believe in the edition that was printed, also when a frame changed a moment ago or the
    newsroom before this one, with other options, had the last word. Where there was nothing to print no time is spent:
    it would tell addresses of drafts from those of nothing."""

    @wraps(port)
    def call(*arguments: Any) -> Result:
        printed = port(*arguments)
        if printed:
            server_jobs.renew_edition()
        return printed

    return call


def gate_ports() -> Ports:
    """What the gate may ask of Django; each of them runs in a thread of its own."""
    return Ports(
        print_story=_afresh(_in_this_edition(lambda story: bool(print_story(story)))),
        print_page=_afresh(_in_this_edition(lambda path: website.print_at(path=path, now=clock.now()) is not None)),
        issue_passport=_afresh(passports.issue),
        reads=_afresh(_reads),
        count_read=_afresh(_count_read),
        take_seat=_afresh(_take_seat),
        open_gift=_afresh(_open_gift),
        use_gift=_afresh(_use_gift),
    )


def open_newsroom() -> None:
    """Before a newsroom answers its first request: a demo gets its stories."""
    if settings.BROADSHEET.demo:
        demo.seed(now=clock.now())


def connect() -> None:
    """Called once, when every app is loaded."""
    bus.connect(HANDLERS)
    wiring_billing.connect_ports()
    wiring_benefits.connect_ports()
    newsroom_ports.connect_preview(_preview)
    leakcheck_ports.connect_cookies(leak_cookies.cookies)
