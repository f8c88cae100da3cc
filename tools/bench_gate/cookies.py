"""Cookies as the installation itself would have sealed them: its own secret, its own code, no request needed."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from broadsheet import clock
from broadsheet.access import meter as meters
from broadsheet.access.rules import policy_of, window
from broadsheet.readers.passport import Passport, Right
from broadsheet.server.gatehouse import passport_office
from broadsheet.server.options import load
from broadsheet.server.secrets import installation_secret, secret_path


class Sealer:
    """Makes meters and passports for the paper in `data`, which listens on `port`."""

    def __init__(self, data: Path, environ: dict[str, str]) -> None:
        options: Any = load(data, environ)
        secret = installation_secret(secret_path(options))
        self._policy = policy_of(options)
        self._meters = meters.meter_seal(secret, options.public_host)
        self._passports = passport_office(options, secret)
        prefix = "__Host-" if options.https else ""
        self.meter_cookie, self.passport_cookie, self.csrf_cookie = f"{prefix}bsm", f"{prefix}bsp", f"{prefix}bsc"
        self.limit: int = options.free_limit

    def meter(self, reads: list[tuple[int, str]], name: bytes = b"") -> str:
        """The Cookie header of a visitor of this window who has read these (story, section); `name`: of 16 bytes."""
        now = clock.now()
        span = window(self._policy, now)
        marks = tuple(_mark(story, section) for story, section in reads)
        first = int((now - timedelta(seconds=60)).timestamp())
        sealed = self._meters.seal(meters.Meter(name or os.urandom(16), span.name, first, marks))
        return f"{self.meter_cookie}={sealed}"

    def subscriber(self, reader: int) -> str:
        """The Cookie header of a reader with a live subscription."""
        return self.passport(reader, ("unlimited",))

    def passport(self, reader: int, products: tuple[str, ...]) -> str:
        """The Cookie header of a signed-in reader who holds these products."""
        now = int(clock.now().timestamp())
        rights = tuple(Right(product, now - 86400, now + 30 * 86400) for product in products)
        passport = Passport(reader, 1, f"{reader:032x}", False, now, now + 600, rights, "Asha")
        return f"{self.passport_cookie}={self._passports.seal(passport)}"


def _mark(story: int, section: str) -> int:
    return meters.pack(story, meters.section_code(section))
