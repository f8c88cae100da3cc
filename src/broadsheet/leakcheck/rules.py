"""What a run says in one sentence, and what to do about a leak. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

NIGHT_BEGINS, NIGHT_ENDS = 2, 5  # o'clock in the publisher's zone
AFTERTHOUGHT = timedelta(seconds=3)  # after a publication: its pages are printed by then
FALLEN_ASLEEP = timedelta(hours=1)  # a run that has not ended by then never will


def is_night(local: datetime, last: datetime | None) -> bool:
    """Whether the night's run is due at `local`, the publisher's time; `last`: when the last one began."""
    if not NIGHT_BEGINS <= local.hour < NIGHT_ENDS:
        return False
    tonight = local.replace(hour=NIGHT_BEGINS, minute=0, second=0, microsecond=0)
    return last is None or last < tonight


def sentence(*, error: str, ended: bool, stories: int, probes: int, skipped: int, leaks: int) -> str:
    """`Asked 412 times about 40 stories: nothing came through.`"""
    if error:
        return f"Could not look: {error}"
    if not ended:
        return "Under way."
    late = f" {skipped} questions were left out for want of time." if skipped else ""
    told = "nothing came through." if not leaks else f"{leaks} {'answer was' if leaks == 1 else 'answers were'} wrong."
    return f"Asked {probes} times about {stories} {'story' if stories == 1 else 'stories'}: {told}{late}"


def advice(evidence: str) -> str:
    """What an editor can do about a leak, and whom to ask."""
    if evidence.startswith("words of"):
        return (
            "Hidden text reached somebody who has not paid. If it must stay hidden, take the story down now; then give "
            "this line to whoever looks after the site. Was a template, a plugin or the cache in front changed lately?"
        )
    if "cache may keep" in evidence:
        return (
            "The full text was sent in a way that lets caches show it to others. Empty the cache in front of the paper "
            "and compare its configuration with the one in deploy/."
        )
    if evidence.startswith("unrendered"):
        return "A page shows a placeholder instead of a value: look at the story, and at the last change of a template."
    if evidence.startswith("status 5"):
        return "The paper answered with an error of its own. Its log says which; readers see an error page there."
    if evidence.startswith(("walled", "only", "wall or price")):
        return "Somebody who has paid does not get the whole story. Look at it as one; saving it prints it anew."
    return "An answer was not as it must be. Give this line to whoever looks after the site."
