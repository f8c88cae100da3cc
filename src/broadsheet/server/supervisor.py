"""`serve`: binds the public port once, runs the processes of its roles, and starts again whichever dies.

Small and Django-free: it never answers a request, so nothing a reader or an editor does can bring it down.
SIGTERM and SIGINT stop everything gracefully; SIGHUP reads the options anew and replaces every process by a new one,
the new ones first.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from broadsheet import clock
from broadsheet.server.options import OptionError
from broadsheet.server.sockets import bind_public, check_tls, only_newsroom

log = logging.getLogger("broadsheet.server")

ROLES = ("gate", "newsroom", "work")
GRACE = 10.0  # seconds for a stop, everything included
FIRST_OUT = 6.0  # gates finish what they hand over before their newsroom goes
HANDOVER = 0.3  # between a new newsroom's first word and its predecessor's last: what was on its way arrives
LONG_LIFE = 10.0  # a process that lived this long is started again at once
MOST_PATIENCE = 20.0
START_TIME = 180.0  # a replacement that is not ready by then has failed
_MODULES = {
    "gate": "broadsheet.server.gate_process",
    "newsroom": "broadsheet.server.newsroom_process",
    "work": "broadsheet.server.work_process",
}


@dataclass
class Child:
    """One process. `ready` once it has said so on its pipe."""

    role: str
    number: int
    process: subprocess.Popen[bytes]
    pipe: int
    born: float = field(default_factory=time.monotonic)
    ready: bool = False
    leaving: bool = False


@dataclass
class Place:
    """A process that there should be: who fills it, and when the next one may be started after deaths at the start."""

    role: str
    number: int
    child: Child | None = None
    successor: Child | None = None
    deaths: int = 0
    not_before: float = 0.0


class Supervisor:
    """`load`: reads the options anew; `announce`: called once, when everything is ready for the first time."""

    def __init__(self, load: Callable[[], Any], roles: frozenset[str], announce: Callable[[], None]) -> None:
        self._load = load
        self._roles = roles
        self._announce: Callable[[], None] | None = announce
        self._options = load()
        self._lock = only_newsroom(self._options.data) if "newsroom" in roles else None
        check_tls(self._options.tls_certificate, self._options.tls_key)
        self._public = bind_public(self._options.host, self._options.port) if "gate" in roles else None
        self._places = self._wanted()
        self._leaving: list[Child] = []
        self._to_end: list[tuple[float, Child, int]] = []
        self._status: int | None = None
        self._reload = False
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Until told to stop. The exit status: 0, 130 after Ctrl-C, or that of a process that could not start."""
        with self._signals():
            while self._status is None:
                self._reap()
                self._start_missing()
                self._end_the_old()
                # One reload after the other: who is about to take over is not to be taken away again.
                if self._reload and not any(place.successor for place in self._places):
                    self._reload = False
                    self._replace_all()
                self._say_once()
                self._wait()
            self._stop()
        return self._status

    # --- signals ------------------------------------------------------------------------------------------------
    def _signals(self) -> _Signals:
        handlers = {
            signal.SIGTERM: lambda: self._told_to_stop(0),
            signal.SIGINT: lambda: self._told_to_stop(130),
            signal.SIGHUP: self._told_to_reload,
            signal.SIGCHLD: lambda: None,
        }
        return _Signals(handlers, self._selector)

    def _told_to_stop(self, status: int) -> None:
        if self._status is not None:
            self._send_all(signal.SIGKILL)
        self._status = status

    def _told_to_reload(self) -> None:
        self._reload = True

    # --- starting -----------------------------------------------------------------------------------------------
    def _wanted(self) -> list[Place]:
        places = [Place("gate", number) for number in range(self._options.gate_workers)] if self._public else []
        # The jobs run beside the newsroom's pages where both are wanted: one Django in memory instead of two.
        if "newsroom" in self._roles:
            places.append(Place("newsroom", 0))
        elif "work" in self._roles:
            places.append(Place("work", 0))
        return places

    def _start(self, place: Place) -> Child:
        reading, writing = os.pipe()
        words = [sys.executable, "-m", _MODULES[place.role], "--parent", str(os.getpid()), "--ready", str(writing)]
        words += ["--worker", str(place.number), "--clock", str(clock.offset().total_seconds())]
        passed = [writing]
        if place.role == "gate" and self._public is not None:
            words += ["--fd", str(self._public.fileno())]
            passed.append(self._public.fileno())
        if "work" in self._roles:
            words.append("--jobs")
        # A group of its own: Ctrl-C is the supervisor's to pass on.
        process = subprocess.Popen(words, pass_fds=passed, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603
        os.close(writing)
        child = Child(place.role, place.number, process, reading)
        self._selector.register(reading, selectors.EVENT_READ, child)
        return child

    def _start_missing(self) -> None:
        now = time.monotonic()
        for place in self._places:
            if place.child is None and now >= place.not_before:
                place.child = self._start(place)

    # --- dying --------------------------------------------------------------------------------------------------
    def _reap(self) -> None:
        for place in self._places:
            if place.successor and place.successor.process.poll() is not None:
                log.error("The new %s did not start; the old one goes on.", place.role)
                self._forget(place.successor)
                place.successor = None
            if place.child and place.child.process.poll() is not None:
                self._bury(place, place.child)
        for child in [child for child in self._leaving if child.process.poll() is not None]:
            self._forget(child)
            self._leaving.remove(child)

    def _bury(self, place: Place, child: Child) -> None:
        code = child.process.returncode
        self._forget(child)
        place.child, place.successor = place.successor, None
        if self._announce is not None and code > 0 and not child.ready:
            # It said why on stderr. What cannot start at all is not tried for ever: the operator is looking.
            self._status = code
            return
        lived = time.monotonic() - child.born
        place.deaths = 0 if lived > LONG_LIFE else place.deaths + 1
        wait = 0.0 if place.deaths <= 1 else min(MOST_PATIENCE, 0.25 * 2**place.deaths)
        place.not_before = time.monotonic() + wait
        log.error("The %s (process %d) ended with %d; it starts again.", child.role, child.process.pid, code)

    def _forget(self, child: Child) -> None:
        if child.pipe >= 0:
            self._selector.unregister(child.pipe)
            os.close(child.pipe)
            child.pipe = -1

    # --- replacing ----------------------------------------------------------------------------------------------
    def _replace_all(self) -> None:
        """New options, new processes. When they cannot be had, everything stays as it is."""
        try:
            options = self._load()
            check_tls(options.tls_certificate, options.tls_key)
            public = self._public
            if public and (options.host, options.port) != (self._options.host, self._options.port):
                public = bind_public(options.host, options.port)
        except OptionError as error:
            log.error("The options were not reloaded: %s", error)  # noqa: TRY400 - the message says it all
            return
        log.info("Reloading: new processes start, then the old ones leave.")
        old, self._options, self._public = self._places, options, public
        self._places = self._wanted()
        for place in self._places:
            before = next((p for p in old if (p.role, p.number) == (place.role, place.number)), None)
            if before:
                place.child = before.child
                before.child = None
            place.successor = self._start(place)
        for place in old:
            if place.child:
                self._let_go(place.child)

    def _let_go(self, child: Child, after: float = 0.0) -> None:
        """End a process that is not needed any more, gently if it serves readers."""
        child.leaving = True
        self._leaving.append(child)
        how = signal.SIGHUP if child.role == "gate" and child.ready else signal.SIGTERM
        self._to_end.append((time.monotonic() + after, child, how))
        self._to_end.append((time.monotonic() + after + 2 * GRACE, child, signal.SIGKILL))

    def _end_the_old(self) -> None:
        now = time.monotonic()
        for entry in [entry for entry in self._to_end if entry[0] <= now]:
            self._to_end.remove(entry)
            _send(entry[1], entry[2])
        for place in self._places:
            late = place.successor and not place.successor.ready and now - place.successor.born > START_TIME
            if place.successor and late:
                log.error("The new %s is not ready after %d s.", place.role, START_TIME)
                place.successor.process.kill()

    def _became_ready(self, child: Child) -> None:
        child.ready = True
        for place in self._places:
            if place.successor is child:
                before, place.child, place.successor = place.child, child, None
                if before:
                    self._let_go(before, HANDOVER)

    # --- waiting ------------------------------------------------------------------------------------------------
    def _say_once(self) -> None:
        if self._announce is not None and all(place.child and place.child.ready for place in self._places):
            announce, self._announce = self._announce, None
            announce()

    def _wait(self, longest: float = 1.0) -> None:
        due = [place.not_before for place in self._places if place.child is None] + [at for at, *_ in self._to_end]
        timeout = min([longest, *(max(0.0, at - time.monotonic()) for at in due)])
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Child):
                child = key.data
                said = os.read(child.pipe, 1)
                self._forget(child)
                if said:
                    self._became_ready(child)
            else:
                key.data()

    # --- stopping -----------------------------------------------------------------------------------------------
    def _all(self) -> list[Child]:
        held = [child for place in self._places for child in (place.child, place.successor) if child]
        return [child for child in [*held, *self._leaving] if child.process.poll() is None]

    def _send_all(self, how: int) -> None:
        for child in self._all():
            _send(child, how)

    def _stop(self) -> None:
        """Gates first, then what stands behind them; nothing outlives its time."""
        begin = time.monotonic()
        if self._public:
            self._public.close()
        for child in self._all():
            if child.role == "gate":
                _send(child, signal.SIGTERM)
        while any(child.role == "gate" for child in self._all()) and time.monotonic() - begin < FIRST_OUT:
            self._wait(0.05)
        self._send_all(signal.SIGTERM)
        while self._all() and time.monotonic() - begin < GRACE:
            self._wait(0.05)
        self._send_all(signal.SIGKILL)
        for child in self._all():
            child.process.wait()


class _Signals:
    """Signals as events of a selector, for the time of a `with`."""

    def __init__(self, handlers: dict[signal.Signals, Callable[[], None]], selector: selectors.BaseSelector) -> None:
        self._handlers = handlers
        self._selector = selector
        self._before: dict[signal.Signals, Any] = {}
        self._reading, self._writing = socket.socketpair()

    def __enter__(self) -> None:
        for end in (self._reading, self._writing):
            end.setblocking(False)
        self._selector.register(self._reading, selectors.EVENT_READ, self._arrived)
        self._fd_before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, lambda *_: None) for number in self._handlers}

    def _arrived(self) -> None:
        with suppress(BlockingIOError):
            for number in self._reading.recv(64):
                self._handlers[signal.Signals(number)]()

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        self._selector.unregister(self._reading)
        self._reading.close()
        self._writing.close()


def _send(child: Child, how: int) -> None:
    with suppress(ProcessLookupError):
        child.process.send_signal(how)
