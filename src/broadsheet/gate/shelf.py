"""Sheets and facts at hand, in bounded memory, and the rule for when one may no longer be served.

A sheet is stale when its story has a newer version, when the paper around it has another edition, or when it shows a
story that has left the site. Stale is treated as not there: it is printed again from the newsroom's database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from broadsheet.press.store import Facts, Sheet, Stores

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The most recently used values, at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def drop(self, key: Key) -> None:
        self._values.pop(key, None)

    def drop_where(self, test: Callable[[Key], bool]) -> None:
        for key in [key for key in self._values if test(key)]:
            del self._values[key]

    def clear(self) -> None:
        self._values.clear()


class Shelf:
    """What one worker holds of the press's stores: about 25 kB a story with both variants in two encodings."""

    def __init__(self, stores: Stores, edition: int, most_stories: int = 4000) -> None:
        self._stores = stores
        self._facts: Recent[int, Facts] = Recent(most_stories)
        self._sheets: Recent[tuple[str, str], Sheet] = Recent(most_stories * 2)
        self._least_version: dict[int, int] = {}
        self._removed: set[int] = set()
        self._pages_since = 0
        self._edition = edition

    # --- what changed -------------------------------------------------------------------------------------------
    def story_changed(self, story: int, version: int, notice: int, *, removed: bool) -> None:
        """From now on nothing of `story` older than `version` is served, nor any front printed before `notice`."""
        self._least_version[story] = max(version, self._least_version.get(story, 0))
        self._pages_since = max(self._pages_since, notice)
        self._facts.drop(story)
        prefix = f"story/{story}/"
        self._sheets.drop_where(lambda key: key[1].startswith((prefix, "page/")))
        if removed:
            self._removed.add(story)
        else:
            self._removed.discard(story)

    def pages_changed(self, notice: int) -> None:
        """No front, section front or feed printed before `notice` is served from now on."""
        self._pages_since = max(self._pages_since, notice)
        self._sheets.drop_where(lambda key: key[1].startswith("page/"))

    def edition_changed(self, edition: int) -> None:
        self._edition = edition
        self._sheets.clear()

    @property
    def edition(self) -> int:
        return self._edition

    # --- what may be served -------------------------------------------------------------------------------------
    def facts(self, story: int) -> Facts | None:
        """The story's facts if they are current; None means: have it printed, then ask again."""
        facts = self._facts.get(story) or self._stores.public.facts(story)
        if facts is None or facts.version < self._least_version.get(story, 0):
            return None
        self._facts.put(story, facts)
        return facts

    def wall(self, facts: Facts, name: str) -> Sheet | None:
        return self._story_sheet("public", facts, name)

    def full(self, facts: Facts) -> Sheet | None:
        return self._story_sheet("full", facts, "full")

    def page(self, path: str) -> Sheet | None:
        """A front, section front or feed, if it was printed after the last change of any story."""
        sheet = self._sheet("public", f"page{path}")
        return sheet if sheet and sheet.version >= self._pages_since else None

    def _story_sheet(self, store: str, facts: Facts, name: str) -> Sheet | None:
        sheet = self._sheet(store, f"story/{facts.id}/{name}")
        return sheet if sheet and sheet.version == facts.version else None

    def _sheet(self, store: str, key: str) -> Sheet | None:
        sheet = self._sheets.get((store, key))
        if sheet is None:
            source = self._stores.full if store == "full" else self._stores.public
            sheet = source.get(key)
            if sheet is None:
                return None
            self._sheets.put((store, key), sheet)
        if sheet.edition != self._edition or self._shows_removed(sheet.mentions):
            self._sheets.drop((store, key))
            return None
        return sheet

    def _shows_removed(self, mentions: Iterable[int]) -> bool:
        return bool(self._removed) and not self._removed.isdisjoint(mentions)

    def forget(self, story: int) -> None:
        """Drop what is held of a story that has just been printed anew."""
        self._facts.drop(story)
        prefix = f"story/{story}/"
        self._sheets.drop_where(lambda key: key[1].startswith(prefix))

    def forget_page(self, path: str) -> None:
        self._sheets.drop(("public", f"page{path}"))
