"""The stories of the scratch paper, written so that what is hidden is known without asking the code under test. Pure.

Open words are ordinary English and the same in both twins. Hidden words are made up, hold canary tokens, and differ
between the twins in content, length and number of paragraphs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from broadsheet.leakcheck.canaries import TOKEN

TWINS = ("a", "b")
FREE_LIMIT = 3
REGISTERED_LIMIT = 4
OPEN_WORDS = 120  # the product's promise: two paragraphs, cut at 120 words
OPEN_WORDS_ALONE = 60  # or 60 words when there is only one
SECTIONS = (("Harbour", "harbour"), ("Courts", "courts"))

_ENGLISH = (
    "the council said on monday that new ferry service will begin before winter and that fares stay where they "
    "are while engineers finish work along northern quay where older piers were closed last year after an "
    "inspection found rust in several beams officials expect about four thousand passengers each day and plan "
    "extra crossings during school holidays traders near market square welcomed a decision which they had asked "
    "for since spring when road repairs sent buses over distant bridge"
)
_ORDINARY = _ENGLISH.split()
_STARTS = ("br", "d", "gl", "k", "l", "m", "n", "pl", "r", "sk", "t", "v")
_MIDDLES = ("ado", "eli", "iru", "omu", "uva", "arri", "ezzo", "illu")
_ENDS = ("ck", "fen", "gor", "lim", "nash", "pot", "rud", "sk", "tav")
_LETTERS = "bcdfghjklmnprstvwz"


@dataclass(frozen=True, slots=True)
class Plan:
    """A story to be filed. `shape` says how the text is cut, `state` where it stands, `mark` what the author opened."""

    key: str
    tier: str
    shape: str = "long"  # long | one | two | marked | list | open
    state: str = "published"  # published | updated | withdrawn | draft | scheduled
    mark: int | None = None
    credit: str = ""
    picture: bool = False
    language: str = "en"
    burn: bool = False  # read by the readers at their limit, so that the limit is used up


@dataclass(frozen=True, slots=True)
class Text:
    """A story's text in one twin. `body` is Markdown; `hidden` the words nobody unentitled may see, in order."""

    headline: str
    standfirst: str
    body: str
    hidden: str
    open: str = ""
    caption: str = ""


PLANS: tuple[Plan, ...] = (
    *(Plan(f"free-{number}", "free", "open") for number in range(1, 5)),
    *(Plan(f"burn-{number}", "metered", burn=True) for number in range(1, REGISTERED_LIMIT + 1)),
    Plan("metered-long", "metered"),
    Plan("metered-one", "metered", "one"),
    Plan("metered-two", "metered", "two"),
    Plan("metered-marked", "metered", "marked", mark=1),
    Plan("metered-shut", "metered", "marked", mark=0),
    Plan("metered-wire", "metered", credit="Northsea Wire"),
    Plan("metered-picture", "metered", picture=True),
    Plan("metered-list", "metered", "list"),
    Plan("metered-updated", "metered", state="updated"),
    Plan("metered-hindi", "metered", language="hi"),
    Plan("registered-long", "registered"),
    Plan("registered-one", "registered", "one"),
    Plan("premium-long", "premium"),
    Plan("premium-one", "premium", "one"),
    Plan("premium-two", "premium", "two"),
    Plan("premium-marked", "premium", "marked", mark=2),
    Plan("premium-wire", "premium", credit="Northsea Wire", picture=True),
    Plan("withdrawn-metered", "metered", state="withdrawn"),
    Plan("withdrawn-premium", "premium", state="withdrawn"),
    Plan("draft-metered", "metered", state="draft"),
    Plan("draft-premium", "premium", state="draft"),
    Plan("scheduled-premium", "premium", state="scheduled"),
)
UNSEEN = ("withdrawn", "draft", "scheduled")
"""States in which every word of a story is hidden, its headline too."""


def section_of(plan: Plan) -> str:
    """One section is long enough to have an older page."""
    return "courts" if plan.tier == "registered" else "harbour"


def _name(number: int) -> str:
    """Five letters for a number: a token has no digits, so that no reading can split it."""
    letters = ""
    for _ in range(5):
        number, place = divmod(number, len(_LETTERS))
        letters += _LETTERS[place]
    return letters


def _tokens(seed: str) -> Iterator[str]:
    rng = random.Random(seed)  # noqa: S311 - canaries, not secrets
    while True:
        yield TOKEN + _name(rng.randrange(len(_LETTERS) ** 5))


def _ordinary(rng: random.Random, count: int) -> str:
    return " ".join(rng.choice(_ORDINARY) for _ in range(count))


def _strange(rng: random.Random, tokens: Iterator[str], count: int) -> str:
    """`count` made-up words; at least one token in every twelve, the first word always one."""
    made = [rng.choice(_STARTS) + rng.choice(_MIDDLES) + rng.choice(_ENDS) for _ in range(count)]
    for at in range(0, count, 12):
        made[at] = next(tokens)
    return " ".join(made)


def strange_words(rng: random.Random, seed: str, count: int) -> str:
    """`count` made-up words, canary tokens of `seed` among them."""
    return _strange(rng, _tokens(f"tokens {seed}"), count)


def text_of(plan: Plan, twin: str) -> Text:
    """The text of a story in a twin. The open part is a function of the plan alone."""
    public = random.Random(f"open {plan.key}")  # noqa: S311
    private = random.Random(f"hidden {plan.key} {twin}")  # noqa: S311
    tokens = _tokens(f"tokens {plan.key} {twin}")
    headline = f"{_ordinary(public, 6).capitalize()} {plan.key.replace('-', ' ')}"
    standfirst = _ordinary(public, 14).capitalize() + "."
    if plan.state in UNSEEN:
        return _unseen(plan, private, tokens, headline)
    open_blocks, hidden_blocks = _cut(plan, public, private, tokens)
    blocks = [" ".join(part for part in pair if part) for pair in _joined(open_blocks, hidden_blocks, plan)]
    if plan.language == "hi":
        headline = f"बंदरगाह परिषद की नई नौका सेवा {plan.key.replace('-', ' ')}"
    return Text(
        headline=headline,
        standfirst=standfirst,
        body="\n\n".join(blocks),
        hidden="\n".join(hidden_blocks),
        open="\n".join(open_blocks),
        caption=_ordinary(public, 8).capitalize() + "." if plan.picture else "",
    )


def _unseen(plan: Plan, private: random.Random, tokens: Iterator[str], headline: str) -> Text:
    blocks = [_strange(private, tokens, private.randrange(20, 60)) for _ in range(private.randrange(2, 7))]
    hidden = "\n".join(blocks)
    if plan.state != "withdrawn":
        # Nobody ever saw its headline. A withdrawn one's address still says it.
        headline = f"{_strange(private, tokens, 7)} {plan.key.replace('-', ' ')}"
        hidden = f"{headline}\n{hidden}"
    return Text(headline, "", "\n\n".join(blocks), hidden)


def _cut(
    plan: Plan, public: random.Random, private: random.Random, tokens: Iterator[str]
) -> tuple[Sequence[str], Sequence[str]]:
    """Open blocks and hidden blocks; the last open block and the first hidden one may be one paragraph."""

    def hidden(least: int = 1) -> list[str]:
        return [
            _strange(private, tokens, private.randrange(25, 80)) for _ in range(private.randrange(least, least + 6))
        ]

    if plan.shape == "open":
        return [_ordinary(public, 50), _ordinary(public, 60), _ordinary(public, 70)], []
    if plan.shape == "one":
        return [_ordinary(public, OPEN_WORDS_ALONE)], [_strange(private, tokens, private.randrange(60, 200))]
    if plan.shape == "two":
        return [_ordinary(public, 70), _ordinary(public, OPEN_WORDS - 70)], hidden()
    if plan.shape == "marked":
        return [_ordinary(public, 30) for _ in range(plan.mark or 0)], hidden(2)
    if plan.shape == "list":
        items = "\n".join(
            f"- {_strange(private, tokens, private.randrange(7, 20))}" for _ in range(private.randrange(2, 6))
        )
        return [_ordinary(public, 40)], [
            items,
            f"## {_strange(private, tokens, 4)}",
            f"> {_strange(private, tokens, 30)}",
        ]
    return [_ordinary(public, 35), _ordinary(public, 45)], hidden(3)


def _joined(open_blocks: Sequence[str], hidden_blocks: Sequence[str], plan: Plan) -> list[tuple[str, str]]:
    """Paragraphs as (open words, hidden words): in `one` and `two` the cut runs through a paragraph."""
    if plan.shape not in ("one", "two"):
        return [(block, "") for block in open_blocks] + [("", block) for block in hidden_blocks]
    whole = [(block, "") for block in open_blocks[:-1]]
    return [*whole, (open_blocks[-1], hidden_blocks[0]), *(("", block) for block in hidden_blocks[1:])]
