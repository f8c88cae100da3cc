"""What one run of the proof does, and what came of it: values that travel between processes as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Plan:
    """`kills`: it goes on for more months until so many processes were killed. `chance`: of death at each point.

    `till`: `built_in` (its book lies in the paper's database) or `http` (a process of its own with its own book).
    `control`: the keys, the constraints and the looks before a charge are taken out: then it must find double charges.
    """

    database_url: str = ""
    till: str = "built_in"
    control: bool = False
    subscribers: int = 100
    workers: int = 3
    kills: int = 500
    months: int = 4
    most_months: int = 18
    chance: float = 0.12
    seed: int = 1


@dataclass
class Found:
    """The end of a run. `kills` by point; `faults` in words; `till_charges` are those that took money."""

    kills: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    months: int = 0
    rounds: int = 0
    till_charges: int = 0
    renewals: int = 0
    refunds: int = 0
    double: int = 0
    lost: int = 0
    stuck: int = 0
    logged: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def killed(self) -> int:
        return sum(self.kills.values())
