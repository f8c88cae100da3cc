"""Whether the clock tells what the bytes do not: stories that nobody may know of, against stories that never were."""

from __future__ import annotations

import statistics
import time

from broadsheet.leakcheck.client import Ask
from broadsheet.leakcheck.readers import LAPSED, VISITOR
from broadsheet.leakcheck.walk import Walk

PAIRS = 60
FEWEST = 16  # of which a median can be told
MOST_RATIO = 1.3
TRIES = 3
HIDDEN = ("draft-premium", "scheduled-premium")


async def timing_round(walk: Walk, *, pairs: int = PAIRS) -> dict[str, float]:
    """Both addresses asked for in turn; the ratio of the medians must be near 1. A machine that stutters is asked
    again: only what is slower each time is reported. Returns the last ratios, by story and reader."""
    ratios: dict[str, float] = {}
    for key in HIDDEN:
        path = walk.a.path(key)
        unknown = path.replace(f"-{walk.a.id(key)}", f"-{999_900_000 + walk.a.id(key)}")
        for reader in (VISITOR, LAPSED):
            seen = []
            for _ in range(TRIES):
                ratio = await _ratio(walk, reader, path, unknown, pairs)
                seen.append(ratio)
                if 1 / MOST_RATIO <= ratio <= MOST_RATIO:
                    break
            ratios[f"{key}, {reader}"] = seen[-1]
            same_way = all(one > MOST_RATIO for one in seen) or all(one < 1 / MOST_RATIO for one in seen)
            if len(seen) == TRIES and same_way:
                evidence = f"answers take {min(seen):.2f} to {max(seen):.2f} times as long as those of unknown stories"
                walk.report(key, "story page", reader, "timing", evidence)
    return ratios


async def _ratio(walk: Walk, reader: str, path: str, unknown: str, pairs: int) -> float:
    times: dict[str, list[float]] = {path: [], unknown: []}
    for number in range(pairs + 2):
        for target in (path, unknown) if number % 2 else (unknown, path):
            begin = time.perf_counter()
            await walk.a.ask(Ask(target), reader)
            if number > 1:
                times[target].append(time.perf_counter() - begin)
    walk.probes += 2 * pairs
    walk.requests += 2 * (pairs + 2)
    return statistics.median(times[path]) / statistics.median(times[unknown])
