"""A counter that is alone works without locks, and gives way to one that comes: no meter gains by the change."""

import json
import subprocess
import sys
from collections import Counter

from broadsheet.access.presence import Presence

COUNT = """
import asyncio, hashlib, json, sys, time
from datetime import UTC, datetime
from pathlib import Path
from broadsheet.access.local_book import LocalBook
from broadsheet.access.meter import Meter, pack

async def main():
    book, ok, alone = LocalBook(Path(sys.argv[1]), limit=5, meters=4000, sole=True), [], set()
    book.start(asyncio.get_running_loop(), lambda: datetime.now(UTC))
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        for meter in range(40):
            now = datetime.now(UTC)
            name = hashlib.md5(b"%d" % meter).digest()
            for story in range(len(ok) % 7 + 1, 60, 9):
                taken = book.take(Meter(name, "m202611", 0), pack(story, 1), 5, None, None, now)
                ok += [meter] * (taken.verdict == "ok")
        alone.add(book._presence.alone)
        await asyncio.sleep(0)
    book.stop()
    print(json.dumps([ok, sorted(alone)]))

asyncio.run(main())
"""


def test_one_is_alone_until_another_comes_and_the_limit_holds_throughout(tmp_path):
    def counter(seconds):
        return subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path), str(seconds)], stdout=subprocess.PIPE)

    first, second = counter(3), counter(1.5)
    replies = [json.loads(process.communicate(timeout=30)[0]) for process in (first, second)]
    counted = Counter(meter for ok, _ in replies for meter in ok)
    assert set(counted.values()) == {5}
    assert len(counted) == 40
    assert any(True in alone for _, alone in replies)


def test_nobody_is_alone_beside_another(tmp_path):
    first = Presence(tmp_path / "presence.lock")
    first.try_alone()
    assert first.alone
    first.flag[0] = 1  # what a newcomer does; it waits until this is seen
    first.give_way()
    assert not first.alone
    second = Presence(tmp_path / "presence.lock")
    second.try_alone()
    assert not second.alone
    first.leave()
    second.try_alone()
    assert second.alone
    second.leave()
