"""The limits that a process holds itself to before it opens somebody else's file. Django-free."""

from __future__ import annotations

import os
import resource

MEMORY = 2_000_000_000
SECONDS = 900
FILE = 500_000_000


def hold_limits() -> None:
    """Bound address space, processor time and written files of this process, and be nice to the paper beside it."""
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_FSIZE, FILE)):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)
