"""Wagtail's two signals, received once and turned into our events. Nothing else in the program listens to signals."""

from __future__ import annotations

from typing import Any

from broadsheet import clock
from broadsheet.newsroom import actions


def on_published(instance: Any, **_: Any) -> None:
    actions.went_live(article=instance, now=clock.now(), by_hand=True)


def on_unpublished(instance: Any, **_: Any) -> None:
    actions.left_site(story_id=instance.pk)
