"""What happened to the search index."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IndexLost:
    """The index is missing or cannot be read; `reason` is for the log."""

    reason: str
