"""Periodic jobs of the program itself."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.management import call_command

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.access import recall
from broadsheet.access.events import PolicySwitched
from broadsheet.access.queries import current_policy
from broadsheet.bus import actions as bus
from broadsheet.dates import local_date
from broadsheet.leakcheck.actions import purge as purge_leak_runs
from broadsheet.press.queries import chrome, stores
from broadsheet.readers.actions import forget_unverified
from broadsheet.website import jobs as website_jobs


def renew_edition() -> None:
    """Notice that the paper around the stories changed (a limit, a price, a section, a template) and say so.

    The edition is derived from what is printed, not counted by hand: a change that forgot to raise it cannot exist.
    """
    edition, shelf = chrome().edition, stores().public
    before = shelf.note("edition")
    if edition == before:
        return
    # Noted before it is announced: a gate that hears of it looks at the note.
    shelf.write_note("edition", edition)
    try:
        bus.announce("edition", "paper", edition)
    except BaseException:
        shelf.write_note("edition", before)  # so that the next look announces it
        raise


def print_policy(_event: PolicySwitched) -> None:
    """The walls say another number: a new edition at once, not with the next look."""
    renew_edition()


def publish_scheduled() -> None:
    """Wagtail's own command: publishes what is due, expires what has expired."""
    call_command("publish_scheduled", verbosity=0)


def follow_time_zone() -> None:
    """A policy of the publisher's follows the paper's zone when that option changes: one zone for dates and meters."""
    zone = settings.BROADSHEET.zone
    policy = current_policy()
    if policy.revision and policy.zone != zone:
        note = "The option time_zone changed"
        access.switch_policy(values={"zone": zone.key}, by=None, now=clock.now(), note=note, onto=policy.revision)


def turn_the_day() -> None:
    """Print the front for a new date when the publisher's midnight has passed."""
    today = local_date(clock.now(), settings.BROADSHEET.zone).toordinal()
    shelf = stores().public
    if today != shelf.note("day"):
        website_jobs.print_new_day()
        shelf.write_note("day", today)


def purge() -> None:
    """Forget what has served: jobs done a week ago, old notices, lapsed seats, old gifts, unproven addresses, decisions
    older than the publisher keeps them, printed pages that do not fit on the disk."""
    bus.purge(clock.now())
    access.purge(now=clock.now())
    forget_unverified(now=clock.now())
    purge_leak_runs(now=clock.now())
    options = settings.BROADSHEET
    for store in (stores().public, stores().full):
        store.shrink(options.press_gigabytes * 2**30 // 2)
    recall.purge(options.data / "decisions", clock.now().date() - timedelta(days=options.decision_days or -1))
