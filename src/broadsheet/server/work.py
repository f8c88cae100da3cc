"""`broadsheet work`: the jobs in a process of their own, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys

from broadsheet.server.wiring import periodic
from broadsheet.server.worker import Worker


def run_work(args: argparse.Namespace) -> int:
    worker = Worker(periodic())
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: worker.stop())
    worker.start()
    if not args.quiet:
        print("Jobs are running. Ctrl-C stops them after the one at hand.", file=sys.stderr)  # noqa: T201
    worker.join()
    return 0
