"""Why a command ends without having done its work, and the exit statuses that say so.

0 done; 1 ran and found something wrong; 2 usage or configuration; 3 a service it needs is not reachable.
"""

from __future__ import annotations

USAGE = 2
UNREACHABLE = 3


class ServiceUnreachableError(Exception):
    """A database or another service the installation names does not answer."""
