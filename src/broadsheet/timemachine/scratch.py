"""The scratch paper of one walk: a private folder with the scenario's policies as the paper's own options."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broadsheet.timemachine.scenario import Scenario


def options(scenario: Scenario) -> dict[str, Any]:
    """The paper's options. What the file leaves open is the product's own."""
    said = scenario.policies
    stages = said.overdue_stages
    values = {
        "name": "The Scratch Paper",
        "public_url": "http://localhost:8000",
        "time_zone": scenario.zone.key,
        "currency": scenario.currency,
        "publisher_state": scenario.publisher_state or None,
        "dunning_days": said.dunning_days,
        "grace_days": said.grace_days,
        "cancel_after_days": said.cancel_after_days,
        "overdue_stages": None if stages is None else [f"{days} {block}" for days, block in stages],
        "proration_rounding": said.rounding,
        "change_day": said.change_day,
        "cancel_day": said.cancel_day,
        "auto_debit_limit": None if said.auto_debit_limit is None else said.auto_debit_limit // 100,
        # Nobody is here to be the second member of staff.
        "refund_limit": 0,
        "leakcheck": "off",
    }
    return {name: value for name, value in values.items() if value is not None}


@contextmanager
def paper(scenario: Scenario) -> Iterator[Path]:
    """A folder that BROADSHEET_DATA names until the end. The environment's own options do not reach it."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("BROADSHEET_")}
    with tempfile.TemporaryDirectory(prefix="broadsheet-simulate-") as name:
        folder = Path(name)
        lines = [f"{option} = {json.dumps(value, ensure_ascii=False)}" for option, value in options(scenario).items()]
        (folder / "broadsheet.toml").write_text("\n".join(lines) + "\n", "utf-8")
        for variable in kept:
            del os.environ[variable]
        os.environ["BROADSHEET_DATA"] = name
        try:
            yield folder
        finally:
            del os.environ["BROADSHEET_DATA"]
            os.environ.update(kept)
