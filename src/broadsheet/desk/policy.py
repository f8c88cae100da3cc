"""The access policy as its publisher sees it: a form, the words for every value, and what a dry run found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms

from broadsheet.access.rules import Policy
from broadsheet.access.values import PolicyError, checked_policy, limit
from broadsheet.newsroom.queries import cards_by_id, sections

MODES: Final = {
    "soft": "The first visit reads at once",
    "strict": "A browser must show that it keeps our cookie before it reads",
    "login": "Metered stories need a free account",
}
WINDOWS: Final = {
    "month": "A calendar month",
    "week": "A week from Monday to Sunday",
    "rolling": "A number of days from the first story read",
}
RULES: Final = {
    "unknown": "there is no such story",
    "withdrawn": "the story was withdrawn",
    "legal": "the story is down for legal reasons",
    "emergency": "opened to everyone in an emergency",
    "free": "the story is free",
    "staff": "read by staff",
    "entitled": "read on a subscription",
    "institution": "read on an institution's seat",
    "gift": "read on a gift link",
    "surface": "a list, feed or letter: the story is read on its own page",
    "login": "metered stories need a free account",
    "repeat": "read again",
    "limit": "the limit of free stories was reached",
    "section_limit": "the limit of this section was reached",
    "not_a_read": "a preview or check by a program, not a person's page view",
    "meter_away": "the count of reads could not be kept just then",
    "budget": "too many new visitors from one network that day",
    "meter": "one of the free stories",
    "premium": "a story for premium subscribers",
    "register": "a story for readers with an account",
    "registered": "read with an account",
    "denied": "no rule let it through",
    "product": "not part of what the reader has subscribed to",
}
"""Every reason of a decision, in words."""
TIERS: Final = {"free": "Free", "metered": "Metered", "registered": "Registered", "premium": "Premium"}


class PolicyForm(forms.Form):
    """Every value but the emergency, which has a switch of its own, and the zone, which is the paper's option."""

    free_limit = forms.CharField(
        label="Stories for a visitor", help_text="Metered stories a visitor without an account may read in a window."
    )
    registered_limit = forms.CharField(
        label="Stories for a reader with an account",
        help_text="In the same window; what they read before signing in counts too.",
    )
    window = forms.ChoiceField(label="The window", choices=tuple(WINDOWS.items()))
    days = forms.CharField(label="Days", required=False, help_text="For the window that rolls: 1 to 366.")
    mode = forms.ChoiceField(label="The first visit", choices=tuple(MODES.items()), widget=forms.RadioSelect)
    note = forms.CharField(
        label="Why", required=False, max_length=300, help_text="For the history: who reads it later will thank you."
    )

    def __init__(self, base: Policy, *args: Any, **kwargs: Any) -> None:
        kind, _, days = base.window.partition(":")
        initial = {
            "free_limit": base.free_limit,
            "registered_limit": base.registered_limit,
            "window": kind,
            "days": days,
            "mode": base.mode,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self._base = base
        self.policy = base
        names = {section.slug: section.name for section in sections()}
        for slug in [*names, *(slug for slug in base.section_limits if slug not in names)]:
            self.fields[f"section_{slug}"] = forms.CharField(
                label=names.get(slug, slug), required=False, initial=base.section_limits.get(slug, "")
            )
        for name, field in self.fields.items():
            if name.endswith("_limit") or name == "days" or name.startswith("section_"):
                field.widget.attrs |= {"inputmode": "numeric", "size": 4, "maxlength": 4, "autocomplete": "off"}

    def section_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("section_")]

    def clean(self) -> dict[str, Any]:
        """Leaves the policy that the form asks for in `policy`, with the hints of the options where it cannot be."""
        given = super().clean() or {}
        rolls = given.get("window") == "rolling"
        values = {name: given[name] for name in ("free_limit", "registered_limit", "mode") if name in given}
        values["window"] = f"rolling:{given.get('days', '').strip()}" if rolls else given.get("window")
        values["section_limits"] = self._section_limits(given)
        try:
            self.policy = checked_policy(self._base, values)
        except PolicyError as refused:
            for name, hint in refused.hints.items():
                self.add_error("days" if name == "window" else name, _sentence(hint))
        return given

    def _section_limits(self, given: Mapping[str, Any]) -> dict[str, int]:
        limits = {}
        for name, value in list(given.items()):
            if name.startswith("section_") and value:
                try:
                    limits[name.removeprefix("section_")] = limit(value)
                except ValueError as error:
                    self.add_error(name, _sentence(f"{error}, or nothing"))
        return limits


def _sentence(hint: str) -> str:
    return f"{hint[0].upper()}{hint[1:]}."


def window_of(policy: Policy) -> str:
    kind, _, days = policy.window.partition(":")
    if kind == "rolling":
        return f"{days} {'day' if days == '1' else 'days'} from the first story read"
    return WINDOWS[kind]


def told(policy: Policy) -> list[tuple[str, str]]:
    """A policy in words: what, and how it is."""
    names = {section.slug: section.name for section in sections()}
    limits = [f"{names.get(slug, slug)}: {count}" for slug, count in sorted(policy.section_limits.items())]
    return [
        ("A visitor reads", _stories(policy.free_limit)),
        ("A reader with an account reads", _stories(policy.registered_limit)),
        ("The window", window_of(policy)),
        ("The first visit", MODES[policy.mode]),
        ("Sections with a limit of their own", "; ".join(limits) or "None"),
        ("Time zone", f"{policy.zone.key} (the paper's option time_zone)"),
        ("Emergency", "ON: every story is open to everyone" if policy.emergency else "Off"),
    ]


def _stories(count: int) -> str:
    return f"{count} metered {'story' if count == 1 else 'stories'}"


def changes(before: Policy, after: Policy) -> list[str]:
    """What is different, one line each: `A visitor reads: 5 metered stories -> 3 metered stories`."""
    pairs = zip(told(before), told(after), strict=True)
    return [f"{label}: {old} → {new}" for (label, old), (_, new) in pairs if old != new]


def figures(report: Mapping[str, Any]) -> dict[str, Any]:
    """A dry run's report as the screen shows it."""
    cards = cards_by_id(row[0] for row in report["stories"])
    stories = [
        _row(cards[number].headline if number in cards else f"Story {number}", (before, after))
        for number, before, after in report["stories"]
    ]
    return {
        "decisions": f"{report['decisions']:,}" if report["decisions"] else "",
        "share": report["share"],
        "people": [_people("Visitors", report["visitors"]), _people("Readers with an account", report["readers"])],
        "full": _row("Stories read in full", report["full"]),
        "walls": [_row(_capital(RULES[reason]), pair) for reason, pair in report["walls"].items()],
        "tiers": [_row(TIERS[tier], pair) for tier, pair in report["tiers"].items()],
        "stories": stories,
    }


def _capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"


def _signed(number: int) -> str:
    return f"+{number:,}" if number > 0 else f"\N{MINUS SIGN}{-number:,}" if number else "no change"


def _row(label: str, pair: Sequence[int]) -> dict[str, Any]:
    return {"label": label, "before": f"{pair[0]:,}", "after": f"{pair[1]:,}", "change": _signed(pair[1] - pair[0])}


def _people(label: str, rows: Mapping[str, Any]) -> dict[str, Any]:
    return {**_row(label, rows["stopped"]), **{name: f"{rows[name]:,}" for name in ("all", "more", "less")}}
