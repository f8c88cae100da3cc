"""The monthly statement of a partner against ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from broadsheet.partners import rules
from broadsheet.partners.models import Claim, Code, Partner
from broadsheet.partners.rules import Said
from broadsheet.partners.vault import Vault

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing the two books disagree about; `line` is 0 for what stands in ours alone."""

    line: int
    subject: str
    code: str
    reason: str

    @property
    def words(self) -> str:
        return rules.DIFFERENCES[self.reason]


def reconcile(*, partner: str, lines: Iterable[str]) -> Iterator[Difference]:
    """Every difference between a partner's file and our claims as they stand now, in the file's order; then what the
    file lacks. ValueError when its first line cannot be understood. Changes nothing."""
    row = Partner.objects.get(code=partner)
    own = Vault(row.key)
    seen: set[int] = set()
    chunk: list[Said] = []
    for said in rules.statement(lines):
        chunk.append(said)
        if len(chunk) == CHUNK:
            yield from _compared(row, own, chunk, seen)
            chunk = []
    yield from _compared(row, own, chunk, seen)
    yield from _missing(row, own, seen)


def _compared(row: Partner, own: Vault, chunk: list[Said], seen: set[int]) -> Iterator[Difference]:
    digests = {own.digest(said.code): said.code for said in chunk if said.code}
    codes = {code.digest: code for code in Code.objects.filter(partner=row, digest__in=digests).select_related("claim")}
    subjects = {said.subject for said in chunk if said.subject}
    claims = {one.subject: one for one in Claim.objects.filter(subject__in=subjects).select_related("offer")}
    for said in chunk:
        reason = said.problem or _reason(
            row, said, claims, codes.get(own.digest(said.code)) if said.code else None, seen
        )
        if reason:
            yield Difference(said.line, said.subject, said.code, reason)


def _reason(row: Partner, said: Said, claims: dict[str, Claim], code: Code | None, seen: set[int]) -> str:
    claim = claims.get(said.subject) if said.subject else (code.claim if code else None)
    if claim is None:
        return ("never_given" if said.active else "") if code else "unknown"
    if said.subject and claim.offer.partner_id != row.pk:
        return "other_partner"
    if claim.pk in seen:
        return "twice"
    seen.add(claim.pk)
    return rules.compare(given=True, running=claim.ended_at is None, said=said.active)


def _missing(row: Partner, own: Vault, seen: set[int]) -> Iterator[Difference]:
    running = Claim.objects.filter(offer__partner=row, ended_at=None).order_by("pk")
    for claim in running.iterator(chunk_size=1000):
        if claim.pk not in seen:
            sealed = Code.objects.filter(claim=claim).values_list("sealed", flat=True).first()
            yield Difference(0, claim.subject, own.open(sealed) if sealed else "", "missing_there")
