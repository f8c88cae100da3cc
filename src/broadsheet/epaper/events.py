"""What happened to an edition. Facts, past tense, JSON values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EditionReceived:
    """A file of the press was taken in and waits to be made into pages."""

    edition_id: int


@dataclass(frozen=True, slots=True)
class EditionOrdered:
    """An editor or the rule wants an automatic edition typeset; `revision` is the one that was looked at."""

    edition_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class EditionPublished:
    """The first page of an edition can be read."""

    edition_id: int


@dataclass(frozen=True, slots=True)
class EditionRevised:
    """Pages of a published edition were replaced or taken off: what readers kept of it is out of date."""

    edition_id: int
    revision: int
