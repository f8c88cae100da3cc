"""Partners put in by a program: the demo, and tests. What is there already stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from broadsheet.partners import inward, stocking
from broadsheet.partners.models import Offer, Partner, Welcome


@dataclass(frozen=True, slots=True)
class OfferPlan:
    """An offer to be made, in the words of models.Offer."""

    partner: str
    code: str
    name: str
    url: str
    kind: str = "codes"
    words: str = ""
    parts: str = ""
    instructions: str = ""
    per: str = "reader"
    again: str = "same"
    low_stock: int = 50
    lasts_days: int = 0


@transaction.atomic
def ensure_partner(*, code: str, name: str, words: str = "", secret: str = "") -> None:
    if not Partner.objects.filter(code=code).exists():
        stocking.keep_partner(partner=Partner(code=code, name=name, words=words), secret=secret)


@transaction.atomic
def ensure_offer(plan: OfferPlan) -> int | None:
    """The new offer's id, None when it was there."""
    partner = Partner.objects.get(code=plan.partner)
    if Offer.objects.filter(partner=partner, code=plan.code).exists():
        return None
    values = {name: getattr(plan, name) for name in plan.__slots__ if name != "partner"}
    return int(stocking.keep_offer(offer=Offer(partner=partner, **values)).pk)


@transaction.atomic
def ensure_welcome(*, partner: str, code: str, name: str, products: Sequence[str], lasts_days: int) -> None:
    row = Partner.objects.get(code=partner)
    if not Welcome.objects.filter(partner=row, code=code).exists():
        made = Welcome(partner=row, code=code, name=name, products=list(products), lasts_days=lasts_days, by_link=True)
        inward.keep_welcome(welcome=made)
