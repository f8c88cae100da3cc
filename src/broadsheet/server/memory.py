"""Keeps a small machine's memory small: one heap for all threads, and freed pages given back."""

from __future__ import annotations

import ctypes
import gc
import sys

_TRIM_THRESHOLD, _ARENA_MAX = -1, -8  # glibc's names for mallopt()


def one_heap() -> None:
    """Before threads start: glibc would give each of them a heap of its own, tens of megabytes that nobody shares.

    Python threads take turns, so they lose nothing. Elsewhere than on glibc this does nothing.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
        mallopt(_TRIM_THRESHOLD, 64 * 1024)


def settle() -> None:
    """After the start: drop its garbage, and spare the collector from walking what will never be freed."""
    gc.collect()
    gc.freeze()
