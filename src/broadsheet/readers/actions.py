"""The only writers of accounts. Sign-in itself is allauth's, behind readers.views."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from broadsheet.bus.actions import announce, emit
from broadsheet.dates import local_date
from broadsheet.readers.events import DeviceEnded
from broadsheet.readers.models import Device, Reader, SavedStory
from broadsheet.readers.queries import live_keys, session_digest
from broadsheet.readers.rules import browser_words

CONFIRM_WITHIN = timedelta(days=7)
DEVICES_KEPT = timedelta(days=200)


@transaction.atomic(savepoint=False)
def bump_epoch(*, reader_id: int) -> None:
    """Make every passport of this reader stale, on every worker, from this transaction's commit on."""
    Reader.objects.filter(pk=reader_id).update(epoch=F("epoch") + 1)
    epoch = Reader.objects.values_list("epoch", flat=True).get(pk=reader_id)
    announce("reader", reader_id, epoch)


def lock_reader(*, reader_id: int) -> None:
    """Hold the reader's row until the caller's transaction ends: what is counted per reader is counted one by one."""
    Reader.objects.select_for_update().values_list("pk").get(pk=reader_id)


@transaction.atomic
def create_editor(*, email: str, password: str, name: str, now: datetime) -> int:
    """An editor in chief: may do everything in the newsroom. Returns the reader's id; an existing reader is raised."""
    reader, _ = Reader.objects.get_or_create(email=email.strip().lower(), defaults={"created_at": now})
    reader.name = name
    reader.is_staff = reader.is_superuser = reader.is_active = True
    reader.verified_at = reader.verified_at or now
    reader.set_password(password)
    reader.save()
    bump_epoch(reader_id=reader.pk)
    return reader.pk


@transaction.atomic
def ensure_reader(*, email: str, now: datetime) -> None:
    """A row for this address, unverified until its owner types the code we send there.

    One statement whether the reader is new or known: the time an answer takes must not tell which.
    """
    reader = Reader(email=email.strip().lower(), created_at=now)
    reader.set_unusable_password()
    Reader.objects.bulk_create([reader], ignore_conflicts=True)


@transaction.atomic
def mark_verified(*, reader_id: int, now: datetime) -> None:
    """The reader has shown that the address is theirs. The first time counts."""
    Reader.objects.filter(pk=reader_id, verified_at=None).update(verified_at=now)


def forget_unverified(*, now: datetime) -> int:
    """Drop addresses somebody typed and nobody confirmed within a week. Returns how many."""
    stale = Reader.objects.filter(verified_at=None, last_login=None, created_at__lt=now - CONFIRM_WITHIN)
    return stale.filter(is_staff=False).delete()[0]


@transaction.atomic
def merge_accounts(*, stays_id: int, leaves_id: int, email: str, freed: str, now: datetime) -> None:
    """Two accounts of one person: one stays and is known by `email`, the other is closed under `freed`.

    Both are signed out everywhere. The closed one keeps its row: what was billed to it says so for ever.
    """
    Reader.objects.filter(pk=leaves_id).update(email=f"merged-{leaves_id}@account.invalid", is_active=False)
    Reader.objects.filter(pk=stays_id).update(email=email)
    Reader.objects.filter(pk=leaves_id).update(email=freed)
    stays, leaves = (Reader.objects.get(pk=pk) for pk in (stays_id, leaves_id))
    if not stays.name and leaves.name:
        Reader.objects.filter(pk=stays_id).update(name=leaves.name)
    if leaves.verified_at is not None:
        mark_verified(reader_id=stays_id, now=now)
    if apps.is_installed("allauth.account"):
        # What signing in remembers of addresses; it is written anew at the next one.
        apps.get_model("account", "EmailAddress").objects.filter(user_id__in=(stays_id, leaves_id)).delete()
    for pk in (stays_id, leaves_id):
        bump_epoch(reader_id=pk)


@transaction.atomic
def ensure_readers(*, names: Mapping[str, str], now: datetime) -> dict[str, int]:
    """Accounts for addresses (lower case) whose owners the publisher knows, with their names; the ids by address.

    An account that was there keeps its name, and so does a closed one, which is left out.
    """
    known = set(Reader.objects.filter(email__in=names).values_list("email", flat=True))
    made = []
    for email, name in names.items():
        if email not in known:
            reader = Reader(email=email, name=name[:120], created_at=now, verified_at=now)
            reader.set_unusable_password()
            made.append(reader)
    Reader.objects.bulk_create(made, ignore_conflicts=True)
    return dict(Reader.objects.filter(email__in=names, is_active=True).values_list("email", "pk"))


def note_browser(*, reader_id: int, session_key: str, user_agent: str, now: datetime) -> None:
    """A browser came with its session: it stands among the reader's devices, seen today. One look-up most times."""
    if not seen_device(key=session_key, now=now):
        name = browser_words(user_agent)
        _add_device(reader_id=reader_id, kind=Device.Kind.BROWSER, key=session_key, client="", name=name, now=now)


def note_app(*, reader_id: int, key: str, client: str, name: str, now: datetime) -> None:
    """An app was handed tokens under `key`."""
    _add_device(reader_id=reader_id, kind=Device.Kind.APP, key=key, client=client, name=name, now=now)


def seen_device(*, key: str, now: datetime) -> bool:
    """The device came by today; written once a day. False when there is none."""
    today = local_date(now, settings.BROADSHEET.zone)
    last = Device.objects.filter(key=key).values_list("last_day", flat=True).first()
    if last is not None and last < today:
        Device.objects.filter(key=key).update(last_day=today)
    return last is not None


@transaction.atomic
def _add_device(*, reader_id: int, kind: str, key: str, client: str, name: str, now: datetime) -> None:
    """The newest wins: where the publisher limits devices, the one not seen for longest is ended."""
    # The reader's row is the lock: of two devices that come at once both are counted.
    lock_reader(reader_id=reader_id)
    today = local_date(now, settings.BROADSHEET.zone)
    try:
        with transaction.atomic():
            new = Device.objects.create(
                reader_id=reader_id, kind=kind, key=key, client=client, name=name, first_day=today, last_day=today
            )
    except IntegrityError:  # two requests of one browser
        return
    others = Device.objects.filter(reader_id=reader_id).exclude(pk=new.pk).order_by("-last_day", "-id")
    live = live_keys(reader_id, others)
    most = int(settings.BROADSHEET.device_limit)
    kept = 0
    for row in others:
        if row.key not in live:
            row.delete()
        elif most and kept >= most - 1:
            _end(row)
            emit(DeviceEnded(reader_id, row.name, new.name))
        else:
            kept += 1


def _end(row: Device) -> None:
    """Take away what lets this device in: at once, in every gate too."""
    if row.kind == Device.Kind.BROWSER:
        import_module(settings.SESSION_ENGINE).SessionStore(row.key).delete()
        announce("session", session_digest(row.key))
    else:
        tokens = apps.get_model("allauth_idp_oidc", "Token").objects
        tokens.filter(user_id=row.reader_id, client_id=row.client, data__device=row.key).delete()
    row.delete()


@transaction.atomic
def end_device(*, reader_id: int, device_id: int) -> bool:
    """Sign one device out. False when it is not this reader's."""
    row = Device.objects.filter(pk=device_id, reader_id=reader_id).first()
    if row is None:
        return False
    _end(row)
    return True


@transaction.atomic
def end_devices(*, reader_id: int, keep: str = "") -> int:
    """Sign the reader out everywhere but in the session `keep`. Returns how many devices that were."""
    rows = list(Device.objects.filter(reader_id=reader_id).exclude(key=keep or "-"))
    for row in rows:
        _end(row)
    apps.get_model("allauth_idp_oidc", "Token").objects.filter(user_id=reader_id).delete()
    return len(rows)


@transaction.atomic
def end_device_of(*, key: str) -> None:
    """Sign the device of this key out, if there is one."""
    for row in Device.objects.filter(key=key):
        _end(row)


def forget_devices(*, now: datetime) -> None:
    """Drop devices not seen for so long that neither a session nor a refresh token of theirs can be good."""
    Device.objects.filter(last_day__lt=local_date(now - DEVICES_KEPT, settings.BROADSHEET.zone)).delete()


MOST_SAVED = 2000


@transaction.atomic
def save_story(*, reader_id: int, story_id: int, now: datetime) -> bool:
    """Put a story aside; a second time changes nothing. False when the list is full (MOST_SAVED)."""
    rows = SavedStory.objects.filter(reader_id=reader_id)
    lock_reader(reader_id=reader_id)
    if rows.filter(story_id=story_id).exists():
        return True
    if rows.order_by("-id")[MOST_SAVED - 1 : MOST_SAVED].exists():
        return False
    SavedStory.objects.create(reader_id=reader_id, story_id=story_id, saved_at=now)
    return True


@transaction.atomic
def unsave_story(*, reader_id: int, story_id: int) -> None:
    SavedStory.objects.filter(reader_id=reader_id, story_id=story_id).delete()
