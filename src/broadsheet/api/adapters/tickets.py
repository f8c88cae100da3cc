"""The cache allauth keeps its codes in: theirs lie in the database, everything else in this process's memory.

A code is made by one process and may be exchanged at another one, on another machine or after a restart.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.utils import timezone

_SHARED = ("allauth.idp.oidc.authorization_code[", "allauth.idp.oidc.user_code[", "allauth.idp.oidc.device_code[")
_LONGEST = 255
_DEFAULT = 300  # seconds


class TicketCache(LocMemCache):
    """Times are the machine's own, as allauth's are."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        if not key.startswith(_SHARED):
            return super().get(key, default, version)
        row = _tickets().filter(key=key[:_LONGEST], expires_at__gt=timezone.now()).first()
        return json.loads(row.value) if row and len(key) <= _LONGEST else default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        if not key.startswith(_SHARED):
            super().set(key, value, timeout, version)
            return
        seconds = timeout if isinstance(timeout, int | float) else _DEFAULT
        until = timezone.now() + timedelta(seconds=seconds)
        _tickets().update_or_create(key=key, defaults={"value": json.dumps(value), "expires_at": until})

    def delete(self, key: str, version: int | None = None) -> bool:
        if not key.startswith(_SHARED):
            return super().delete(key, version)
        return bool(_tickets().filter(key=key[:_LONGEST]).delete()[0])


def _tickets() -> Any:
    return apps.get_model("api", "Ticket").objects
