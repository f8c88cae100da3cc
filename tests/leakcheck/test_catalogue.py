"""Every known way past a wall is tried somewhere that exists, or says why it is not; the documentation has the table."""

from pathlib import Path

from broadsheet.leakcheck.catalogue import ROWS, as_markdown
from broadsheet.leakcheck.fuzz import fuzzed
from broadsheet.leakcheck.modes import MODES
from broadsheet.leakcheck.report import ROUNDS
from broadsheet.leakcheck.tricks import tricks

ROOT = Path(__file__).parents[2]
PATH, HOST = "/harbour/a-story-7", "paper.example"


def test_every_row_is_tried_somewhere_that_exists_or_says_why_not() -> None:
    groups = {trick.group for trick in tricks(PATH, 7, HOST)} | {"fuzz"}
    known = {*ROUNDS, *(f"tricks.{group}" for group in groups), *(f"modes.{mode}" for mode in MODES)}
    for row in ROWS:
        assert bool(row.tried) != bool(row.why_not), row
        for place in row.tried:
            assert place in known or (ROOT / place).is_file(), (row.number, place)
    assert len({row.number for row in ROWS}) == len(ROWS) > 60
    used = {place for row in ROWS for place in row.tried}
    assert used >= {f"tricks.{group}" for group in groups - {"cookies"}} | set(ROUNDS) - {
        "shut",
        "etags",
        "tricks",
        "modes",
    }


def test_the_documentation_has_the_table() -> None:
    assert as_markdown() in (ROOT / "docs" / "leakcheck.md").read_text("utf-8")


def test_one_seed_gives_the_same_mixtures_and_another_gives_others() -> None:
    first = list(fuzzed(PATH, HOST, 5, 300))
    assert first == list(fuzzed(PATH, HOST, 5, 300))
    assert len({(trick.ask.target, trick.ask.method, trick.ask.headers, trick.ask.beside) for trick in first}) > 250
    again = {trick.ask for trick in fuzzed(PATH, HOST, 6, 300)}
    assert len({trick.ask for trick in first} & again) < 40
    assert all(trick.name.startswith("5/") for trick in first)
