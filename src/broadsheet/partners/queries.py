"""Partner titles as others see them: offers, what a reader has of them, what a partner may ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from broadsheet import clock
from broadsheet.access.queries import live_grants
from broadsheet.dates import local_date
from broadsheet.partners import ports, rules
from broadsheet.partners.models import Claim, Code, Offer, Partner, Redemption, Voucher, Welcome
from broadsheet.partners.rules import Agreement, Past, Terms
from broadsheet.partners.vault import SealLostError, Vault, voucher_digest

PRODUCT = "partner"
COUNTED = 1000  # nobody needs to know more exactly how many codes are left


@dataclass(frozen=True, slots=True)
class OfferCard:
    """An offer as everybody may see it: the partner's words, and nothing of stock or claims."""

    id: int
    partner: str
    partner_name: str
    partner_words: str
    partner_site: str
    code: str
    name: str
    words: str
    kind: str
    parts: tuple[tuple[str, str], ...]
    path: str


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """What a reader has. `code` is theirs alone to see; "" for other kinds, and when its seal is lost."""

    id: int
    offer_id: int
    subject: str
    claimed_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    code: str
    redeem_by: date | None
    url: str
    instructions: str

    @property
    def running(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Standing:
    """A reader before an offer: what they have of it, and whether they may claim it (`verdict.reason` is "")."""

    card: OfferCard
    claim: ClaimRow | None
    verdict: rules.Verdict
    lasts_days: int
    again: bool

    @property
    def why(self) -> str:
        return rules.REASONS.get(self.verdict.reason, "")


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a partner that signs readers in by us is told: pseudonym and offer, and until when, None when open."""

    subject: str
    offer: str
    until: datetime | None


def free_codes(offer_id: object, today: date) -> QuerySet[Code]:
    """Codes in stock that can still be redeemed, those first that expire first."""
    return Code.objects.filter(offer_id=offer_id, claim=None, expires_on__gte=today).order_by("expires_on", "id")


def _open_offers(now: datetime) -> QuerySet[Offer]:
    window = (Q(opens_at=None) | Q(opens_at__lte=now)) & (Q(closes_at=None) | Q(closes_at__gt=now))
    return Offer.objects.filter(window, active=True, partner__active=True)


def today(now: datetime) -> date:
    return local_date(now, settings.BROADSHEET.zone)


def works() -> bool:
    """Whether there is anything to claim of an active partner now."""
    now = clock.now()
    stocked = Exists(free_codes(OuterRef("pk"), today(now)))
    return _open_offers(now).filter(~Q(kind=Offer.Kind.CODES) | stocked).exists()


def card_of(row: Offer) -> OfferCard:
    partner = row.partner
    return OfferCard(
        id=row.pk,
        partner=partner.code,
        partner_name=partner.name,
        partner_words=partner.words,
        partner_site=partner.site,
        code=row.code,
        name=row.name,
        words=row.words,
        kind=row.kind,
        parts=rules.parts_of(row.parts),
        path=f"/account/partners/{partner.code}/{row.code}/",
    )


def terms_of(row: Offer) -> Terms:
    return Terms(
        kind=row.kind,
        plans=tuple(row.plans),
        from_day=row.from_day,
        within_days=row.within_days,
        lasts_days=row.lasts_days,
        per=row.per,
        again=row.again,
        most=row.most,
        grace_days=row.grace_days,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
    )


def _offers() -> QuerySet[Offer]:
    rows = Offer.objects.select_related("partner").filter(active=True, partner__active=True)
    return rows.order_by("partner__position", "partner_id", "position", "id")


def cards() -> tuple[OfferCard, ...]:
    """Every offer that is on, in the publisher's order; a newspaper has a few."""
    return tuple(card_of(row) for row in _offers()[:100])


def agreements_of(reader_id: int, now: datetime) -> tuple[Agreement, ...]:
    """The rights to partner titles that a reader has now, each with what was sold behind it."""
    held = [row for row in live_grants(reader_id, now) if row.product == PRODUCT and row.starts_at <= now]
    if not held:
        return ()
    sold = ports.subscribed(reader_id, [row.source for row in held])
    found = []
    for row in held:
        behind = sold.get(row.source) or ports.Subscribed("", reader_id, row.starts_at)
        found.append(Agreement(row.source, behind.plan, behind.payer, behind.since, row.ends_at))
    return tuple(found)


def standings(reader_id: int | None, now: datetime) -> tuple[Standing, ...]:
    """Every offer with what the reader (None: a visitor) has of it and may do."""
    held = agreements_of(reader_id, now) if reader_id is not None else ()
    return tuple(_standing(row, reader_id, held, now) for row in _offers()[:100])


def standing(reader_id: int, partner: str, code: str, now: datetime) -> Standing | None:
    row = _offers().filter(partner__code=partner, code=code).first()
    return _standing(row, reader_id, agreements_of(reader_id, now), now) if row else None


def _standing(row: Offer, reader_id: int | None, held: Sequence[Agreement], now: datetime) -> Standing:
    verdict = verdict_for(row, reader_id, held, now)
    claim = claim_of(row, reader_id) if reader_id is not None else None
    again = claim is not None and not claim.running
    return Standing(card_of(row), claim, verdict, row.lasts_days, again)


def claim_of(row: Offer, reader_id: int) -> ClaimRow | None:
    """The reader's newest claim of an offer."""
    claim = Claim.objects.filter(offer=row, reader_id=reader_id).order_by("-id").first()
    return claim_row(claim, row) if claim else None


def claim_row(claim: Claim, row: Offer) -> ClaimRow:
    held = Code.objects.filter(claim=claim).first() if row.kind == Offer.Kind.CODES else None
    shown = ""
    if held is not None and claim.ended_at is None:
        try:
            shown = Vault(row.partner.key).open(held.sealed)
        except SealLostError:
            shown = ""
    by = held.expires_on if held is not None and held.expires_on != rules.NEVER else None
    return ClaimRow(
        claim.pk, row.pk, claim.subject, claim.claimed_at, claim.ends_at, claim.ended_at, claim.end_reason, shown, by,
        row.url, row.instructions,
    )  # fmt: skip


def past_of(row: Offer, holder: str) -> tuple[Past, Claim | None]:
    """What a holder had of an offer, and the newest claim."""
    last = Claim.objects.filter(offer=row, holder=holder).order_by("-number").first()
    return (Past(last.number, last.end_reason) if last else Past()), last


def verdict_for(row: Offer, reader_id: int | None, held: Sequence[Agreement], now: datetime) -> rules.Verdict:
    """Whether the reader may claim an offer now, stock aside."""
    terms = terms_of(row)
    verdict = rules.may_claim(terms, held, now, settings.BROADSHEET.zone)
    if verdict.reason or verdict.agreement is None or reader_id is None:
        return verdict
    past, last = past_of(row, rules.holder(terms, reader_id, verdict.agreement))
    if last is not None and last.ended_at is None:
        return rules.Verdict("") if last.reader_id == reader_id else rules.Verdict("household")
    if terms.per == "household" and terms.again == "same" and last is not None and last.reader_id != reader_id:
        return rules.Verdict("household")
    reason = rules.may_have_again(terms, past)
    return rules.Verdict(reason) if reason else verdict


def entitlements_for(partner: str, reader_id: int, now: datetime) -> tuple[Entitlement, ...]:
    """What a reader has of a partner (its code, or its client's id) at this instant: claimed, and the right behind it
    holds. Nothing for everybody else, for a partner that is off, and for one that does not exist."""
    rows = Claim.objects.filter(
        reader_id=reader_id, ended_at=None, offer__active=True, offer__partner__active=True
    ).filter(Q(offer__partner__code=partner) | Q(offer__partner__client_id=partner, offer__partner__client_id__gt=""))
    held: tuple[Agreement, ...] | None = None
    found = []
    for claim in rows.select_related("offer").order_by("id"):
        held = agreements_of(reader_id, now) if held is None else held
        terms = terms_of(claim.offer)
        seen = rules.review(terms, claim.ends_at, claim.losing_since, held, now)
        if not seen.end:
            found.append(Entitlement(claim.subject, claim.offer.code, _until(claim, seen)))
    return tuple(found)


def _until(claim: Claim, seen: rules.Review) -> datetime | None:
    times = [one for one in (claim.ends_at, seen.agreement.until if seen.agreement else seen.check_at) if one]
    return min(times, default=None)


def partner_of_client(client_id: str) -> str | None:
    """The partner a client of sign-in belongs to."""
    rows = Partner.objects.filter(client_id=client_id, active=True) if client_id else Partner.objects.none()
    return rows.values_list("code", flat=True).first()


def subject_for(partner: str, reader_id: int) -> str | None:
    """A partner's own name for a reader, the same at every sign-in; None when there is no such partner."""
    row = Partner.objects.filter(Q(code=partner) | Q(client_id=partner, client_id__gt="")).first()
    return Vault(row.key).subject(f"reader:{reader_id}") if row else None


@dataclass(frozen=True, slots=True)
class Stock:
    """An offer's pool. `left` counts no further than COUNTED."""

    offer_id: int
    partner: str
    name: str
    left: int
    low: bool


def stock_of(row: Offer, now: datetime) -> Stock:
    bound = max(COUNTED, row.low_stock + 1)
    left = free_codes(row.pk, today(now))[:bound].count()
    return Stock(row.pk, row.partner.name, row.name, left, left < row.low_stock)


def low_stocks(now: datetime) -> tuple[Stock, ...]:
    """Pools that run out, for the banner in the admin."""
    rows = _offers().filter(kind=Offer.Kind.CODES, alarmed_at__isnull=False)
    return tuple(stock for row in rows[:20] if (stock := stock_of(row, now)).low)


REPORT_COLUMNS = ("offer", "subject", "code", "claimed_on", "state", "ends_on", "ended_on", "reason")


def month_report(partner: str, start: datetime, end: datetime) -> Iterator[dict[str, str]]:
    """Every claim of a partner that ran at any time in `[start, end)`, oldest first, streamed."""
    zone = settings.BROADSHEET.zone
    vault = Vault(Partner.objects.get(code=partner).key)
    rows = Claim.objects.filter(Q(ended_at=None) | Q(ended_at__gt=start), offer__partner__code=partner)
    after = 0
    while batch := list(rows.filter(pk__gt=after, claimed_at__lt=end).select_related("offer").order_by("pk")[:1000]):
        codes = dict(Code.objects.filter(claim__in=batch).values_list("claim_id", "sealed"))
        for claim in batch:
            ended = claim.ended_at is not None and claim.ended_at < end
            yield {
                "offer": claim.offer.code,
                "subject": claim.subject,
                "code": vault.open(codes[claim.pk]) if claim.pk in codes else "",
                "claimed_on": str(local_date(claim.claimed_at, zone)),
                "state": "ended" if ended else "new" if claim.claimed_at >= start else "running",
                "ends_on": str(local_date(claim.ends_at, zone)) if claim.ends_at else "",
                "ended_on": str(local_date(claim.ended_at, zone)) if ended and claim.ended_at else "",
                "reason": claim.end_reason if ended else "",
            }
        after = batch[-1].pk


def revocations(partner: str, limit: int = 100_000) -> Iterator[dict[str, str]]:
    """What ended and was not reported to a partner yet, oldest first."""
    zone = settings.BROADSHEET.zone
    vault = Vault(Partner.objects.get(code=partner).key)
    rows = Claim.objects.filter(report=Claim.Report.DUE, offer__partner__code=partner).select_related("offer")
    for claim in rows.order_by("pk")[:limit].iterator(chunk_size=1000):
        sealed = Code.objects.filter(claim=claim).values_list("sealed", flat=True).first()
        yield {
            "claim": str(claim.pk),
            "offer": claim.offer.code,
            "subject": claim.subject,
            "code": vault.open(sealed) if sealed else "",
            "ended_on": str(local_date(claim.ended_at, zone)) if claim.ended_at else "",
            "reason": claim.end_reason,
        }


def partner_codes() -> tuple[str, ...]:
    return tuple(Partner.objects.order_by("position", "id").values_list("code", flat=True))


def name_of(partner: str) -> str | None:
    return Partner.objects.filter(code=partner).values_list("name", flat=True).first()


@dataclass(frozen=True, slots=True)
class WelcomeRow:
    """What a voucher or a partner's link opens here."""

    id: int
    partner: str
    partner_name: str
    name: str
    products: tuple[str, ...]
    lasts_days: int


def _welcome(row: Welcome) -> WelcomeRow:
    return WelcomeRow(row.pk, row.partner.code, row.partner.name, row.name, tuple(row.products), row.lasts_days)


def welcome_by_voucher(code: str, now: datetime) -> WelcomeRow | None:
    """What a code of ours opens: None for one that is unknown, void, expired or of a partner that is off."""
    row = Voucher.objects.select_related("welcome__partner").filter(digest=voucher_digest(code), void_at=None).first()
    if row is None or row.expires_on < today(now) or not (row.welcome.active and row.welcome.partner.active):
        return None
    return _welcome(row.welcome)


def welcome_by_id(welcome_id: int) -> WelcomeRow | None:
    rows = Welcome.objects.select_related("partner").filter(pk=welcome_id, active=True, partner__active=True)
    row = rows.first()
    return _welcome(row) if row else None


def welcomed(reader_id: int, now: datetime) -> tuple[tuple[str, datetime], ...]:
    """What a reader has here by a partner: its name and until when."""
    rows = Redemption.objects.filter(reader_id=reader_id, until__gt=now, revoked_at=None)
    return tuple((row.welcome.partner.name, row.until) for row in rows.select_related("welcome__partner"))


def day_words(day: date) -> str:
    """5 April 2027"""
    return f"{day.day} {day:%B %Y}"


def last_day(instant: datetime) -> date:
    """The last whole day before an exclusive end."""
    return local_date(instant - timedelta(microseconds=1), settings.BROADSHEET.zone)
