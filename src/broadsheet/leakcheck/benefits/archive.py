"""The archive: how many old stories there are differs between the twins, in the calendar and in the search index. Their
words are public on their own pages; what is closed is that the archive tells of them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from broadsheet.archive.actions import keep_day, rebuild
from broadsheet.archive.queries import search_index
from broadsheet.leakcheck.benefits import Address, Filled
from broadsheet.newsroom.values import PublicWords

WORD = "oldyearsword"
SPREAD = {"a": (3, 5), "b": (7, 2)}  # by twin: stories of two days, and of two years in the index
DAYS = (date(2001, 5, 4), date(2003, 7, 9))
TARGETS = (
    "/archive/",
    "/archive/2001/",
    "/archive/2001/05/",
    f"/search?q={WORD}",
    f"/search?q={WORD}&order=newest",
    f"/search?q={WORD}&order=oldest&from=1997",
)


def fill(twin: str, now: datetime) -> Filled:  # noqa: ARG001 - every module has this form
    """Numbers of days, and entries of stories in the index alone: search counts them and can show none."""
    if not search_index().exists():
        rebuild()
    spread = SPREAD.get(twin, SPREAD["a"])
    words = []
    for day, count in zip(DAYS, spread, strict=True):
        keep_day(day=day, stories=count)
        words += [_words(10**9 + len(words) + place, day) for place in range(count)]
    search_index().update(words, ())
    return Filled({}, [Address(target, "archive") for target in TARGETS])


def _words(number: int, day: date) -> PublicWords:
    return PublicWords(
        id=number,
        headline=f"{WORD} {WORD}",
        standfirst="",
        lead_in="",
        section="Old",
        credit="",
        kicker="",
        bylines=(),
        published_at=datetime(day.year, day.month, day.day, 6, tzinfo=UTC),
        section_slug="old",
        year=day.year,
    )
