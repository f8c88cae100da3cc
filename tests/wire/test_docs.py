"""The page about the wire names every rule, reason, status and format there is, and the board has words for each."""

import re
from pathlib import Path
from typing import get_args

from broadsheet.desk.views import REASONS
from broadsheet.wire import formats, models, rules
from broadsheet.wire.items import Reason

SOURCE = Path(rules.__file__).parent
PAGE = (SOURCE.parent.parent.parent / "docs" / "wire.md").read_text()


def rule_ids():
    text = "".join((SOURCE / name).read_text() for name in ("patterns.py", "cleaning.py", "headlines.py"))
    return set(re.findall(r"\b([SDAPLHETW]\d\d)\b", text))


def hold_reasons():
    found = set(re.findall(r'append\("(\w+)"\)', (SOURCE / "rules.py").read_text()))
    found |= set(re.findall(r'stop\("(\w+)"\)', (SOURCE / "cleaning.py").read_text()))
    found |= set(re.findall(r'"(revived|edited_by_hand|silent_change|awaiting_editor|refused_by_newsroom)"', "".join(
        (SOURCE / name).read_text() for name in ("rules.py", "actions.py"))))  # fmt: skip
    return found | rules.NOT_BY_HAND | {"text_after_wall"}


def test_every_rule_has_its_line():
    assert rule_ids() == set(re.findall(r"^\| ([A-Z]\d\d) \|", PAGE, re.MULTILINE))


def test_every_reason_and_status_is_told():
    for word in [
        *get_args(Reason),
        *hold_reasons(),
        *(name for name, _ in models.STATUSES),
        "duplicate",
        "quarantined",
    ]:
        assert f"`{word}`" in PAGE, word


def test_every_format_is_told():
    for name in formats.names():
        assert f"| `{name}` |" in PAGE, name


def test_the_board_has_words_for_every_reason():
    assert hold_reasons() - set(REASONS) == set()
