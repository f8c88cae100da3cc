"""Background entries of partners: each thin, and may run twice."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import urllib.request
from datetime import timedelta
from typing import Any

from django.conf import settings

from broadsheet import clock
from broadsheet.dates import parse_instant, rfc3339
from broadsheet.mail import Letter, send
from broadsheet.partners import actions, rules, stocking
from broadsheet.partners.events import ClaimEnded, StockLow
from broadsheet.partners.models import Claim, Code, Offer
from broadsheet.partners.vault import Vault
from broadsheet.readers.queries import administrators

log = logging.getLogger(__name__)
WAIT = 10  # seconds for a partner's answer
GIVE_UP = timedelta(days=3)  # after that the end stands in the file of revocations alone


def review_due() -> None:
    """Claims whose right may have ended: looked at when it is due to end, and day by day where nobody knows."""
    while actions.review_due(now=clock.now()) == 1000:  # noqa: PLR2004 - a full batch: there may be more
        pass


def watch_stocks() -> None:
    """Pools that run out."""
    for offer_id in Offer.objects.filter(kind=Offer.Kind.CODES, active=True).values_list("pk", flat=True):
        actions.watch_stock(offer_id=offer_id, now=clock.now())


def tidy() -> None:
    """Seals made by an older secret are made anew; links that were used are forgotten when they are too old to open."""
    stocking.reseal()
    actions.purge(now=clock.now())


def mail_low_stock(event: StockLow) -> None:
    row = Offer.objects.select_related("partner").filter(pk=event.offer_id).first()
    if row is None:
        return
    text = (
        f"{row.partner.name}, {row.name}: {'no codes are' if not event.left else f'{event.left} codes are'} left "
        f"(the alarm is set to {row.low_stock}).\n\n"
        "Readers who claim one when there is none are told to come back. Ask the partner for more, and put the file "
        f"in:\n{settings.BROADSHEET.public_url}/admin/partner-titles/{row.pk}/stock/\n"
    )
    for to in [settings.BROADSHEET.alarm_email] if settings.BROADSHEET.alarm_email else administrators():
        subject = f"Codes of {row.partner.name} are running out: {event.left} left"
        send(Letter(to=to, subject=subject, text=text, key=f"stock:{row.pk}:{event.at}"))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A signed message goes where staff wrote, and nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the library's signature
        return None


def report_end(event: ClaimEnded) -> None:
    """Tell the partner by a signed message, if it takes them; else it waits in the file. Raises what the line raises:
    the queue tries again, and after three days leaves it to the file."""
    claim = Claim.objects.select_related("offer__partner").filter(pk=event.claim_id, report=Claim.Report.DUE).first()
    if claim is None or not claim.offer.partner.report_url:
        return
    if clock.now() - parse_instant(event.at) > GIVE_UP:
        log.warning("The end of claim %s could not be reported to %s.", claim.pk, claim.offer.partner.code)
        return
    _post(claim, event)
    actions.mark_reported(claim_ids=[claim.pk], now=clock.now())


def _post(claim: Claim, event: ClaimEnded) -> None:
    partner = claim.offer.partner
    if not rules.may_be_called(partner.report_url):
        raise ValueError("the partner's address is not safe to call")
    sealed = Code.objects.filter(claim=claim).values_list("sealed", flat=True).first()
    body = json.dumps(
        {
            "event": "claim_ended",
            "id": f"{claim.pk}-{int(parse_instant(event.at).timestamp())}",
            "offer": claim.offer.code,
            "subject": claim.subject,
            "code": Vault(partner.key).open(sealed) if sealed else None,
            "ended_at": rfc3339(claim.ended_at) if claim.ended_at else event.at,
            "reason": event.reason,
        }
    ).encode()
    stamp = str(int(clock.now().timestamp()))
    mac = hmac.new(stocking.secret_of(partner), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(  # noqa: S310 - may_be_called() let only https through
        partner.report_url,
        data=body,
        headers={"Content-Type": "application/json", "Broadsheet-Signature": f"t={stamp},v1={mac}"},
    )
    with urllib.request.build_opener(_NoRedirects).open(request, timeout=WAIT) as answer:
        answer.read(1024)
