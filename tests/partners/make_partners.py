"""Partners, offers and subscribers for the tests."""

from __future__ import annotations

from datetime import datetime

from tests.subscriptions import make_subscriptions as sold

from broadsheet.partners import stocking
from broadsheet.partners.models import Claim, Code, Offer, Partner
from broadsheet.partners.vault import Vault
from broadsheet.readers.models import Reader
from broadsheet.subscriptions.models import Product

NOW = sold.at("2027-01-10 09:00")
SECRET = "a secret of two papers, long enough"


def partner(code: str = "post", **fields) -> Partner:
    return stocking.keep_partner(partner=Partner(code=code, name="The Post", **fields), secret=SECRET)


def offer(row: Partner, kind: str = "codes", code: str = "all", **fields) -> Offer:
    values = {"name": "All of it", "url": "https://post.example/redeem", "low_stock": 0, **fields}
    return stocking.keep_offer(offer=Offer(partner=row, code=code, kind=kind, **values))


def codes(row: Offer, count: int = 5, now: datetime = NOW, prefix: str = "CODE") -> None:
    lines = [f"{prefix}-{number:04}" for number in range(count)]
    stocking.add_codes(offer_id=row.pk, name="codes.txt", lines=lines, by="a test", now=now)


def plan(code: str = "q", **fields):
    """A plan that includes partner titles."""
    row = sold.plan(code, **fields)
    product, _ = Product.objects.get_or_create(code="partner", defaults={"name": "P", "benefit": "P", "position": 6})
    row.products.add(product)
    return row


def subscriber(email: str = "asha@reader.example", now: datetime = NOW, code: str = "q") -> int:
    """A reader who bought a plan at `now`."""
    reader_id = sold.reader(email)
    sold.buy(reader_id, now, code)
    return reader_id


def code_of(claim_id: int) -> str:
    row = Code.objects.select_related("partner").get(claim_id=claim_id)
    return Vault(row.partner.key).open(row.sealed)


def books() -> tuple[int, int]:
    """Running claims, and codes that were given out."""
    return Claim.objects.filter(ended_at=None).count(), Code.objects.exclude(claim=None).count()


def client_of(reader_id: int, client):
    client.force_login(Reader.objects.get(pk=reader_id), backend="django.contrib.auth.backends.ModelBackend")
    return client
