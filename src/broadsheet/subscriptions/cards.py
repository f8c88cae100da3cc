"""What a plan card says, and how periods are put in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from babel.dates import format_date

from broadsheet.money import format_money, per_month_minor


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan as the card's rules need it. `amount_minor` holds every tax; `benefits` are (product, text) in the order
    to show; `fewest` and `most` are seats."""

    code: str
    name: str
    months: int
    amount_minor: int
    currency: str
    benefits: tuple[tuple[str, str], ...]
    trial_days: int = 0
    fewest: int = 1
    most: int = 1


@dataclass(frozen=True, slots=True)
class PlanCard:
    """What a reader sees of a plan; every text is final. `per_month` is floored to whole currency units."""

    code: str
    name: str
    price: str
    period: str
    per_month: str
    url: str
    best_value: bool
    benefits: tuple[str, ...]
    trial: str = ""  # "Free for 14 days"; empty without one
    seats: str = ""  # "5 to 50 seats, from ₹13,500"; empty for a plan of one reader


_WORDS = {
    "en": {
        "month": "1 month", "months": "{} months", "per_month": "{}/month",
        "gift": "Give a story to a friend each month", "gifts": "Give {} stories a month to friends",
        "trial": "Free for {} days", "seats": "{} to {} seats, from {}",
    },
    "hi": {
        "month": "1 महीना", "months": "{} महीने", "per_month": "{}/माह",
        "gift": "हर महीने एक ख़बर उपहार में दें", "gifts": "हर महीने {} ख़बरें उपहार में दें",
        "trial": "{} दिन मुफ़्त", "seats": "{} से {} सीटें, {} से",
    },
}  # fmt: skip


def longday(day: date) -> str:
    """`10 April 2027`"""
    return format_date(day, "d MMMM y", locale="en_IN")


def span(start: date, end: date) -> str:
    """A period as people write it, both days included: `10 January 2027 to 9 April 2027`."""
    return f"{longday(start)} to {last_day(end)}"


def last_day(end: date) -> str:
    """The last day of a period as people say it; `end` is exclusive: `2027-04-10` -> `9 April 2027`."""
    return longday(end - timedelta(days=1))


def period_words(months: int, language: str) -> str:
    """`1` -> `1 month`, `3` -> `3 months`; English for languages we have no words in."""
    words = _WORDS.get(language, _WORDS["en"])
    return words["month"] if months == 1 else words["months"].format(months)


def gift_words(gifts: int, language: str) -> str:
    """The benefit of giving `gifts` stories away in a month."""
    words = _WORDS.get(language, _WORDS["en"])
    return words["gift"] if gifts == 1 else words["gifts"].format(gifts)


def plan_card(offer: Offer, *, language: str, products: Sequence[str], best_value: bool, gifts: int = 0) -> PlanCard:
    """One card. A benefit is named only if its product works in this installation; `gifts`: how many stories whoever
    has it may give away in a month, 0 where the card does not say it."""
    words = _WORDS.get(language, _WORDS["en"])
    benefits = tuple(text for product, text in offer.benefits if product in products)
    monthly = per_month_minor(offer.amount_minor, offer.months, offer.currency)
    least = format_money(offer.amount_minor * offer.fewest, offer.currency, language)
    return PlanCard(
        code=offer.code,
        name=offer.name,
        price=format_money(offer.amount_minor, offer.currency, language),
        period=period_words(offer.months, language),
        per_month=words["per_month"].format(format_money(monthly, offer.currency, language)),
        url=f"/subscribe/{offer.code}/",
        best_value=best_value,
        benefits=(*benefits, gift_words(gifts, language)) if benefits and gifts else benefits,
        trial=words["trial"].format(offer.trial_days) if offer.trial_days else "",
        seats=words["seats"].format(offer.fewest, offer.most, least) if offer.fewest > 1 else "",
    )


def best_value(offers: Sequence[Offer]) -> str | None:
    """The code of the one plan that is cheapest by the month; None when there is no choice or a tie."""
    rates = sorted((Fraction(offer.amount_minor, offer.months), offer.code) for offer in offers)
    if len(rates) < 2 or rates[0][0] == rates[1][0]:  # noqa: PLR2004 - a comparison takes two
        return None
    return rates[0][1]
