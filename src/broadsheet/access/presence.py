"""Who writes a shared file: one process alone, which then needs no lock for each record, or several. Django-free.

Every writer holds a shared lock on a file beside it; whoever gets the exclusive one is alone. A newcomer raises a flag,
and the one that was alone gives way at its next look, within WATCH seconds. The kernel takes the locks of the dead.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from pathlib import Path

WATCH = 0.05  # seconds between two looks of a process that is alone and has nothing to write
_PATIENCE = 5.0  # seconds a newcomer waits for one that is stopped or starved; then it goes on under locks


class Presence:
    """`alone`: this process may leave out its locks. It never becomes so by itself: see `try_alone`."""

    def __init__(self, path: Path) -> None:
        """Join the writers. OSError when the file cannot be made."""
        self.alone = False
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._fd).st_size < 1:
            os.ftruncate(self._fd, 1)
        self.flag = mmap.mmap(self._fd, 1)
        self._join()

    def _join(self) -> None:
        until = time.monotonic() + _PATIENCE
        while not self._lock(fcntl.LOCK_SH):
            self.flag[0] = 1
            if time.monotonic() > until:
                return
            time.sleep(WATCH / 10)

    def _lock(self, kind: int) -> bool:
        try:
            fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def try_alone(self) -> None:
        """Become the only writer if there is no other."""
        if self.alone:
            return
        if self._lock(fcntl.LOCK_EX):
            self.flag[0] = 0
            self.alone = True
        else:
            self._join()  # a lock that could not be raised is lost

    def give_way(self) -> None:
        """Work under locks from now on: somebody has come. Costs nothing when nobody has."""
        if self.alone and self.flag[0]:
            self.alone = False
            self._join()

    def leave(self) -> None:
        self.alone = False
        self.flag.close()
        os.close(self._fd)
