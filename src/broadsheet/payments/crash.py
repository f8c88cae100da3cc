"""Places where a process may die, by name: what is proved by killing is killed here.

Nothing happens at a point unless a hook is installed. A hook raises CrashError, or kills the process for good.
"""

from __future__ import annotations

from collections.abc import Callable

Hook = Callable[[str], None]
_hook: Hook | None = None


class CrashError(BaseException):
    """The process died. Not an Exception: whoever is dead runs no handler, so `except Exception` must not save it."""


def install(hook: Hook | None) -> Hook | None:
    """Have `hook(name)` called at every point from now on; None takes it away. Returns the one before."""
    global _hook
    before, _hook = _hook, hook
    return before


def point(name: str) -> None:
    """Here a process may die."""
    if _hook is not None:
        _hook(name)
