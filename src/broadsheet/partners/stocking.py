"""Staff's writers: partners, their secrets, their offers, and codes put into stock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from broadsheet.partners import rules, vault
from broadsheet.partners.models import Batch, Code, Offer, Partner
from broadsheet.partners.queries import today
from broadsheet.partners.rules import CodeLine, Reading
from broadsheet.partners.vault import Vault

CHUNK = 500


@transaction.atomic
def keep_partner(*, partner: Partner, secret: str | None = None) -> Partner:
    """Store a new or changed partner. `secret`: what both papers sign with, None to leave it as it is."""
    if not partner.key:
        partner.key = vault.new_key()
    if secret is not None:
        partner.secret = vault.seal_here(secret.encode()) if secret else ""
    partner.full_clean()
    partner.save()
    return partner


@transaction.atomic
def keep_offer(*, offer: Offer) -> Offer:
    offer.full_clean()
    offer.save()
    return offer


def secret_of(partner: Partner) -> bytes:
    """What both papers sign with; empty when none was given."""
    return vault.open_here(partner.secret) if partner.secret else b""


@transaction.atomic
def add_codes(*, offer_id: int, name: str, lines: Iterable[str], by: str, now: datetime) -> Batch:
    """Put a file of codes into stock, whole or not at all: the batch says what came of every line.

    A code that is in stock already, or was ever given out, is not added again, whichever offer of the partner's it was.
    """
    offer = Offer.objects.select_related("partner").get(pk=offer_id)
    own = Vault(offer.partner.key)
    batch = Batch.objects.create(offer=offer, name=name[:200], at=now, by=by[:254])
    reading = Reading()
    seen: set[str] = set()
    chunk: dict[str, CodeLine] = {}
    for line in rules.code_lines(lines, today(now)):
        if line.problem:
            reading.note(line.line, line.problem)
            continue
        digest = own.digest(line.code)
        if digest in seen:
            reading.note(line.line, "twice")
            continue
        seen.add(digest)
        chunk[digest] = line
        if len(chunk) == CHUNK:
            _put(offer, batch, own, chunk, reading)
            chunk = {}
    _put(offer, batch, own, chunk, reading)
    batch.counts, batch.problems = reading.counts, reading.problems
    batch.save(update_fields=["counts", "problems"])
    if reading.counts["added"]:
        Offer.objects.filter(pk=offer_id).update(alarmed_at=None)
    return batch


def _put(offer: Offer, batch: Batch, own: Vault, chunk: dict[str, CodeLine], reading: Reading) -> None:
    if not chunk:
        return
    known = set(Code.objects.filter(partner=offer.partner, digest__in=chunk).values_list("digest", flat=True))
    fresh = {digest: line for digest, line in chunk.items() if digest not in known}
    for digest, line in chunk.items():
        reading.note(line.line, "known" if digest in known else "added")
    # Of two uploads of one file at once the second fails whole by the constraint; sent again, it finds all of it known.
    Code.objects.bulk_create(
        Code(
            partner=offer.partner,
            offer=offer,
            batch=batch,
            digest=digest,
            sealed=own.seal(line.code),
            expires_on=line.expires_on,
        )
        for digest, line in fresh.items()
    )


@transaction.atomic
def reseal() -> int:
    """Seal partners' keys and secrets with the newest of the installation's secrets: the older ones may be dropped
    after that. How many rows had to be written."""
    done = 0
    for row in Partner.objects.select_for_update():
        stale = [name for name in ("key", "secret") if getattr(row, name) and not vault.is_newest(getattr(row, name))]
        for name in stale:
            setattr(row, name, vault.seal_here(vault.open_here(getattr(row, name))))
        if stale:
            row.save(update_fields=stale)
            done += 1
    return done
