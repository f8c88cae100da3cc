"""Latency of every kind of page, from a paper with a thousand stories to one with a million.

`python -m tools.bench_stories --stories 1000,1000000`: for each size a scratch paper, filled by copying one published
story in the database (SQLite; some 50,000 rows a second, nothing printed and nothing indexed), then asked one page
after another on one connection. Flat means: the median at the largest size is at most 1.2 times that at the smallest.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.bench_gate.busy import SESSION
from tools.bench_gate.machine import BenchError, free_port, memory
from tools.bench_gate.paper import Paper
from tools.prove_gate.client import Line, Reply, request

FLAT = 1.2
ASKED = 150  # requests of each kind
HOT = 50
ROUNDS = 5
# One row a quarter of an hour back into the past, each with its own headline and address. Written against the tables,
# which nothing in the product may do: an import of a million stories through the actions would take an hour.
_FILL = """
import json, sys
from broadsheet.server.setup import start_django
start_django()
from django.db import connection
count = int(sys.argv[1])
with connection.cursor() as cursor:
    cursor.execute("SELECT * FROM newsroom_article ORDER BY id LIMIT 1")
    columns = [column[0] for column in cursor.description]
    made = {
        "id": "1000 + n", "headline": "'Item ' || n || ' of the long archive'",
        "slug": "'item-' || n || '-of-the-archive'",
        "published_at": "datetime(published_at, '-' || (n * 15) || ' minutes')",
        "body": "replace(hex(zeroblob(5)), '00', '<p>' || standfirst || ' Item ' || n || '.</p>')",
        "lead_in": "'<p>' || standfirst || '</p>'",
        "section_id": "(SELECT min(id) FROM newsroom_section) + n % 4", "latest_revision_id": "NULL",
        "live_revision_id": "NULL",
    }
    for name in ("first_published_at", "last_published_at"):
        made[name] = made["published_at"]
    chosen = ", ".join(made.get(name, name) for name in columns)
    cursor.execute(
        f"WITH RECURSIVE seq(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < {count}) "
        f"INSERT INTO newsroom_article ({', '.join(columns)}) SELECT {chosen} FROM "
        "(SELECT * FROM newsroom_article ORDER BY id LIMIT 1), seq"
    )
    cursor.execute("SELECT count(*) FROM newsroom_article")
    print(json.dumps(cursor.fetchone()[0]))
"""
_PATHS = """
import json, sys
from broadsheet.server.setup import start_django
start_django()
from broadsheet.newsroom.queries import story_facts
print(json.dumps([story_facts(int(story)).path for story in json.load(sys.stdin)]))
"""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def asked(port: int, paths: Sequence[str], cookie: str = "") -> list[float]:
    """Milliseconds of each request, on one connection. BenchError when one was not answered with a page."""
    line, found = Line(port), []
    try:
        for path in paths:
            line.send([(request(port, path, cookie, "gzip"), False)])
            reply = line.read()
            if reply.status != 200:  # noqa: PLR2004
                raise BenchError(f"{path} was answered {reply.status}")
            found.append((reply.got - reply.sent) * 1000)
    finally:
        line.close()
    return sorted(found)


def one(port: int, path: str) -> Reply:
    line = Line(port)
    line.send([(request(port, path, "", "plain"), False)])
    try:
        return line.read()
    finally:
        line.close()


def _older_pages(port: int, count: int) -> list[str]:
    """The section's older pages, one after another into the past."""
    found, path = [], "/national/"
    while len(found) < count:
        links = re.findall(rb'href="(/national/older/[^"]+)"', one(port, path).body)
        if not links:
            break
        path = links[-1].decode()
        found.append(path)
    return found


class Archive:
    """A paper with so many stories, served, and the addresses that are asked for."""

    def __init__(self, folder: Path, stories: int, port: int) -> None:
        self.port = port
        self.paper = Paper(folder, port, None, {"free_limit": "250"})
        self.paper.make(1)
        say(f"{stories} stories: {self.paper.run('-c', _FILL, str(max(0, stories - 1))).strip()} rows")
        chance = random.Random(3)  # noqa: S311 - the same stories every time
        ids = chance.sample(range(1001, 1000 + stories), min(3 * ASKED, stories - 1))
        paths = json.loads(self.paper.run("-c", _PATHS, text=json.dumps(ids)))
        name, session = self.paper.run("-c", SESSION).split()
        self.paper.start()
        asked(port, paths[:ASKED])
        self.paper.stop()
        self.paper.start()  # what was printed lies in the store and in no worker's memory
        self.kinds = {
            "printed, not at hand": (paths[:ASKED], ""),
            "at hand": ([paths[at % HOT] for at in range(10 * ASKED)], ""),
            "never printed": (paths[2 * ASKED :], ""),
            "section front": (["/national/", "/world/"] * ASKED, ""),
            "older pages of a section": (_older_pages(port, 20) * 6, ""),
            "sitemap index": (["/sitemap.xml"] * 30, ""),
            "sitemap of a month": (self._month() * 30, ""),
            "list in the admin": (["/admin/snippets/newsroom/article/"] * 30, f"{name}={session}"),
        }

    def _month(self) -> list[str]:
        found = re.findall(rb"<loc>https?://[^/]+(/sitemap-\d[^<]+)</loc>", one(self.port, "/sitemap.xml").body)
        return [found[1].decode()] if len(found) > 1 else []  # the newest one that is whole

    def part(self, kind: str, number: int) -> list[float]:
        """Milliseconds of one round's share of the requests of a kind."""
        paths, cookie = self.kinds[kind]
        size = max(1, len(paths) // ROUNDS)
        return asked(self.port, paths[number * size : (number + 1) * size], cookie)


def measure(papers: Sequence[Archive]) -> dict[str, list[tuple[float, float]]]:
    """p50 and p99 in milliseconds by kind, for each paper; they take turns, so that a slow minute slows all alike."""
    found: dict[str, list[list[float]]] = {kind: [[] for _ in papers] for kind in papers[0].kinds}
    for kind, times in found.items():
        for number in range(ROUNDS):
            for paper, mine in zip(papers, times, strict=True):
                mine.extend(paper.part(kind, number))
    return {
        kind: [(sorted(mine)[len(mine) // 2], sorted(mine)[int(len(mine) * 0.99)]) for mine in times]
        for kind, times in found.items()
        if all(times)
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench_stories", description=__doc__)
    parser.add_argument("--stories", default="1000,1000000", help="sizes, the smallest first")
    parser.add_argument("--ports", default="8490-8519", help="a range to take a free port from")
    parser.add_argument("--scratch", type=Path, help="where to put the papers (a million stories take 2 GB)")
    args = parser.parse_args()
    sizes = [int(size) for size in args.stories.split(",")]
    first, _, last = args.ports.partition("-")
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-stories-", dir=args.scratch))
    papers: list[Archive] = []
    try:
        for size in sizes:
            papers.append(Archive(folder / str(size), size, free_port(int(first), int(last or first))))  # noqa: PERF401 - each is stopped, whichever fails
        found = measure(papers)
        for size, archive in zip(sizes, papers, strict=True):
            rows = [f"{row.rss // 1024} MB {row.name.rpartition('.')[2]}" for row in memory(archive.paper.pids())]
            say(f"{size} stories, resident: {'; '.join(rows)}")
    except BenchError as error:
        say(f"bench-stories: {error}")
        return 1
    finally:
        for archive in papers:
            archive.paper.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"| page, p50 / p99 ms | {' | '.join(f'{size:,} stories' for size in sizes)} | ratio of p50 |")
    print("|---" * (len(sizes) + 2) + "|")
    for kind, times in found.items():
        ratio = times[-1][0] / times[0][0]
        cells = " | ".join(f"{p50:.2f} / {p99:.2f}" for p50, p99 in times)
        print(f"| {kind} | {cells} | {ratio:.2f}{'' if ratio <= FLAT else ' (not flat)'} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
