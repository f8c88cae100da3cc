"""Partner titles: a code that one reader claimed, and the pool it came from."""

from __future__ import annotations

from datetime import datetime

from broadsheet.leakcheck.benefits import Address, Filled, hidden_words
from broadsheet.partners.actions import claim
from broadsheet.partners.desk import OfferPlan, ensure_offer, ensure_partner
from broadsheet.partners.stocking import add_codes
from broadsheet.readers.queries import reader_by_email

OWNER = "holder@readers.example"
WORDS = 8  # a code is at most 200 characters long
POOL = 3


def fill(twin: str, now: datetime) -> Filled:
    """The holder has claimed the first code; the others lie in stock and are nobody's."""
    ensure_partner(code="post", name="The Post", words="A paper from elsewhere.")
    made = ensure_offer(
        OfferPlan(partner="post", code="all", name="All of it", url="https://post.example/redeem", low_stock=0)
    )
    codes = {f"code {number}": hidden_words(f"code {number}", twin, WORDS) for number in range(POOL)}
    owner = reader_by_email(OWNER)
    if made is None or owner is None:
        raise RuntimeError("a scratch paper has its holder and no partners before this")
    add_codes(offer_id=made, name="codes.txt", lines=codes.values(), by="", now=now)
    claim(reader_id=owner.id, partner="post", offer="all", now=now)
    target = "/account/partners/post/all/"
    return Filled(codes, [Address(target, "partner", shows="code 0", owner=OWNER)])
