"""The other direction: a partner's subscribers read here, by vouchers we made or links the partner signed."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from broadsheet.access.actions import end_grants, grant
from broadsheet.access.products import CODES
from broadsheet.dates import day_start
from broadsheet.ids import derive_key, keyed_digest
from broadsheet.partners import rules, tokens
from broadsheet.partners.models import Partner, Redemption, UsedToken, Voucher, Welcome
from broadsheet.partners.queries import today, welcome_by_id, welcome_by_voucher
from broadsheet.partners.stocking import secret_of
from broadsheet.partners.vault import voucher_digest
from broadsheet.readers.actions import lock_reader
from broadsheet.seals import Seal

PASS_LIVES = timedelta(hours=1)
MOST_VOUCHERS = 100_000


class WelcomeRefusedError(Exception):
    """Nothing was opened: `reason` is unknown, used, revoked, or one of tokens.TokenRefusedError's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def keep_welcome(*, welcome: Welcome) -> Welcome:
    unknown = set(welcome.products) - set(CODES)
    if unknown or not welcome.products:
        raise ValueError(f"no such product: {', '.join(sorted(unknown)) or 'none chosen'}")
    welcome.full_clean()
    welcome.save()
    return welcome


def make_vouchers(*, partner: str, welcome: str, count: int, expires_on: date | None, now: datetime) -> Iterator[str]:
    """Codes for a partner to give to its subscribers; each is seen here once and kept as a digest alone."""
    row = Welcome.objects.get(partner__code=partner, code=welcome)
    for start in range(0, min(count, MOST_VOUCHERS), 1000):
        made = [_code() for _ in range(min(1000, count - start))]
        Voucher.objects.bulk_create(
            Voucher(welcome=row, digest=voucher_digest(code), made_at=now, expires_on=expires_on or rules.NEVER)
            for code in made
        )
        yield from made


def _code() -> str:
    """Twenty letters and figures that nobody mistakes for one another: 100 bits."""
    text = base64.b32encode(secrets.token_bytes(13)).decode()[:20].replace("I", "8").replace("O", "9")
    return "-".join(text[at : at + 5] for at in range(0, 20, 5))


def clean_code(text: str) -> str:
    """A voucher as it was made, however it was typed."""
    plain = "".join(char for char in text.upper() if char.isascii() and char.isalnum())[:20]
    return "-".join(plain[at : at + 5] for at in range(0, len(plain), 5))


@transaction.atomic
def redeem_voucher(*, reader_id: int, code: str, now: datetime) -> Redemption:
    """Open what a voucher is for. The same reader with the same voucher finds what is open. WelcomeRefusedError."""
    found = welcome_by_voucher(clean_code(code), now)
    if found is None:
        raise WelcomeRefusedError("unknown")
    return _redeem(found.id, reader_id, voucher_digest(clean_code(code)), now)


@transaction.atomic
def _redeem(welcome_id: int, reader_id: int, subject: str, now: datetime) -> Redemption:
    row = Welcome.objects.select_related("partner").get(pk=welcome_id)
    lock_reader(reader_id=reader_id)
    until = day_start(today(now) + timedelta(days=row.lasts_days), settings.BROADSHEET.zone)
    try:
        with transaction.atomic():
            made = Redemption.objects.create(welcome=row, reader_id=reader_id, subject=subject, at=now, until=until)
    except IntegrityError:
        made = Redemption.objects.select_for_update(of=("self",)).get(welcome=row, subject=subject)
        if made.reader_id != reader_id:
            raise WelcomeRefusedError("used") from None
        if made.revoked_at is not None:
            raise WelcomeRefusedError("revoked") from None
        if not row.by_link or len(subject) == len(voucher_digest("")):
            return made
        # A partner's own link says that its subscriber is one still: it runs on from here.
        made.until = max(made.until, until)
        made.save(update_fields=["until"])
    for product in row.products:
        grant(reader_id=reader_id, product=product, starts_at=made.at, ends_at=made.until, source=_source(row, made))
    return made


def _source(welcome: Welcome, made: Redemption) -> str:
    return f"partner:{welcome.partner.code}:{made.pk}"


# --- a partner's signed links -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Pass:
    """What a partner's link said, until its reader has signed in."""

    welcome: int
    subject: str


def _seal() -> Seal:
    return Seal([derive_key(one, "partner-pass") for one in settings.BROADSHEET_SECRETS], "partners|pass")


def open_link(*, partner: str, token: str, now: datetime) -> str:
    """A sealed pass for a partner's signed link, good for an hour. The link itself opens once. WelcomeRefusedError."""
    row = Partner.objects.filter(code=partner, active=True).first()
    secret = secret_of(row) if row else b""
    if row is None or not secret:
        raise WelcomeRefusedError("unknown")
    try:
        said = tokens.verify(
            token, secret=secret, issuer=row.code, audience=str(settings.BROADSHEET.public_url), now=now
        )
    except tokens.TokenRefusedError as refused:
        raise WelcomeRefusedError(refused.reason) from None
    welcome = _welcome_named(row, said)
    _use_once(row, said, now)
    body = {"w": welcome.pk, "s": f"link:{said['sub']}"[:120], "u": int((now + PASS_LIVES).timestamp())}
    return _seal().seal(json.dumps(body).encode())


def _welcome_named(row: Partner, said: dict[str, Any]) -> Welcome:
    rows = Welcome.objects.filter(partner=row, active=True, by_link=True)
    named = said.get("offer")
    found = rows.filter(code=named).first() if isinstance(named, str) else rows.order_by("id").first()
    if found is None:
        raise WelcomeRefusedError("unknown")
    return found


def _use_once(row: Partner, said: dict[str, Any], now: datetime) -> None:
    digest = keyed_digest(b"", "partner-jti", said["jti"].encode()).hex()
    until = now + timedelta(seconds=tokens.MOST_LIFE + tokens.SKEW)
    try:
        with transaction.atomic():
            UsedToken.objects.create(partner=row, token=digest, until=until)
    except IntegrityError:
        raise WelcomeRefusedError("used") from None


def read_pass(sealed: str, now: datetime) -> Pass | None:
    """What is in a pass; None for one that is not ours or too old."""
    raw = _seal().open(sealed[:2000])
    if raw is None:
        return None
    body = json.loads(raw)
    return Pass(body["w"], body["s"]) if int(now.timestamp()) < body["u"] else None


@transaction.atomic
def redeem_pass(*, reader_id: int, sealed: str, now: datetime) -> Redemption:
    """Open what a partner's link was for. WelcomeRefusedError."""
    held = read_pass(sealed, now)
    if held is None:
        raise WelcomeRefusedError("expired")
    if welcome_by_id(held.welcome) is None:
        raise WelcomeRefusedError("unknown")
    return _redeem(held.welcome, reader_id, held.subject, now)


# --- revoking by file -------------------------------------------------------------------------------------------------
def revoke_lines(*, partner: str, lines: Iterable[str], now: datetime) -> Iterator[tuple[int, str, str]]:
    """End what the lines of a partner's file name: vouchers or their own subjects, one a line. Yields (line, text,
    outcome): revoked, voided (a voucher nobody used yet), already, unknown."""
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff").strip().strip('"')
        if text and not (number == 1 and text.lower() in ("code", "subject")):
            yield number, text, _revoke(partner, text, now)


@transaction.atomic
def _revoke(partner: str, text: str, now: datetime) -> str:
    digest = voucher_digest(clean_code(text))
    subjects = (f"link:{text}"[:120], digest)
    rows = Redemption.objects.select_for_update(of=("self",)).select_related("welcome__partner")
    row = rows.filter(welcome__partner__code=partner, subject__in=subjects).first()
    voided = Voucher.objects.filter(welcome__partner__code=partner, digest=digest, void_at=None).update(void_at=now)
    if row is None:
        known = Voucher.objects.filter(welcome__partner__code=partner, digest=digest).exists()
        return "voided" if voided else "already" if known else "unknown"
    if row.revoked_at is not None:
        return "already"
    Redemption.objects.filter(pk=row.pk).update(revoked_at=now)
    end_grants(source=_source(row.welcome, row), ends_at=now)
    return "revoked"
