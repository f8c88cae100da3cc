"""What happened in access, as frozen facts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PolicySwitched:
    """Revision `revision` of the access policy holds from now on."""

    revision: int
