"""The two saved pages and the sample files, when they lie beside the project; without them there is nothing to run."""

import os
from pathlib import Path

from broadsheet.wire.blocks import word_count
from broadsheet.wire.items import Item, Quarantined
from broadsheet.wire.parse import files_below, parse_path

FOLDER = Path(os.environ.get("BROADSHEET_SHARED") or Path(__file__).parents[3] / "shared")

if (FOLDER / "seeds").is_dir():

    def test_both_saved_pages_come_out_as_clean_stories():
        items = [parse_path(path)[0] for path in sorted((FOLDER / "seeds").glob("*.txt"))]
        assert [item.via for item in items] == [("CNN",), ("Xinhua",)]
        assert [item.credit for item in items] == [None, "IANS"]
        for item in items:
            assert 30 <= len(item.headline) <= 200
            assert item.disclaimer
            assert word_count(item.body_text) > 250
            for junk in ("Also Read", "IANS", "pgh", "Disclaimer", "{{", "₹", "Subscribe", "cancel anytime"):
                assert junk not in item.body_text, junk


if (FOLDER / "wire-samples").is_dir():

    def test_every_sample_is_read_or_quarantined_with_a_reason():
        for path in files_below([FOLDER / "wire-samples"]):
            for outcome in parse_path(path):
                assert isinstance(outcome, Item | Quarantined), path
                assert not isinstance(outcome, Quarantined) or (outcome.reason and outcome.detail), path
