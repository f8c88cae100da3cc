"""What a test of newsletters needs, made by the actions themselves."""

from __future__ import annotations

import email
from datetime import timedelta
from email import policy
from pathlib import Path

from django.conf import settings
from tests import make

from broadsheet.access.actions import grant
from broadsheet.newsletters.actions import issues, signups
from broadsheet.newsletters.models import List
from broadsheet.newsletters.values import Chosen

NOW = make.NOW
HIDDEN = "paragraph"


def a_list(slug="brief", **fields):
    from datetime import time

    values = {"name": slug.title(), "send_at": time(6, 30), **fields}
    return List.objects.create(slug=slug, **values)


def subscribed(address, one, now=NOW - timedelta(days=3)):
    signups.choose(email=address, list_slugs=[one.slug], now=now)


def entitled(address, *products):
    who = make.reader(address)
    for product in products:
        grant(
            reader_id=who.pk, product=product, source=f"test:{product}:{who.pk}", starts_at=NOW - timedelta(days=9),
            ends_at=NOW + timedelta(days=9),
        )  # fmt: skip
    return who


def an_issue(one, stories, *, subject="What matters today", send_at=None, now=NOW, **fields):
    """A scheduled issue with every story in full."""
    number = issues.begin_issue(list_id=one.pk, by=None, now=now)
    issues.write_issue(
        issue_id=number, subject=subject, preheader=fields.pop("preheader", ""), intro=fields.pop("intro", ""),
        stories=[Chosen(story, whole=True) for story in stories],
    )  # fmt: skip
    if send_at is not False:
        issues.schedule(issue_id=number, at=send_at or now, now=now)
    return number


def mails(folder=None):
    """Every mail in the folder by its recipient."""
    found = {}
    for path in sorted(Path(folder or settings.EMAIL_FILE_PATH).glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        assert message["To"] not in found, "a second copy"
        found[message["To"]] = message
    return found


def text_of(message):
    return message.get_body(("plain",)).get_content()


def html_of(message):
    return message.get_body(("html",)).get_content()
