"""Where printed sheets lie: replaced whole, bounded on the disk, and emptied when they are of another format."""

import gzip
import os
import sqlite3

from broadsheet.press.store import Facts, Store, make_sheet


def sheet(story, size=4000, **more):
    return make_sheet(f"story/{story}/limit", os.urandom(size).hex(), version=1, edition=1, **more)


def test_a_sheet_comes_back_as_it_was_put_and_plain_on_request(tmp_path):
    store = Store(tmp_path / "public.sqlite3")
    put = make_sheet("story/1/limit", "<p>Tolls – ₹40</p>", version=3, edition=9, mentions=(4, 5))
    store.put(put, facts=Facts(1, 3, "/world/tolls-1", "metered", "world", "published"))
    got = store.get("story/1/limit")
    assert got == put
    assert got.plain.decode() == "<p>Tolls – ₹40</p>"
    assert gzip.decompress(got.gzip) == got.plain
    assert store.mentioning(5) == ["story/1/limit"]


def test_the_sheets_printed_longest_ago_go_when_the_disk_is_full(tmp_path):
    store = Store(tmp_path / "public.sqlite3")
    for story in range(600):
        store.put(sheet(story, mentions=(7,)), facts=Facts(story, 1, f"/a/b-{story}", "metered", "a", "published"))
    store.put(sheet(0))  # printed anew: now the youngest
    assert store.shrink(10**9) == 0
    assert store.shrink(3_000_000) == 400
    kept = [story for story in range(600) if store.get(f"story/{story}/limit")]
    assert kept == [0, *range(401, 600)]
    assert store.facts(1) is not None
    assert len(store.mentioning(7)) == 199


def test_a_file_of_another_format_is_emptied_and_not_misread(tmp_path):
    path = tmp_path / "public.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE sheet (key TEXT PRIMARY KEY, version INTEGER, plain BLOB)")
        db.execute("INSERT INTO sheet VALUES ('story/1/limit', 1, 'old')")
    store = Store(path)
    assert store.get("story/1/limit") is None
    store.put(sheet(1))
    assert Store(path).get("story/1/limit") is not None
