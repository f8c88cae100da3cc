"""What happened to a story. Facts, past tense, JSON values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoryPublished:
    """A story went live, or a live one changed. `version` is its print version from then on."""

    story_id: int
    version: int


@dataclass(frozen=True, slots=True)
class StoryRemoved:
    """A story left the site: unpublished by an editor or withdrawn by its agency."""

    story_id: int
    version: int
