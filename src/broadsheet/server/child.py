"""What every child process does: it ends with its supervisor, says when it is ready, and keeps its parent's clock.

Django-free.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from broadsheet import clock
from broadsheet.server import memory

GRACE = 10.0  # seconds in which what runs may finish
_PR_SET_PDEATHSIG = 1


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """A child's command line; written by supervisor.py, never by a person."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True, help="the supervisor's process id")
    parser.add_argument("--ready", type=int, required=True, help="a descriptor that wants one byte")
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--fd", type=int, default=-1, help="the public listening socket")
    parser.add_argument("--jobs", action="store_true")
    parser.add_argument("--clock", type=float, default=0.0, help="seconds by which the paper's clock is ahead")
    return parser.parse_args(words)


def begin(args: argparse.Namespace) -> None:
    """First thing in a child. Does not return when the supervisor is gone already."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _stop_at_start)
    _end_with(args.parent)
    logging.basicConfig(
        format="{asctime} {levelname} {name}: {message}", style="{", level=logging.WARNING, stream=sys.stderr
    )
    logging.getLogger("broadsheet").setLevel(logging.INFO)
    memory.one_heap()
    if args.clock:
        clock.start_at(clock.now() + timedelta(seconds=args.clock))


def serving() -> None:
    """From now on the server listens to signals; one that it repeats after its graceful end does nothing more."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: None)


def ready(args: argparse.Namespace) -> None:
    memory.settle()
    os.write(args.ready, b"1")
    os.close(args.ready)


def end_soon(seconds: float) -> None:
    """A thread that hangs must not keep a process alive that was told to stop."""
    timer = threading.Timer(seconds, os._exit, [1])
    timer.daemon = True
    timer.start()


def _stop_at_start(*_: object) -> None:
    os._exit(0)


def _end_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(0)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
