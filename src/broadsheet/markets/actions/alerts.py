"""Fires readers' alerts after an import, each at most once a day. The letter is queued in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from broadsheet.access.queries import benefit
from broadsheet.access.rules import Body
from broadsheet.bus.actions import emit
from broadsheet.mail.actions import Letter, send
from broadsheet.markets import letters
from broadsheet.markets.events import AlertsFired
from broadsheet.markets.models import Alert
from broadsheet.markets.queries import quotes_by_id
from broadsheet.readers.queries import reader as reader_card

PRODUCT = "investor"
_BATCH = 500


def may(reader_id: int, now: datetime) -> bool:
    """Whether the reader's right to the investor section holds at this moment."""
    return benefit(PRODUCT, reader_id, now).body is Body.FULL


def _due(day: date) -> Q:
    """Alerts whose instrument's latest prices are of `day` and do what the alert waits for."""
    close, level = F("instrument__snapshot__close"), F("level")
    reached = Q(kind="above", status="armed", level__lte=close) | Q(kind="below", status="armed", level__gte=close)
    moved = Q(kind="change") & (
        Q(instrument__snapshot__change_bp__gte=level) | Q(instrument__snapshot__change_bp__lte=-1 * level)
    )
    fresh = Q(last_fired_day=None) | Q(last_fired_day__lt=day)
    return Q(instrument__snapshot__day=day) & fresh & (reached | moved)


def fire_alerts(*, day: date, now: datetime) -> int:
    """Fire what is due on the prices of `day`, and arm again what the price has left. Returns how many fired.

    Alerts of readers without the right stay as they are: they fire when the right and the price are there again.
    """
    _rearm(day)
    fired = 0
    after = 0
    while rows := list(
        Alert.objects.filter(_due(day), pk__gt=after).order_by("pk").values_list("pk", "reader_id")[:_BATCH]
    ):
        after = rows[-1][0]
        mine: dict[int, list[int]] = defaultdict(list)
        for number, reader_id in rows:
            mine[reader_id].append(number)
        for reader_id, ids in mine.items():
            if may(reader_id, now):
                fired += _fire(reader_id, ids, day)
    return fired


def _rearm(day: date) -> None:
    """A level that the close has left may be reached again."""
    close = F("instrument__snapshot__close")
    left = Q(kind="above", level__gt=close) | Q(kind="below", level__lt=close)
    ids = Alert.objects.filter(left, status="fired", instrument__snapshot__day=day).values("pk")
    Alert.objects.filter(pk__in=ids).update(status="armed")


@transaction.atomic
def _fire(reader_id: int, ids: list[int], day: date) -> int:
    """Of two jobs that come at once, one changes the row and writes the letter."""
    fresh = Q(last_fired_day=None) | Q(last_fired_day__lt=day)
    won = [n for n in ids if Alert.objects.filter(fresh, pk=n).exclude(Q(status="fired") & ~Q(kind="change")).update(
        last_fired_day=day, status="fired"
    )]  # fmt: skip
    if won:
        emit(AlertsFired(reader_id, won, day.isoformat()))
    return len(won)


def send_alerts(*, reader_id: int, alert_ids: list[int], day: date, now: datetime) -> bool:
    """Send the letter about alerts that fired, if the reader may still have it. Raises what the transport raises."""
    card = reader_card(reader_id)
    if card is None or not card.verified or not may(reader_id, now):
        return False
    rows = list(Alert.objects.filter(pk__in=alert_ids, reader_id=reader_id).order_by("pk"))
    quotes = quotes_by_id({row.instrument_id for row in rows})
    told = [(row.kind, row.level, quotes[row.instrument_id]) for row in rows]
    if not told:
        return False
    options = settings.BROADSHEET
    subject, text = letters.alert_letter(told, day, paper=options.name, url=options.public_url)
    key = f"alerts:{day}:{'-'.join(map(str, sorted(alert_ids)))}"
    send(Letter(card.email, subject, text, key=key))
    return True
