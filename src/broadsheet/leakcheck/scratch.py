"""Fills one twin with its stories and readers, by the newsroom's own actions. Runs in a process of its own."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from wagtail.images.models import Image
from wagtail.models import Collection

from broadsheet import clock
from broadsheet.access import actions as access
from broadsheet.access.products import CODES
from broadsheet.account import actions as account
from broadsheet.bus.actions import run_due_jobs
from broadsheet.desk.stories import to_html
from broadsheet.leakcheck import benefits, routes
from broadsheet.leakcheck.benefits import apps as app_tokens
from broadsheet.leakcheck.readers import BENEFITS
from broadsheet.leakcheck.stories import PLANS, SECTIONS, Plan, Text, section_of, text_of
from broadsheet.newsroom.actions import Copy, ensure_section, file_story, update_story, withdraw_story
from broadsheet.newsroom.queries import story_facts
from broadsheet.readers.actions import create_editor, ensure_reader, mark_verified
from broadsheet.readers.queries import reader_by_email

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" width="640" height="400">'
    '<path d="M0 300h640M80 120v180M560 120v180" stroke="#555" stroke-width="8"/></svg>'
)
YEAR = timedelta(days=365)
EVERYTHING = (("unlimited", YEAR), ("premium", YEAR))
# Readers by class: the products they hold and until how long from now.
HOLDINGS: Mapping[str, tuple[tuple[str, timedelta], ...]] = {
    "registered": (),
    "counted": (),
    "devices": (),
    "lapsed": tuple((product, -timedelta(days=1)) for product in CODES),
    "unlimited": (("unlimited", YEAR),),
    "subscriber": EVERYTHING,
    "holder": tuple((product, YEAR) for product in CODES),
    **{f"no-{product}": tuple((one, YEAR) for one in CODES if one != product) for product in BENEFITS},
    **dict.fromkeys(
        ("leaver", "leaver-strict", "leaver-tls", "left", "ending"), (("unlimited", YEAR), ("premium", YEAR))
    ),
}
EDITOR = "editor"


def run_act(args: argparse.Namespace) -> int:  # noqa: ARG001 - a command's signature
    """Does what it is told on stdin, a line of JSON at a time, beside the running paper; answers what came of it."""
    for line in sys.stdin:
        try:
            told = {"done": True, **(_act(json.loads(line), clock.now()) or {})}
        except (AttributeError, LookupError, TypeError):
            told = {}
        else:
            run_due_jobs(limit=1000)
        print(json.dumps(told), flush=True)  # noqa: T201
    return 0


def _act(order: Mapping[str, Any], now: datetime) -> Mapping[str, Any] | None:
    if "end" in order:
        access.end_grants(source=order["end"], ends_at=now)
    elif "withdraw" in order:
        withdraw_story(story_id=order["withdraw"], reason="The agency has recalled it.", now=now)
    elif "tier" in order:
        story, tier = order["tier"]
        article = apps.get_model("newsroom", "Article").objects.get(pk=story)
        article.tier = tier
        # As an editor does it: a new revision, published.
        article.save_revision().publish()
    elif "policy" in order:
        access.switch_policy(values=order["policy"], by=None, now=now)
    else:
        return _lend(order, now)
    return None


def _lend(order: Mapping[str, Any], now: datetime) -> Mapping[str, Any] | None:
    if "give" in order:
        giver = reader_by_email(f"{order['by']}@readers.example")
        assert giver is not None  # run_fill made it
        gift = account.give_story(reader_id=giver.id, story_id=order["give"], now=now)
        return {"gift": gift.id, "token": gift.token, "giver": giver.id, "devices": gift.devices}
    if "revoke" in order:
        access.revoke_gift(gift_id=order["revoke"], giver_id=order["giver"], now=now)
        return None
    institutions = apps.get_model("access", "Institution")
    if "institution" in order:
        fields = {"products": ["unlimited", "premium"], "starts_at": now - YEAR, "ends_at": now + YEAR}
        row = institutions(**fields, **order["institution"])
        access.keep_institution(institution=row, now=now)
        return {"institution": row.pk}
    access.drop_institution(institution=institutions.objects.get(pk=order["drop"]), now=now)
    return None


def run_fill(args: argparse.Namespace) -> int:
    """Prints {"stories": {key: {id, path}}, "sessions": {reader class: session key}, "cookie": its name,
    "routes": [every address of the program's table], "benefits": benefits.fill_all(), "apps": {whose: token}}."""
    # The full hour: the twins are filled by two processes, and their stories must bear the same times.
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    for position, (name, slug) in enumerate(SECTIONS):
        ensure_section(name=name, slug=slug, position=position)
    picture = _picture()
    stories = {}
    for place, plan in enumerate(PLANS):
        # Minutes apart, so that every list has one order.
        at = now - timedelta(minutes=10 * (place + 1))
        story_id = _file(plan, text_of(plan, args.fill), picture, at)
        facts = story_facts(story_id)
        stories[plan.key] = {"id": story_id, "path": facts.path if facts else ""}
    sessions = {name: _reader(name, now) for name in HOLDINGS} | {EDITOR: _editor(now)}
    run_due_jobs(limit=10_000)
    held = benefits.fill_all(args.fill, now)
    run_due_jobs(limit=10_000)
    addresses = list(routes.addresses({"int": str(stories["premium-long"]["id"]), "slug": SECTIONS[0][1]}))
    filled = {
        "stories": stories,
        "sessions": sessions,
        "cookie": settings.SESSION_COOKIE_NAME,
        "routes": addresses,
        "benefits": held,
        "apps": app_tokens.fill(now),
    }
    print(json.dumps(filled))  # noqa: T201
    return 0


def _copy(plan: Plan, text: Text, picture: int) -> Copy:
    return Copy(
        headline=text.headline,
        standfirst=text.standfirst,
        body_html=to_html(text.body),
        section=section_of(plan),
        tier=plan.tier,
        lead_in_blocks=plan.mark,
        language=plan.language,
        bylines=() if plan.credit else ("Asha Verne",),
        credit=plan.credit,
        auto_published=bool(plan.credit),
        picture_id=picture if plan.picture else None,
        picture_alt="A drawing of two quays" if plan.picture else "",
        picture_caption=text.caption,
    )


def _file(plan: Plan, text: Text, picture: int, at: datetime) -> int:
    copy = _copy(plan, text, picture)
    story_id = int(file_story(copy=copy, now=at, publish=plan.state not in ("draft", "scheduled"), at=at))
    if plan.state == "updated":
        update_story(story_id=story_id, copy=copy, now=at + timedelta(minutes=1))
    elif plan.state == "withdrawn":
        withdraw_story(story_id=story_id, reason="The agency has recalled it.", now=at)
    elif plan.state == "scheduled":
        # What the admin's own form does: there is no action for it, because editors do it there.
        article = apps.get_model("newsroom", "Article").objects.get(pk=story_id)
        article.go_live_at = at + YEAR
        article.save_revision(approved_go_live_at=article.go_live_at)
    return story_id


def _picture() -> int:
    """A drawing, entered as an upload would be."""
    folder = Path(settings.MEDIA_ROOT) / "original_images"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "two-quays.svg"
    path.write_text(DRAWING, "utf-8")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    image = Image(
        title="Two quays",
        file="original_images/two-quays.svg",
        width=640,
        height=400,
        file_size=len(DRAWING),
        file_hash=hashlib.sha1(DRAWING.encode(), usedforsecurity=False).hexdigest(),
        collection=Collection.get_first_root_node(),
    )
    return int(Image.objects.bulk_create([image])[0].pk)


def _reader(name: str, now: datetime) -> str:
    """A verified reader with a session, as signing in would have left them. Returns the session's key."""
    email = f"{name}@readers.example"
    ensure_reader(email=email, now=now)
    card = reader_by_email(email)
    assert card is not None  # made one line above
    mark_verified(reader_id=card.id, now=now)
    for product, until in HOLDINGS[name]:
        access.grant(
            reader_id=card.id, product=product, starts_at=now - YEAR, ends_at=now + until, source=f"leakcheck {name}"
        )
    return _session(card.id)


def _editor(now: datetime) -> str:
    email = f"{EDITOR}@readers.example"
    return _session(create_editor(email=email, password=secrets.token_urlsafe(24), name="An Editor", now=now))


def _session(reader_id: int) -> str:
    """The key of a session as signing in would have left it."""
    user = get_user_model().objects.get(pk=reader_id)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(reader_id)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)
