"""Processes that take numbers side by side: `series_process.py COUNT`, in the data folder and database of its environment.

Makes the database, forks three takers of COUNT numbers each, and prints how they ended and every number that is in the
books. A fifth of what they begin is rolled back with its number taken; one of them dies in the middle of one.
"""

from __future__ import annotations

import json
import os
import random
import sys

import django

django.setup()

from django.db import connections, transaction  # noqa: E402 - Django first

from broadsheet.payments.models import Invoice  # noqa: E402
from broadsheet.payments.series import next_number  # noqa: E402
from broadsheet.server.database import make_ready  # noqa: E402
from tests.payments import make_money as make  # noqa: E402

DIES = 9
TAKERS = ("one", "two", "dies")


class ChangedMyMindError(Exception):
    pass


def take(reader: int, count: int, taker: str) -> None:
    chance = random.Random(taker)
    for turn in range(count):
        try:
            take_one(reader, dies=taker == "dies" and turn == count // 2, fails=chance.random() < 0.2)
        except ChangedMyMindError:
            continue


@transaction.atomic
def take_one(reader: int, *, dies: bool, fails: bool) -> None:
    number = next_number(series="BS", day=make.day("2027-03-31"))
    now, day = make.at("2027-03-31"), make.day("2027-03-31")
    Invoice.objects.create(
        number=number, key=number, reader_id=reader, subject="gift:1", period_start=day, period_end=make.day("2027-04-01"),
        currency="INR", taxable_minor=1, total_minor=1, issued_on=day, issued_at=now,
    )  # fmt: skip
    if dies:
        os._exit(DIES)
    if fails:
        raise ChangedMyMindError


def main(count: int) -> None:
    make_ready()
    reader = make.reader()
    connections.close_all()
    children = []
    for taker in TAKERS:
        child = os.fork()
        if child == 0:
            take(reader, count, taker)
            os._exit(0)
        children.append(child)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(
        json.dumps({"ended": ended, "numbers": list(Invoice.objects.order_by("id").values_list("number", flat=True))})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
