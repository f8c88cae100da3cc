"""`python -m tools.prove_billing.one PLAN`: one run in a process of its own; PLAN and the result are JSON."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import sys
import tempfile
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from tools.prove_billing import paper
from tools.prove_billing.plan import Found, Plan
from tools.prove_billing.till import SECRET, Till

PORTS = (18_900, 18_999)


def run(plan: Plan, folder: Path) -> Found:
    till = Till(folder, PORTS) if plan.till == "http" else None
    try:
        if till is not None:
            os.environ["PROOF_BOOK"] = str(till.book)
        paper.start(folder, plan, {"sandbox_url": till.url, "sandbox_secret": SECRET} if till is not None else {})
        return _proved(plan, till)
    finally:
        if till is not None:
            till.stop()


def _proved(plan: Plan, till: Till | None) -> Found:
    from tools.prove_billing.front import FrontDesks  # noqa: PLC0415 - Django first
    from tools.prove_billing.post import Carrier  # noqa: PLC0415
    from tools.prove_billing.proof import ZONE, Proof  # noqa: PLC0415

    dice = random.Random(plan.seed + 1)  # noqa: S311 - dice
    if till is None:
        # The last days of a month: periods that are clamped to a shorter one.
        start = datetime(2027, 1, 29, 9, 0, tzinfo=ZONE)
        anchors = paper.sell(plan.subscribers, start)
        return Proof(plan, anchors, start.replace(day=31, hour=20), Carrier(dice), _say).run()
    # A press on that till's page has the machine's own instant.
    anchors = paper.sell(plan.subscribers, None)
    desks = FrontDesks(till, dice, plan.chance)
    try:
        return Proof(plan, anchors, datetime.now(ZONE) + timedelta(hours=1), desks, _say).run()
    finally:
        desks.close()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    logging.disable(logging.WARNING)  # altered messages are refused all the time
    plan = Plan(**json.loads(sys.argv[1]))
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-proof-"))
    try:
        print(json.dumps(asdict(run(plan, folder))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
