"""Signed links to a partner, made at the moment they are followed; and our public key."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings

from broadsheet.ids import derive_key, token
from broadsheet.partners import queries, rules, tokens
from broadsheet.partners.models import Claim, Offer
from broadsheet.partners.stocking import secret_of


def _key(secret: bytes) -> bytes:
    return derive_key(secret, "partner-links")


def key_set() -> dict[str, object]:
    """The public halves of the keys we sign with, the newest first, as a JSON Web Key Set."""
    return {"keys": [tokens.public_key(_key(one)) for one in settings.BROADSHEET_SECRETS]}


def signed_link(*, reader_id: int, partner: str, offer: str, now: datetime) -> str | None:
    """The partner's address with a token for this reader's running claim, good for five minutes; None without one."""
    rows = Claim.objects.select_related("offer__partner").filter(
        reader_id=reader_id, ended_at=None, offer__partner__code=partner, offer__code=offer, offer__kind="link"
    )
    claim = rows.first()
    live = {one.subject: one for one in queries.entitlements_for(partner, reader_id, now)}
    if claim is None or claim.subject not in live:
        return None
    until = live[claim.subject].until
    said = {
        "iss": str(settings.BROADSHEET.public_url),
        "aud": claim.offer.partner.code,
        "sub": claim.subject,
        "jti": token(),
        "iat": int(now.timestamp()),
        "exp": int((now + rules.LINK_LIVES).timestamp()),
        "offer": claim.offer.code,
        **({"entitled_until": int(until.timestamp())} if until else {}),
    }
    if claim.offer.signature == Offer.Signature.OURS:
        signed = tokens.sign(said, key=_key(settings.BROADSHEET_SECRETS[0]))
    else:
        secret = secret_of(claim.offer.partner)
        if not secret:
            return None
        signed = tokens.sign(said, secret=secret)
    return with_token(claim.offer.url, signed)


def with_token(url: str, signed: str) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode({"token": signed})) if part)
    return urlunsplit(parts._replace(query=query))
