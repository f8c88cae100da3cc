"""What happened to partner titles. `at` is an instant in RFC 3339."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StockLow:
    """An offer has few codes left, or none (`left` counts no further than the alarm's bound)."""

    offer_id: int
    left: int
    at: str


@dataclass(frozen=True, slots=True)
class ClaimEnded:
    """A reader's access to a partner's title ended here: the partner is told. `reason` is `subscription_ended`,
    `term_over` or `revoked`."""

    claim_id: int
    reason: str
    at: str
