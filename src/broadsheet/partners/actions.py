"""The writers of claims: taking one, ending one, looking after those that run."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from broadsheet.bus.actions import emit
from broadsheet.dates import rfc3339
from broadsheet.ids import token
from broadsheet.partners import rules
from broadsheet.partners.events import ClaimEnded, StockLow
from broadsheet.partners.models import Claim, Code, Offer, UsedToken
from broadsheet.partners.queries import agreements_of, free_codes, past_of, stock_of, terms_of, today, verdict_for
from broadsheet.readers.actions import lock_reader

log = logging.getLogger(__name__)
ALARM_AGAIN = timedelta(days=7)


class ClaimRefusedError(Exception):
    """Nothing was given: `reason` is a key of rules.REASONS, or `absent`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def claim(*, reader_id: int, partner: str, offer: str, now: datetime) -> int:
    """Give a reader what an offer holds; its claim's id. Asking again while it runs is the same claim.

    ClaimRefusedError says why not; nothing is changed then.
    """
    try:
        return _claim(reader_id, partner, offer, now)
    except IntegrityError:
        # Two of one household at once: whoever comes second finds the claim of the first.
        return _claim(reader_id, partner, offer, now)


@transaction.atomic
def _claim(reader_id: int, partner: str, code: str, now: datetime) -> int:
    row = Offer.objects.select_related("partner").filter(partner__code=partner, code=code).first()
    if row is None or not (row.active and row.partner.active):
        raise ClaimRefusedError("absent")
    lock_reader(reader_id=reader_id)
    terms, zone = terms_of(row), settings.BROADSHEET.zone
    held = agreements_of(reader_id, now)
    verdict = verdict_for(row, reader_id, held, now)
    if verdict.reason:
        raise ClaimRefusedError(verdict.reason)
    agreement = verdict.agreement or rules.may_claim(terms, held, now, zone).agreement
    assert agreement is not None
    holder = rules.holder(terms, reader_id, agreement)
    past, last = past_of(row, holder)
    if last is not None and last.ended_at is None:
        return int(last.pk)
    if last is not None and terms.again == "same":
        return _give_back(last, agreement, now)
    made = Claim.objects.create(
        offer=row,
        reader_id=reader_id,
        payer=agreement.payer,
        agreement=agreement.name,
        holder=holder,
        number=past.claims + 1,
        subject=f"c_{token(18)}",
        claimed_at=now,
        ends_at=rules.claim_ends(terms, now, zone),
        check_at=_earliest(rules.claim_ends(terms, now, zone), agreement.until),
    )
    if row.kind == Offer.Kind.CODES:
        _hand_out(row, made, now)
    return int(made.pk)


def _earliest(*times: datetime | None) -> datetime | None:
    return min((one for one in times if one is not None), default=None)


def _give_back(last: Claim, agreement: rules.Agreement, now: datetime) -> int:
    """The claim that ended with the subscription runs again: same code, same subject."""
    Claim.objects.filter(pk=last.pk).update(
        payer=agreement.payer,
        agreement=agreement.name,
        ended_at=None,
        end_reason="",
        losing_since=None,
        report=Claim.Report.NONE,
        check_at=_earliest(last.ends_at, agreement.until) or now + timedelta(days=1),
    )
    return int(last.pk)


def _hand_out(row: Offer, made: Claim, now: datetime) -> None:
    """Take one free code for a claim. Nobody waits for another's: a code somebody else is taking is passed over."""
    rows = free_codes(row.pk, today(now))
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    code = rows.first()
    won = Code.objects.filter(pk=code.pk, claim=None).update(claim=made) if code else 0
    if not won:
        raise ClaimRefusedError("no_code")


def watch_stock(*, offer_id: int, now: datetime) -> None:
    """Raise the alarm once when an offer runs out of codes; again after a week, or after it was filled up."""
    with transaction.atomic():
        row = Offer.objects.select_for_update(of=("self",)).select_related("partner").filter(pk=offer_id).first()
        if row is None or row.kind != Offer.Kind.CODES or not (row.active and row.partner.active):
            return
        stock = stock_of(row, now)
        if not stock.low:
            Offer.objects.filter(pk=offer_id).exclude(alarmed_at=None).update(alarmed_at=None)
        elif row.alarmed_at is None or row.alarmed_at <= now - ALARM_AGAIN:
            Offer.objects.filter(pk=offer_id).update(alarmed_at=now)
            emit(StockLow(row.pk, stock.left, rfc3339(now)))


@transaction.atomic
def revoke(*, claim_id: int, now: datetime) -> bool:
    """End a claim by hand, for good; False when it does not run."""
    row = Claim.objects.select_for_update(of=("self",)).filter(pk=claim_id, ended_at=None).first()
    if row is None:
        return False
    _end(row, "revoked", now, now)
    return True


def _end(row: Claim, reason: str, at: datetime, now: datetime) -> None:
    Claim.objects.filter(pk=row.pk).update(
        ended_at=at, end_reason=reason, check_at=None, losing_since=None, report=Claim.Report.DUE, reported_at=None
    )
    emit(ClaimEnded(row.pk, reason, rfc3339(now)))


def review_payer(*, payer: int, now: datetime) -> None:
    """Look at every running claim that hangs on what a reader pays: theirs, and their seats'."""
    for claim_id in Claim.objects.filter(payer=payer, ended_at=None).values_list("pk", flat=True):
        review(claim_id=claim_id, now=now)


def review_agreement(*, name: str, now: datetime) -> None:
    """The same for what hangs on one right, such as a seat that was freed."""
    for claim_id in Claim.objects.filter(agreement=name, ended_at=None).values_list("pk", flat=True):
        review(claim_id=claim_id, now=now)


@transaction.atomic
def review(*, claim_id: int, now: datetime) -> None:
    """End a claim whose right is gone, or note when to look again. May run twice, or twice at once."""
    rows = Claim.objects.select_for_update(of=("self",)).select_related("offer")
    row = rows.filter(pk=claim_id, ended_at=None).first()
    if row is None:
        return
    seen = rules.review(terms_of(row.offer), row.ends_at, row.losing_since, agreements_of(row.reader_id, now), now)
    if seen.end:
        _end(row, seen.end, max(seen.at or now, row.claimed_at), now)
        return
    held = seen.agreement
    Claim.objects.filter(pk=row.pk).update(
        check_at=seen.check_at,
        losing_since=seen.losing_since,
        agreement=held.name if held else row.agreement,
        payer=held.payer if held else row.payer,
    )


def review_due(*, now: datetime, limit: int = 1000) -> int:
    """Look at what fell due; how many. Flat however many claims there are."""
    ids = Claim.objects.filter(check_at__lte=now).order_by("check_at", "id").values_list("pk", flat=True)[:limit]
    done = 0
    for claim_id in list(ids):
        review(claim_id=claim_id, now=now)
        done += 1
    return done


@transaction.atomic
def mark_reported(*, claim_ids: Iterable[int], now: datetime) -> int:
    """What the partner has been told of. How many."""
    rows = Claim.objects.filter(pk__in=list(claim_ids), report=Claim.Report.DUE)
    return rows.update(report=Claim.Report.DONE, reported_at=now)


def purge(*, now: datetime) -> None:
    UsedToken.objects.filter(until__lt=now).delete()
