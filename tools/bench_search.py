"""Search over N stories: how fast the index is built, how large it is, and what kinds of question take, beside SQLite's
FTS5 over the same words in the same run. `make bench-search ARGS="--stories 1000000"`.

The stories are made up: words by Zipf's law from a vocabulary of 60,000, names and places on top, spread over the years
since 1997. Building is told by the CPU it took (a busy machine says nothing about the engine). Only what is public is there, as in the paper: headline, standfirst, lead-in, section, bylines. No database.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from bisect import bisect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from broadsheet.archive.index import SearchIndex, analyze, key_at
from broadsheet.archive.rules import Asked
from broadsheet.newsroom.values import PublicWords

FIRST, LAST = datetime(1997, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
SECTIONS = ("national", "economy", "markets", "world", "sport", "culture", "science", "opinion")
VOCABULARY = 60_000
SYLLABLES = "ba ka ra ta na sa ma la pa da vi ni ti ri mi li si ki di go mo to no ro so lo be me te re se le".split()
ENTITIES = 5_000
BATCH = 500
ROUNDS = 200


def _word(number: int) -> str:
    letters = []
    number += len(SYLLABLES)
    while number:
        number, rest = divmod(number, len(SYLLABLES))
        letters.append(SYLLABLES[rest])
    return "".join(letters)


class Maker:
    """Stories by a seed: the same for every engine and every run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.words = [_word(number) for number in range(VOCABULARY)]
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))
        self.people = [
            f"{_word(number * 7 + 40).title()} {_word(number * 13 + 900).title()}" for number in range(ENTITIES)
        ]
        self._names = list(accumulate(1 / (rank + 5) for rank in range(ENTITIES)))

    def text(self, count: int) -> str:
        draw, top = self._random.random, self._weights[-1]
        return " ".join(self.words[bisect(self._weights, draw() * top)] for _ in range(count))

    def person(self) -> str:
        return self.people[bisect(self._names, self._random.random() * self._names[-1])]

    def stories(self, count: int) -> Iterator[list[PublicWords]]:
        span = (LAST - FIRST).total_seconds()
        batch: list[PublicWords] = []
        for number in range(1, count + 1):
            at = FIRST + timedelta(seconds=int(span * number / count))
            batch.append(
                PublicWords(
                    id=number,
                    headline=f"{self.person()} {self.text(7)}",
                    standfirst=self.text(22),
                    lead_in=f"{self.text(40)} {self.person()} {self.text(60)}",
                    section=SECTIONS[number % len(SECTIONS)].title(),
                    credit="" if number % 3 else "PTN",
                    kicker="",
                    bylines=(self.people[number % 400],),
                    published_at=at,
                    section_slug=SECTIONS[number % len(SECTIONS)],
                    language="en",
                    year=at.year,
                )
            )
            if len(batch) == BATCH:
                yield batch
                batch = []
        yield batch


def _timed(ask: Callable[[int], object], rounds: int) -> dict[str, float]:
    """Milliseconds of `rounds` questions after a few to warm up."""
    for number in range(3):
        ask(number)
    times = []
    for number in range(rounds):
        began = time.perf_counter()
        ask(number + 3)
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return {"p50_ms": round(times[len(times) // 2], 3), "p99_ms": round(times[int(len(times) * 0.99)], 3)}


def _term(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple((word,) for word in analyze(text))


def questions(maker: Maker) -> dict[str, Callable[[int], tuple[Asked, str]]]:
    """(what is asked of the index, its order) by kind; each number asks for another word of the same kind."""
    common, medium = maker.words[:40], maker.words[500:900]
    since = key_at(datetime(2005, 1, 1, tzinfo=UTC))
    until = key_at(datetime(2010, 1, 1, tzinfo=UTC))

    def person(number: int) -> tuple[tuple[str, ...], ...]:
        return (tuple(analyze(maker.people[(number * 37) % ENTITIES])),)

    return {
        "entity": lambda n: (Asked(person(n)), "best"),
        "common word": lambda n: (Asked(_term(common[n % 40])), "best"),
        "two common words": lambda n: (Asked(_term(f"{common[n % 40]} {common[(n * 7 + 3) % 40]}")), "best"),
        "phrase": lambda n: (Asked((tuple(analyze(f"{common[n % 40]} {common[(n + 1) % 40]}")),)), "best"),
        "newest first": lambda n: (Asked(_term(medium[n % 400])), "newest"),
        "newest of a common word": lambda n: (Asked(_term(common[n % 40])), "newest"),
        "with filters": lambda n: (
            Asked(_term(medium[n % 400]), section=SECTIONS[n % 8], kind="own", lower=since, upper=until),
            "best",
        ),
    }


def bench_index(maker: Maker, count: int, folder: Path, rounds: int) -> dict[str, object]:
    index = SearchIndex(folder)
    making = sum(_making(count))
    began = time.process_time()
    index.replace(maker.stories(count))
    seconds = time.process_time() - began - making
    told: dict[str, object] = {
        "build_per_s": round(count / max(seconds, 0.001)),
        "megabytes": _size(folder),
        "queries": {},
    }
    for name, make in questions(maker).items():

        def ask(number: int, make: Callable[[int], tuple[Asked, str]] = make) -> object:
            asked, order = make(number)
            return index.find(asked, 21 if order == "newest" else 200, order=order)

        told["queries"][name] = _timed(ask, rounds)  # type: ignore[index]
    deep = index.find(Asked(_term(maker.words[3])), 21, order="newest", after=key_at(datetime(1999, 1, 1, tzinfo=UTC)))
    assert deep.ids
    told["queries"]["newest, deep page"] = _timed(  # type: ignore[index]
        lambda n: index.find(
            Asked(_term(maker.words[n % 40])), 21, order="newest", after=key_at(datetime(1999, 1, 1, tzinfo=UTC))
        ),
        rounds,
    )
    told["queries"]["counts by year and section"] = _timed(  # type: ignore[index]
        lambda n: index.counts(Asked(_term(maker.words[n % 40]))), rounds
    )
    return told


def _making(count: int) -> Iterator[float]:
    """CPU seconds that making the stories alone takes, so that it is not counted as indexing."""
    began = time.process_time()
    for _ in Maker(1).stories(count):
        pass
    yield time.process_time() - began


def bench_fts(maker: Maker, count: int, folder: Path, rounds: int) -> dict[str, object]:
    """SQLite's FTS5, contentless, with its porter stemmer, ranked by its bm25."""
    folder.mkdir()
    database = sqlite3.connect(folder / "fts.sqlite3", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute(
        "CREATE VIRTUAL TABLE words USING fts5(headline, standfirst, about, lead_in, content='', "
        "tokenize='porter unicode61')"
    )
    database.execute("CREATE TABLE story (id INTEGER PRIMARY KEY, at INTEGER, section TEXT, kind TEXT)")
    making = sum(_making(count))
    began = time.process_time()
    for batch in maker.stories(count):
        database.execute("BEGIN")
        database.executemany(
            "INSERT INTO words (rowid, headline, standfirst, about, lead_in) VALUES (?, ?, ?, ?, ?)",
            [(s.id, s.headline, s.standfirst, " ".join((s.section, s.credit, *s.bylines)), s.lead_in) for s in batch],
        )
        database.executemany(
            "INSERT INTO story VALUES (?, ?, ?, ?)",
            [(s.id, int(s.published_at.timestamp()), s.section_slug, s.kind) for s in batch],
        )
        database.execute("COMMIT")
    seconds = time.process_time() - began - making
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    told: dict[str, object] = {
        "build_per_s": round(count / max(seconds, 0.001)),
        "megabytes": _size(folder),
        "queries": {},
    }
    rank = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, 3.0, 1.5, 1.5, 1.0) LIMIT 200"
    newest = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT 21"
    filtered = (
        "SELECT story.id FROM words JOIN story ON story.id = words.rowid WHERE words MATCH ? AND story.section = ? "
        "AND kind = 'own' AND at >= 1104537600 AND at < 1262304000 ORDER BY bm25(words, 3.0, 1.5, 1.5, 1.0) LIMIT 200"
    )
    common, medium = maker.words[:40], maker.words[500:900]
    asks: dict[str, Callable[[int], tuple[str, tuple[object, ...]]]] = {
        "entity": lambda n: (rank, (f'"{maker.people[(n * 37) % ENTITIES]}"',)),
        "common word": lambda n: (rank, (common[n % 40],)),
        "two common words": lambda n: (rank, (f"{common[n % 40]} {common[(n * 7 + 3) % 40]}",)),
        "phrase": lambda n: (rank, (f'"{common[n % 40]} {common[(n + 1) % 40]}"',)),
        "newest first": lambda n: (newest, (medium[n % 400],)),
        "newest of a common word": lambda n: (newest, (common[n % 40],)),
        "with filters": lambda n: (filtered, (medium[n % 400], SECTIONS[n % 8])),
    }
    for name, make in asks.items():

        def ask(number: int, make: Callable[[int], tuple[str, tuple[object, ...]]] = make) -> object:
            return database.execute(*make(number)).fetchall()

        told["queries"][name] = _timed(ask, max(10, rounds // 10))  # type: ignore[index]
    return told


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--no-anchor", action="store_true", help="without FTS5")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-bench-search-"))
    try:
        told = {"stories": args.stories, "index": bench_index(Maker(1), args.stories, folder / "index", args.rounds)}
        told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if not args.no_anchor:
            told["fts5"] = bench_fts(Maker(1), args.stories, folder / "fts", args.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(json.dumps(told) + "\n" if args.json else as_table(told))


def as_table(told: dict) -> str:
    engines = [name for name in ("index", "fts5") if name in told]
    lines = [f"{told['stories']:,} stories, peak {told['peak_mb']} MB while building and searching the index", ""]
    lines += ["| | " + " | ".join(engines) + " |", "|---|" + "---|" * len(engines)]
    lines.append(
        "| built, stories a second of one core | "
        + " | ".join(f"{told[name]['build_per_s']:,}" for name in engines)
        + " |"
    )
    lines.append("| size, MB | " + " | ".join(str(told[name]["megabytes"]) for name in engines) + " |")
    for kind in told["index"]["queries"]:
        cells = [told[name]["queries"].get(kind) for name in engines]
        words = [f"{cell['p50_ms']} / {cell['p99_ms']}" if cell else "" for cell in cells]
        lines.append(f"| {kind}, p50 / p99 ms | " + " | ".join(words) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
