"""Passports from Django's sessions: what the gate's ports and the middleware share."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from importlib import import_module

from django.conf import settings
from django.contrib.auth import SESSION_KEY

from broadsheet import clock
from broadsheet.access.actions import merge_meter as merge_reads
from broadsheet.access.book import Book
from broadsheet.access.meter import MeterSeal, meter_seal
from broadsheet.access.queries import current_policy, live_grants, running_reads
from broadsheet.access.rules import carries_over, window
from broadsheet.readers.actions import bump_epoch, note_browser, seen_device
from broadsheet.readers.passport import LIFETIME, Passport, PassportOffice, Right
from broadsheet.readers.queries import reader as reader_card
from broadsheet.readers.queries import session_digest
from broadsheet.server.gatehouse import open_book, passport_office


@lru_cache(maxsize=1)
def _office() -> PassportOffice:
    return passport_office(settings.BROADSHEET, *settings.BROADSHEET_SECRETS)


@lru_cache(maxsize=1)
def _meters() -> tuple[MeterSeal, Book]:
    secret, *older = settings.BROADSHEET_SECRETS
    return meter_seal(secret, settings.BROADSHEET.public_host, *older), open_book(settings.BROADSHEET)


def issue(session_key: str, user_agent: str | None = None) -> str | None:
    """A fresh passport for the reader signed in to a session; None when the session is over or nobody is.

    `user_agent`: what the browser calls itself, for the reader's list of devices; None where only the gate knows it.
    """
    engine = import_module(settings.SESSION_ENGINE)
    session = engine.SessionStore(session_key)
    reader = reader_card(int(session.get(SESSION_KEY, 0)))
    if reader is None:
        return None
    now = clock.now()
    if user_agent is None:
        seen_device(key=session_key, now=now)
    else:
        note_browser(reader_id=reader.id, session_key=session_key, user_agent=user_agent, now=now)
    rights = tuple(
        Right(row.product, int(row.starts_at.timestamp()), int(row.ends_at.timestamp()) if row.ends_at else None)
        for row in live_grants(reader.id, now)
    )
    issued = int(now.timestamp())
    return _office().seal(
        Passport(
            reader=reader.id,
            epoch=reader.epoch,
            session=session_digest(session_key),
            staff=reader.staff,
            issued=issued,
            expires=issued + int(LIFETIME.total_seconds()),
            rights=rights,
            name=reader.name or reader.email,
        )
    )


def is_current(value: str, reader_id: int, session_key: str, now: datetime) -> bool:
    """Whether a passport cookie is this reader's, of this very session, and says what the database says.

    Logging in again changes the session's key: a passport of the old one would outlive the end of the new one.
    """
    passport = _office().open(value, now) if value else None
    if passport and passport.session != session_digest(session_key):
        return False
    reader = reader_card(reader_id) if passport and passport.reader == reader_id else None
    return bool(passport and reader and passport.epoch == reader.epoch)


def session_of(value: str, now: datetime) -> str:
    """The session a live passport was issued from; "" when it is none of ours."""
    passport = _office().open(value, now)
    return passport.session if passport else ""


def merge_meter(reader_id: int, meter_cookie: str, now: datetime) -> None:
    """Count on the account what this browser has read as a visitor in the running window."""
    policy, (seal, book) = current_policy(), _meters()
    meter = seal.open(meter_cookie) if meter_cookie else None
    if meter is None:
        return
    running = window(policy, now, meter.first_read_at).name
    if meter.window != running and not carries_over(meter.window, policy, now):
        return
    reads = book.look_surely(meter)
    if reads:
        span, first, _ = running_reads(reader_id, policy, now)
        name = running if first is None else span.name
        merge_reads(reader_id=reader_id, window=name, reads=reads, now=now)
        bump_epoch(reader_id=reader_id)
