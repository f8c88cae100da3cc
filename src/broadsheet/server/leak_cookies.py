"""Cookies with which the paper looks at itself from outside: a visitor at the limit, and a subscriber who is nobody.

They are sealed as any other; the visitor's meter is used up on stories that do not exist, so that no reader's allowance
and no network's budget is touched.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from broadsheet import clock
from broadsheet.access.meter import meter_seal, new_meter, pack
from broadsheet.access.products import CODES
from broadsheet.access.queries import current_policy
from broadsheet.access.rules import window
from broadsheet.gate.asked import CookieNames
from broadsheet.leakcheck.ports import Held
from broadsheet.readers.passport import Passport, Right
from broadsheet.server.gatehouse import passport_office

NO_STORY = 2**47  # above any id
LIFE = timedelta(minutes=30)


def cookies() -> Held:
    """{"at the limit": …, "subscriber": …}, good for half an hour."""
    options, secret, now = settings.BROADSHEET, settings.BROADSHEET_SECRET, clock.now()
    names, policy = CookieNames.for_site(https=options.https), current_policy()
    reads = tuple(pack(NO_STORY + number, 0) for number in range(policy.free_limit))
    meter = new_meter(window(policy, now).name, now)._replace(reads=reads)
    begin, end = int((now - LIFE).timestamp()), int((now + LIFE).timestamp())
    rights = tuple(Right(product, begin, end) for product in CODES)
    passport = Passport(0, 0, "", staff=False, issued=int(now.timestamp()), expires=end, rights=rights)
    return {
        "at the limit": {names.meter: meter_seal(secret, options.public_host).seal(meter)},
        "subscriber": {names.passport: passport_office(options, secret).seal(passport)},
    }
