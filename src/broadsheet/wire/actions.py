"""The only writers of what the wire keeps: the file first, then what it held, one transaction each."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.localedata import exists as known_language
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from broadsheet.newsroom import actions as newsroom
from broadsheet.newsroom import queries as newsroom_queries
from broadsheet.wire import rules
from broadsheet.wire.items import Item, Quarantined, RawFile, as_json, item_from_json
from broadsheet.wire.models import RawMessage, WireItem, WireVersion
from broadsheet.wire.parse import LARGEST_FILE, Hints, parse_raw

DEFAULT_SECTIONS = ("world", "national", "news")
_KEPT_OF_TOO_LARGE = 4096
_LONGEST_URI = 480
_log = logging.getLogger(__name__)


class NotPublishableError(Exception):
    """This version may not be published, not even by hand; the argument is the reason."""


@dataclass(frozen=True, slots=True)
class Received:
    """A stored file; `fresh` is False when the same bytes of the same source had been stored and read before."""

    raw_id: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one item of a file, or of a file that could not be read (then `index` is None)."""

    file: str
    index: int | None
    uri: str | None
    version: int | None
    status: str
    reasons: tuple[str, ...] = ()
    story_id: int | None = None


@transaction.atomic
def receive(
    *, file_name: str, content: bytes, now: datetime, source: str = "", publish: bool = False, tier: str = ""
) -> Received:
    """Store a file before anybody reads it. The same bytes again are counted, not stored again."""
    digest = hashlib.sha256(content).hexdigest()
    raw, fresh = RawMessage.objects.get_or_create(
        source=source[:120],
        sha256=digest,
        defaults={
            "file_name": file_name[-255:],
            # Of what nobody will ever read only enough is kept to see what it was.
            "content": content if len(content) <= LARGEST_FILE else content[:_KEPT_OF_TOO_LARGE],
            "size": len(content),
            "received_at": now,
            "wants_publish": publish,
            "tier": tier,
        },
    )
    if not fresh:
        raw.deliveries += 1
        raw.save(update_fields=["deliveries"])
    return Received(raw.pk, fresh or raw.state == "new")


def process(*, raw_id: int, now: datetime) -> list[Filed]:
    """Read a stored file and file its items, each in a transaction of its own. Safe to repeat after a crash."""
    raw = RawMessage.objects.get(pk=raw_id)
    if raw.size > LARGEST_FILE:
        outcomes: Sequence[Item | Quarantined] = [Quarantined(raw.file_name, "too_large", f"{raw.size} bytes")]
    else:
        outcomes = parse_raw(RawFile(raw.file_name, bytes(raw.content)), Hints(source=raw.source or None))
    filed = [_file_outcome(raw, outcome, now) for outcome in outcomes]
    bad = next((outcome for outcome in outcomes if isinstance(outcome, Quarantined)), None)
    _close(raw_id=raw_id, bad=bad)
    return filed


@transaction.atomic
def _close(*, raw_id: int, bad: Quarantined | None) -> None:
    raw = RawMessage.objects.select_for_update().get(pk=raw_id)
    raw.state = "failed" if bad else "parsed"
    raw.reason = bad.reason if bad else ""
    raw.detail = bad.detail[:500] if bad else ""
    raw.save(update_fields=["state", "reason", "detail"])


def _file_outcome(raw: RawMessage, outcome: Item | Quarantined, now: datetime) -> Filed:
    if isinstance(outcome, Quarantined):
        return Filed(raw.file_name, outcome.index, None, None, "quarantined", (outcome.reason,))
    return file_item(item=outcome, raw=raw, now=now, publish=raw.wants_publish, tier=raw.tier)


@transaction.atomic
def file_item(*, item: Item, raw: RawMessage, now: datetime, publish: bool, tier: str = "") -> Filed:
    """Find the item's story, decide by rules.plan, act, and keep the version with what was decided."""
    digest = rules.content_digest(item)
    row, _ = WireItem.objects.get_or_create(
        source=rules.identity_source(item, named=raw.source or None)[:120], uri=_short(item.uri)
    )
    row = WireItem.objects.select_for_update().get(pk=row.pk)
    current = rules.Stamp(row.version, row.version_created, row.digest) if row.digest else None
    standing = rules.standing(rules.Stamp(item.version, item.version_created, digest), current)
    if row.versions.filter(version=item.version or 0, digest=digest).exists():
        standing = "duplicate"
    decided = rules.plan(_situation(item, row, standing, now, publish=publish))
    if decided.status == "duplicate":
        return Filed(raw.file_name, item.index, item.uri, item.version, "duplicate", (), row.story_id)
    decided = _act(decided, item, row, now, tier)
    _advance(item, row, digest, decided)
    _keep(item, raw, row, digest=digest, decided=decided, now=now)
    return Filed(raw.file_name, item.index, item.uri, item.version, decided.status, decided.reasons, row.story_id)


def _short(uri: str) -> str:
    """Identifiers longer than an index takes keep their head and a fingerprint of the whole."""
    if len(uri) <= _LONGEST_URI:
        return uri
    return f"{uri[:400]}#{hashlib.sha256(uri.encode()).hexdigest()}"


def _situation(item: Item, row: WireItem, standing: rules.Standing, now: datetime, *, publish: bool) -> rules.Situation:
    facts = newsroom_queries.story_facts(row.story_id) if row.story_id else None
    return rules.Situation(
        standing=standing,
        reasons=_held_for(item, now),
        canceled=item.pub_status == "canceled",
        kill="kill" in item.signals,
        withheld=item.pub_status == "withheld",
        publish=publish,
        has_story=facts is not None,
        live=facts is not None and facts.state == "published",
        touched=facts is not None and newsroom_queries.touched_by_hand(facts.id),
        was_withdrawn=row.withdrawn,
    )


def _held_for(item: Item, now: datetime) -> tuple[str, ...]:
    return rules.hold_reasons(item, now=now, languages=settings.BROADSHEET.languages)


def _act(decided: rules.Plan, item: Item, row: WireItem, now: datetime, tier: str) -> rules.Plan:
    try:
        # A savepoint: what the newsroom refuses must leave nothing behind, and the version must still be kept.
        with transaction.atomic():
            _do(decided.act, item, row, now, tier)
    except ValidationError as problem:
        _log.warning("The newsroom refused %s: %s", item.uri, problem)
        return rules.Plan("held", "nothing", (*decided.reasons, "refused_by_newsroom"))
    if decided.status == "withdrawn":
        row.withdrawn = True
    return decided


def _do(act: rules.Act, item: Item, row: WireItem, now: datetime, tier: str) -> None:
    if act in {"draft", "publish"}:
        row.story_id = newsroom.file_story(
            copy=copy_of(item, tier=tier, auto=act == "publish"), now=now, publish=act == "publish"
        )
    elif act == "withdraw":
        newsroom.withdraw_story(story_id=row.story_id, reason=_notice(item), now=now)
    elif act in {"update", "update_and_publish"}:
        newsroom.update_story(story_id=row.story_id, copy=copy_of(item, tier=tier, auto=True), now=now)
        if act == "update_and_publish":
            newsroom.publish_story(story_id=row.story_id, now=now)


def _notice(item: Item) -> str:
    agency = item.credit or item.source or "the agency"
    return f"This report was withdrawn by {agency}."


def copy_of(item: Item, *, tier: str = "", auto: bool) -> newsroom.Copy:
    """The story as the newsroom files it; credit, outlets and provenance travel as fields."""
    place = item.dateline
    return newsroom.Copy(
        headline=item.headline[:200],
        body_html=item.body_html,
        section=_section(item),
        tier=tier or "metered",
        priority=item.urgency or 5,
        language=_language(item),
        bylines=[name[:120] for name in (item.authors if item.byline else ())],
        dateline=(", ".join(filter(None, (place.city, place.country))) or place.text)[:120] if place else "",
        credit=(item.credit or "")[:60],
        via=list(item.via),
        auto_published=auto,
        correction=item.correction_note or "",
    )


def _language(item: Item) -> str:
    """A language the press can print dates in; without one the paper's own."""
    language = rules.primary_language(item.language)
    return language if language and known_language(language) else str(settings.BROADSHEET.languages[0])


def _section(item: Item) -> str:
    slugs = [section.slug for section in newsroom_queries.sections()]
    if not slugs:
        newsroom.ensure_section(name="News", slug="news")
        return "news"
    guess = rules.guess_section(item, slugs)
    return guess or next((slug for slug in DEFAULT_SECTIONS if slug in slugs), slugs[0])


def _advance(item: Item, row: WireItem, digest: str, decided: rules.Plan) -> None:
    if decided.status != "superseded":
        row.version, row.version_created, row.digest = item.version, item.version_created, digest
    row.save()


def _keep(item: Item, raw: RawMessage, row: WireItem, *, digest: str, decided: rules.Plan, now: datetime) -> None:
    if decided.status != "superseded":
        # What waited for a person is no longer the news; only the newest version asks for a decision.
        row.versions.filter(status="held").update(status="superseded")
    WireVersion.objects.create(
        item=row,
        raw=raw,
        index=item.index,
        version=item.version or 0,
        digest=digest,
        received_at=now,
        headline=item.headline[:300],
        status=decided.status,
        reasons=list(decided.reasons),
        embargoed_until=item.embargoed if isinstance(item.embargoed, datetime) else None,
        payload=as_json(item),
    )


def earlier(*, raw_id: int) -> list[Filed]:
    """What an unread repetition of a file is: a duplicate of each of its items, whatever they were the first time."""
    raw = RawMessage.objects.get(pk=raw_id)
    versions = list(raw.versions.select_related("item").order_by("index"))
    if not versions:
        return [Filed(raw.file_name, None, None, None, "duplicate")]
    return [
        Filed(raw.file_name, v.index, v.item.uri, v.payload["version"], "duplicate", (), v.item.story_id)
        for v in versions
    ]


@transaction.atomic
def publish_held(*, version_id: int, now: datetime) -> int:
    """Publish a held version by a person's decision. Returns the story's id.

    Raises NotPublishableError with the reason when no person may: canceled, withheld, embargoed, no text, placeholder.
    """
    version = WireVersion.objects.select_for_update().select_related("item", "raw").get(pk=version_id)
    item, row = item_from_json(version.payload), version.item
    if reason := rules.refusal(item, now=now):
        raise NotPublishableError(reason)
    if version.status != "held":
        raise NotPublishableError(version.status)
    if not _is_newest(version, row):
        raise NotPublishableError("superseded")
    _publish(version, item, row, now, auto=False)
    return int(row.story_id)


def _is_newest(version: WireVersion, row: WireItem) -> bool:
    return (row.version or 0, row.digest) == (version.version, version.digest)


def _publish(version: WireVersion, item: Item, row: WireItem, now: datetime, *, auto: bool) -> None:
    copy = copy_of(item, tier=version.raw.tier, auto=auto)
    if row.story_id:
        newsroom.update_story(story_id=row.story_id, copy=copy, now=now)
        newsroom.publish_story(story_id=row.story_id, now=now)
    else:
        row.story_id = newsroom.file_story(copy=copy, now=now, publish=True)
    row.withdrawn = False
    row.save(update_fields=["story", "withdrawn"])
    version.status, version.reasons = "published", []
    version.save(update_fields=["status", "reasons"])


@transaction.atomic
def release_embargo(*, version_id: int, now: datetime) -> bool:
    """Publish a version whose embargo has passed if publication was asked for and nothing else holds it."""
    version = WireVersion.objects.select_for_update().select_related("item", "raw").get(pk=version_id)
    item, row = item_from_json(version.payload), version.item
    touched = bool(row.story_id) and newsroom_queries.touched_by_hand(row.story_id)
    if version.status != "held" or not _is_newest(version, row) or rules.is_embargoed(item, now=now):
        return False
    reasons = _held_for(item, now)
    if reasons or touched or row.withdrawn or not version.raw.wants_publish:
        version.reasons = [
            *reasons,
            *(["edited_by_hand"] if touched else []),
            *([] if reasons else ["awaiting_editor"]),
        ]
        version.embargoed_until = None
        version.save(update_fields=["reasons", "embargoed_until"])
        return False
    _publish(version, item, row, now, auto=True)
    return True


@transaction.atomic
def note_published(*, story_id: int) -> None:
    """The desk published a draft that waited: the version it was made from waits no longer.

    A held update of a story that is already in print stays: publishing the story anew says nothing about it.
    """
    for row in WireItem.objects.select_for_update().filter(story_id=story_id):
        if not row.versions.filter(status__in=["published", "updated"]).exists():
            row.versions.filter(status="held").update(status="published", reasons=[])


@transaction.atomic
def reject_version(*, version_id: int) -> None:
    """The desk will not use a held version; it stays listed."""
    WireVersion.objects.filter(pk=version_id, status="held").update(status="rejected")


@transaction.atomic
def reject_raw(*, raw_id: int) -> None:
    """The desk has seen a quarantined file and will not use it; it stays listed with its reason."""
    RawMessage.objects.filter(pk=raw_id, state="failed").update(state="rejected")


def retry_raw(*, raw_id: int, now: datetime) -> list[Filed]:
    """Read a quarantined file again, after a reader was mended or a format added."""
    return process(raw_id=raw_id, now=now)
