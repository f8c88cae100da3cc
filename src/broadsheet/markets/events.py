"""What happened to prices, and whom it concerns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PricesImported:
    """Prices of `day` (YYYY-MM-DD) came in by import `import_id`; no later ones of this exchange are here."""

    import_id: int
    exchange: str
    day: str


@dataclass(frozen=True, slots=True)
class AlertsFired:
    """Alerts of one reader fired on the prices of `day` (YYYY-MM-DD); the letter is still to be sent."""

    reader_id: int
    alert_ids: list[int]
    day: str
