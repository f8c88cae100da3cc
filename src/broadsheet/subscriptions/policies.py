"""The publisher's policies for what is late, and how parts of a price are computed. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Rounding = Literal["half_up", "half_even", "down", "up"]


@dataclass(frozen=True, slots=True)
class Policies:
    """Days count from the local date a renewal fell due on.

    `overdue_stages` are (days, what is taken away): changes, access, cancel. A stage of access takes the place of
    `grace_days`; `cancel_after_days` that would come before the last stage does not hold.
    """

    dunning_days: tuple[int, ...] = (0, 3, 7, 14)
    grace_days: int = 7
    cancel_after_days: int = 21
    overdue_stages: tuple[tuple[int, str], ...] = ()
    rounding: Rounding = "half_up"
    change_day: Literal["new_plan", "old_plan"] = "new_plan"
    cancel_day: Literal["used", "unused"] = "used"
    auto_debit_limit_minor: int = 1_500_000

    def _stage(self, what: str) -> int | None:
        return next((days for days, block in self.overdue_stages if block == what), None)

    @property
    def access_ends_after(self) -> int:
        """Access never outlives the subscription itself."""
        stage = self._stage("access")
        days = self.grace_days if stage is None else stage
        return days if self.ends_after is None else min(days, self.ends_after)

    @property
    def changes_end_after(self) -> int | None:
        return self._stage("changes")

    @property
    def ends_after(self) -> int | None:
        """Days after which it is over; None: never, as long as it is not paid."""
        stage = self._stage("cancel")
        if stage is not None:
            return stage
        last = max((days for days, _ in self.overdue_stages), default=-1)
        return self.cancel_after_days if self.cancel_after_days > last else None


def policies_of(options: Any) -> Policies:
    """The policies an installation's options state."""
    return Policies(
        dunning_days=tuple(options.dunning_days),
        grace_days=options.grace_days,
        cancel_after_days=options.cancel_after_days,
        overdue_stages=tuple(options.overdue_stages),
        rounding=options.proration_rounding,
        change_day=options.change_day,
        cancel_day=options.cancel_day,
        auto_debit_limit_minor=options.auto_debit_limit * 100,
    )
