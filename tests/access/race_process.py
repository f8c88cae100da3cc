"""Many threads of one process that all want the same thing at once: `race_process.py NUMBER`.

Every line on stdin names what is wanted, so that several processes begin together; each is answered with a line of JSON:
what each thread got, or (`kept`) what the database holds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

from broadsheet.server.setup import start_django

start_django()

from django.core.exceptions import ValidationError  # noqa: E402 - Django first
from django.db import connection  # noqa: E402
from tests import make  # noqa: E402

from broadsheet.access import actions, queries  # noqa: E402
from broadsheet.access.meter import pack  # noqa: E402
from broadsheet.access.models import Gift, GiftUse, Institution, MeterRead, SeatLease  # noqa: E402
from broadsheet.access.rules import State, Story, Tier  # noqa: E402
from broadsheet.bus.queries import standing  # noqa: E402
from broadsheet.readers.models import Reader  # noqa: E402

THREADS = 8
NOW = make.NOW


def setup() -> None:
    reader = make.reader("race@reader.example").pk
    for product in ("unlimited", "premium"):
        actions.grant(reader_id=reader, product=product, starts_at=NOW, ends_at=None, source="race")
    row = Institution(name="Race", prefixes="203.0.113.0/24", products=["premium"], seats=5, starts_at=NOW)
    actions.keep_institution(institution=row, now=NOW)
    actions.give_story(reader_id=reader, story=_story(1), now=NOW)


def _story(number: int) -> Story:
    return Story(number, Tier.PREMIUM, State.PUBLISHED, section="national")


def _reader() -> int:
    return Reader.objects.get(email="race@reader.example").pk


def reads(who: int) -> object:
    """Every thread wants another story of one section; the window has room for 7, the section for 5."""
    return actions.count_read(
        reader_id=_reader(), window="m202701", read=pack(who, 3), limit=7, section_limit=5, now=NOW
    )[0]


def again(_who: int) -> object:
    """Every thread wants the same story, on as many devices."""
    return actions.count_read(
        reader_id=_reader(), window="m202702", read=pack(7, 3), limit=1, section_limit=1, now=NOW + timedelta(days=31)
    )[0]


def seats(who: int) -> object:
    return actions.take_seat(institution_id=Institution.objects.get(name="Race").pk, holder=f"h{who}", now=NOW) > 0


def devices(who: int) -> object:
    gift = Gift.objects.get(story_id=1)
    return actions.use_gift(gift_id=gift.pk, story=_story(1), device=f"d{who}", now=NOW) > 0


def gifts(who: int) -> object:
    """Every thread gives another story; the month has room for 9 beside the one that was given."""
    try:
        return actions.give_story(reader_id=_reader(), story=_story(100 + who), now=NOW).token
    except actions.GiftRefusedError as refused:
        return refused.reason


def same_gift(_who: int) -> object:
    """Every thread gives the same story."""
    return actions.give_story(reader_id=_reader(), story=_story(1), now=NOW).token


def networks(who: int) -> object:
    """Every thread claims the same network for an institution of its own."""
    row = Institution(name=f"N{who}", prefixes="198.51.100.0/24", products=["premium"], starts_at=NOW)
    try:
        actions.keep_institution(institution=row, now=NOW)
    except ValidationError as refused:
        return sorted(refused.message_dict)
    return "kept"


def institutions(who: int) -> object:
    """Every thread adds an institution that is in nobody's way."""
    row = Institution(name=f"I{who}", prefixes=f"192.0.2.{who}", products=["premium"], starts_at=NOW)
    actions.keep_institution(institution=row, now=NOW)
    return "kept"


def race(what: Callable[[int], object], process: int) -> list[object]:
    start, got = Barrier(THREADS), [None] * THREADS

    def run(place: int) -> None:
        try:
            connection.ensure_connection()
            start.wait(20)
            got[place] = what(process * THREADS + place)
        except Exception as error:  # noqa: BLE001 - a race that fails is an answer too
            got[place] = f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    threads = [Thread(target=run, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def kept() -> dict[str, object]:
    return {
        "january": MeterRead.objects.filter(window="m202701").count(),
        "february": MeterRead.objects.filter(window="m202702").count(),
        "seats": SeatLease.objects.count(),
        "devices": GiftUse.objects.count(),
        "gifts": Gift.objects.count(),
        "of story 1": Gift.objects.filter(story_id=1).count(),
        "claimants": Institution.objects.filter(name__startswith="N").count(),
        "institutions": sorted(Institution.objects.values_list("name", flat=True)),
        "told": sorted(row["name"] for row in standing("institutions")),
    }


RACES = {f.__name__: f for f in (reads, again, seats, devices, gifts, same_gift, networks, institutions)}

if __name__ == "__main__":
    queries.current_policy()
    print("ready", flush=True)
    for line in sys.stdin:
        wanted = line.strip()
        if wanted == "setup":
            answer: object = setup()
        else:
            answer = kept() if wanted == "kept" else race(RACES[wanted], int(sys.argv[1]))
        connection.close()
        print(json.dumps(answer), flush=True)
