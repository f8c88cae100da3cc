"""The demo's partner: an invented foreign daily with six products and a pool of codes. None of it exists."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.conf import settings

from broadsheet.ids import token
from broadsheet.partners.desk import OfferPlan, ensure_offer, ensure_partner, ensure_welcome
from broadsheet.partners.stocking import add_codes

PARTNER = "ardenwick-post"
PARTS = """The Ardenwick Post | News of three continents, every day
Post Weekend | The long reads, printed in your head
Post Kitchen | Four thousand recipes that were cooked before they were printed
Post Puzzles | The crossword, the ladder and the little one
Post Audio | Six morning minutes, and the stories read aloud
Post Sport | Fixtures, figures and the odd quarrel"""
STEPS = """Go to the address behind the button and make an account there, or log in.
Type or paste your code where it says “I have a code”.
All six products open at once, on the web and in their apps."""
POOL = 240


def furnish(now: datetime) -> None:
    """The partner, its offer and a pool of codes, unless they are there."""
    ensure_partner(
        code=PARTNER,
        name="The Ardenwick Post",
        words="A daily from across the sea. Invented for this demo, like everything in it.",
        secret=token(24),
    )
    offer = ensure_offer(
        OfferPlan(
            partner=PARTNER,
            code="all-access",
            name="All six products, with our compliments",
            kind="codes",
            words="One code opens everything the Post makes, as long as your subscription here runs.",
            parts=PARTS,
            instructions=STEPS,
            url="https://post.example/redeem",
            per="household",
            low_stock=25,
        )
    )
    if offer is not None:
        seed = settings.BROADSHEET_SECRET.hex()
        lines = ["code,expires", *(f"{_code(seed, number)}," for number in range(POOL))]
        add_codes(offer_id=offer, name="the demo's own codes", lines=lines, by="demo", now=now)
    ensure_offer(
        OfferPlan(
            partner=PARTNER,
            code="reading-room",
            name="The reading room",
            kind="link",
            words="Their archive of maps and letters. A link signed for you lets you in; they learn no name.",
            parts="",
            instructions="",
            url="https://post.example/reading-room",
            per="reader",
            low_stock=0,
        )
    )
    ensure_welcome(partner=PARTNER, code="month", name="A month of reading", products=["unlimited"], lasts_days=30)


def _code(seed: str, number: int) -> str:
    text = hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=8).hexdigest().upper()
    return f"POST-{text[:4]}-{text[4:8]}-{text[8:12]}"
