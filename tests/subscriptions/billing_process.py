"""A billing run as a process of its own, for tests that kill it: `billing_process.py MODE INSTANT [POINT]`.

`setup` sells COUNT monthly subscriptions, `run` runs what is due, `die` does so and is killed (SIGKILL) at POINT of its
first renewal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import datetime

import django

django.setup()

from broadsheet.payments import crash  # noqa: E402 - Django first
from broadsheet.payments.adapters.sandbox import SandboxTill  # noqa: E402
from broadsheet.server.database import make_ready  # noqa: E402
from broadsheet.subscriptions import actions  # noqa: E402
from broadsheet.subscriptions.actions import settlement  # noqa: E402
from tests.subscriptions import make_subscriptions as make  # noqa: E402

COUNT = 8


def setup(now: datetime) -> None:
    make_ready()
    make.plan(months=1)
    for number in range(COUNT):
        make.buy(make.reader(f"r{number}@example.org"), now)


def killed(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(point: str) -> None:
    if point == "recording":  # in the middle of the transaction that writes what the till said
        settlement.sync_access = killed
        return
    crash.install(lambda name: killed() if name == point else None)


def run(now: datetime) -> None:
    real = SandboxTill.charge

    def slow(self: SandboxTill, request: object) -> object:
        result = real(self, request)
        time.sleep(0.03)  # long enough for a rival to be in the same place
        return result

    SandboxTill.charge = slow
    print("ready", flush=True)
    sys.stdin.readline()
    happened = actions.run_due(now=now)
    print(json.dumps([[event.subscription_id, event.kind] for event in happened]))


def main() -> None:
    mode, now = sys.argv[1], make.at(sys.argv[2])
    if mode == "setup":
        setup(now)
    else:
        if mode == "die":
            die_at(sys.argv[3])
        run(now)


if __name__ == "__main__":
    main()
