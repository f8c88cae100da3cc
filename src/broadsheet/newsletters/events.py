"""What happened to newsletters. Facts, past tense, JSON values; `at` is RFC 3339."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignUpAsked:
    """Somebody typed this address into the form: it gets a letter that asks for a confirmation."""

    address_id: int
    list_ids: tuple[int, ...]
    at: str


@dataclass(frozen=True, slots=True)
class SendingTroubled:
    """A sending stopped, stalled or could not start; `why` is for the editor."""

    issue_id: int
    why: str
    at: str
