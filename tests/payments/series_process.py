"""Processes that take numbers side by side: `series_process.py COUNT`, in the data folder and database of its environment.

Makes two tables, forks three takers of COUNT documents each, and prints how they ended and the number of every document
that is there. A fifth of what they begin is rolled back with its number taken; one of them dies in the middle of one.
"""

from __future__ import annotations

import json
import os
import random
import sys

import django

django.setup()

from django.db import connection, connections, transaction  # noqa: E402 - Django first

from broadsheet.payments.models import DocumentSeries  # noqa: E402
from broadsheet.payments.series import next_number  # noqa: E402
from tests.payments import make_money as make  # noqa: E402

DIES = 9
TAKERS = ("one", "two", "dies")


class ChangedMyMindError(Exception):
    pass


def take(count: int, taker: str) -> None:
    chance = random.Random(taker)
    for turn in range(count):
        try:
            take_one(dies=taker == "dies" and turn == count // 2, fails=chance.random() < 0.2)
        except ChangedMyMindError:
            continue


@transaction.atomic
def take_one(*, dies: bool, fails: bool) -> None:
    number = next_number(series="BS", day=make.day("2027-03-31"))
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO document (number) VALUES (%s)", [number])
    if dies:
        os._exit(DIES)
    if fails:
        raise ChangedMyMindError


def main(count: int) -> None:
    with connection.schema_editor() as editor:
        editor.create_model(DocumentSeries)
        editor.execute("CREATE TABLE document (number varchar(16) PRIMARY KEY)")
    connections.close_all()
    children = []
    for taker in TAKERS:
        child = os.fork()
        if child == 0:
            take(count, taker)
            os._exit(0)
        children.append(child)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM document ORDER BY number")
        print(json.dumps({"ended": ended, "numbers": [number for (number,) in cursor.fetchall()]}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
