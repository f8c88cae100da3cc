"""Sheets and facts at hand, in bounded memory, and the rule for when one may no longer be served.

A sheet is stale when its story has a newer version, when the paper around it has another edition, or when it shows a
story that has left the site. Stale is treated as not there: it is printed again from the newsroom's database.

Every change raises the shelf's generation. What is held from before is looked over once, at its next request.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Generic, TypeVar

from broadsheet.access.meter import pack, section_code
from broadsheet.access.rules import COVERS, State, Story, Tier
from broadsheet.gate.answers import Head
from broadsheet.press.store import FULL, Facts, Sheet, Stores

Key = TypeVar("Key")
Value = TypeVar("Value")
MEGABYTE = 1 << 20
_ENTRY = 2500  # bytes of an entry besides its sheets: facts, keys and the heads rendered for it
_REMEMBERED = 200_000  # stories whose last change is remembered; older ones have been printed anew long ago


class Recent(Generic[Key, Value]):
    """The most recently used values, at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

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


_NO_STORY = Story(0, Tier.FREE, State.UNPUBLISHED)


class Held:
    """One address as this worker holds it: a story's facts with the sheets asked for so far, or a page's one sheet.

    `dressed` keeps the heads rendered for it: (sheet, encoding, cache, reason) -> (head, bytes). `opens`: the products
    that open the story without the meter.
    """

    __slots__ = ("dressed", "facts", "generation", "opens", "path", "read", "rows", "rows_of", "sheets", "story")

    def __init__(self, path: bytes, facts: Facts | None = None) -> None:
        self.path = path
        self.facts = facts
        self.sheets: dict[str, Sheet] = {}
        self.dressed: dict[tuple[str, str, str, str], tuple[Head, bytes]] = {}
        self.rows: dict[int, Any] = {}
        self.rows_of: object = None
        self.generation = -1
        self.story = _NO_STORY
        self.read = 0
        if facts is not None:
            self.story = Story(facts.id, Tier(facts.tier), State(facts.state), facts.emergency_free, facts.section)
            self.read = pack(facts.id, section_code(facts.section))
        self.opens = COVERS[self.story.tier]


class Shelf:
    """What one worker holds of the press's stores: at most `most_bytes` of pages, the least recently asked for go."""

    def __init__(self, stores: Stores, most_bytes: int = 128 * MEGABYTE) -> None:
        self._stores = stores
        self._held: OrderedDict[bytes, Held] = OrderedDict()
        self._paths: dict[int, bytes] = {}
        self._bytes = 0
        self._most_bytes = most_bytes
        self._least_version: Recent[int, int] = Recent(_REMEMBERED)
        self._removed: Recent[int, bool] = Recent(_REMEMBERED)
        self._pages_since = 0
        self._edition = stores.public.note("edition")
        self.generation = 0

    # --- what changed -------------------------------------------------------------------------------------------
    def story_changed(self, story: int, version: int, notice: int, *, removed: bool) -> None:
        """From now on nothing of `story` older than `version` is served, nor any front printed before `notice`."""
        self._least_version.put(story, max(version, self._least_version.get(story) or 0))
        self._pages_since = max(self._pages_since, notice)
        if removed:
            self._removed.put(story, True)
        else:
            self._removed.drop(story)
        self.forget(story)
        self.generation += 1

    def pages_changed(self, notice: int) -> None:
        """No front, section front or feed printed before `notice` is served from now on."""
        self._pages_since = max(self._pages_since, notice)
        self.generation += 1

    def look_at_edition(self) -> None:
        """From now on only sheets of the edition noted beside them are served: whoever prints says so there first."""
        edition = self._stores.public.note("edition")
        if edition != self._edition:
            self._edition = edition
            self.generation += 1

    @property
    def edition(self) -> int:
        return self._edition

    def forget(self, story: int) -> None:
        """Drop what is held of a story that has just been printed anew."""
        path = self._paths.get(story)
        if path is not None:
            self._drop(path)

    def forget_page(self, path: bytes) -> None:
        self._drop(path)

    # --- what may be served -------------------------------------------------------------------------------------
    def at(self, path: bytes) -> Held | None:
        """What is held at this very address, if all of it is current: the hot path's one look-up."""
        held = self._held.get(path)
        if held is None:
            return None
        if held.generation != self.generation and not self._look_over(held):
            return None
        self._held.move_to_end(path)
        return held

    def story(self, story: int) -> Held | None:
        """A story by its id, from the store if need be; None means: have it printed, then ask again."""
        path = self._paths.get(story)
        held = self.at(path) if path is not None else None
        if held is None:
            facts = self._stores.public.facts(story)
            if facts is None or facts.version < (self._least_version.get(story) or 0):
                return None
            held = Held(facts.path.encode(), facts)
            self._keep(held)
            self._paths[story] = held.path
        return held

    def page(self, path: bytes) -> Held | None:
        """A front, section front or feed, if it was printed after the last change of any story."""
        held = self.at(path)
        if held is None:
            held = Held(path)
            if self.sheet(held, "page") is None:
                return None
            self._keep(held)
        return held

    def sheet(self, held: Held, name: str) -> Sheet | None:
        """A sheet of what is held: a story's `full` or the wall of that name, a front's `page`; with ADS before it the
        same with advertising."""
        sheet = held.sheets.get(name)
        if sheet is None:
            key = f"story/{held.facts.id}/{name}" if held.facts else f"{name}{held.path.decode('ascii')}"
            sheet = self._load(held, "full" if held.facts and name in FULL else "public", key, name)
        return sheet

    # --- how it is held -----------------------------------------------------------------------------------------
    def _load(self, held: Held, store: str, key: str, name: str) -> Sheet | None:
        sheet = (self._stores.full if store == "full" else self._stores.public).get(key)
        if sheet is None or not self._current(held, sheet):
            return None
        held.sheets[name] = sheet
        if held.path in self._held:
            self._bytes += sheet.size
            self._make_room()
        return sheet

    def _current(self, held: Held, sheet: Sheet) -> bool:
        if sheet.edition != self._edition or any(self._removed.get(story) for story in sheet.mentions):
            return False
        return sheet.version == held.facts.version if held.facts else sheet.version >= self._pages_since

    def _look_over(self, held: Held) -> bool:
        """Bring an entry of an older generation up to date; False when nothing of it may be served any more."""
        facts = held.facts
        if facts is not None and facts.version < (self._least_version.get(facts.id) or 0):
            self._drop(held.path)
            return False
        if not all(self._current(held, sheet) for sheet in held.sheets.values()):
            self._drop(held.path)
            return False
        held.generation = self.generation
        return True

    def _keep(self, held: Held) -> None:
        held.generation = self.generation
        self._drop(held.path)
        self._held[held.path] = held
        self._bytes += _size(held)
        self._make_room()

    def _make_room(self) -> None:
        while self._bytes > self._most_bytes and len(self._held) > 1:
            self._drop(next(iter(self._held)))

    def _drop(self, path: bytes) -> None:
        held = self._held.pop(path, None)
        if held is None:
            return
        self._bytes -= _size(held)
        if held.facts is not None and self._paths.get(held.facts.id) == path:
            del self._paths[held.facts.id]


def _size(held: Held) -> int:
    return _ENTRY + sum(sheet.size for sheet in held.sheets.values())
