"""The index in the data folder: one folder a generation, and a file that names the current one.

Knows tantivy and files; knows no database. A generation is built aside and then named, so a reader finds the old one
or the new one and never half of either.
"""

from __future__ import annotations

import fcntl
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tantivy

from broadsheet.archive.rules import mark
from broadsheet.ids import token
from broadsheet.newsroom.values import PublicWords

FIELDS = {"headline": 3.0, "standfirst": 1.5, "about": 1.5, "lead_in": 1.0}
FORMAT = "1"  # raised with the schema or the analysis: an index of another format counts as missing
WRITER_BYTES = 15_000_000
ANALYZER = "paper"


class IndexUnavailableError(Exception):
    """There is no index, or it cannot be read: build it again."""


def _analyzer() -> tantivy.TextAnalyzer:
    # \\w with marks: Devanagari vowel signs belong to their word.
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(r"[\w\p{M}]+"))
        .filter(tantivy.Filter.remove_long(80))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", stored=True, indexed=True, fast=True)
    builder.add_unsigned_field("published", fast=True)
    for name in FIELDS:
        builder.add_text_field(name, stored=False, tokenizer_name=ANALYZER, index_option="position")
    return builder.build()


def analyze(text: str) -> list[str]:
    """The words of `text` as the index knows them."""
    return _analyzer().analyze(text)


def highlight(text: str, terms: Iterable[Iterable[str]]) -> str:
    """`text` as HTML, the words that a query's terms match in <mark>."""
    wanted = {word for term in terms for word in term}
    found = [one for one in _analyzer().pre_tokenize(text).tokens if one.text in wanted]
    return mark(text, [(one.char_offset_from, one.char_offset_to or one.char_offset_from) for one in found])


class SearchIndex:
    """The index under one folder. Safe for threads and processes: one writes at a time, readers never wait."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: tuple[str, tantivy.Index] | None = None
        self._guard = threading.Lock()

    # --- reading ------------------------------------------------------------------------------------------------
    def search(self, terms: list[list[str]], limit: int) -> list[int]:
        """Ids of stories that have every term, best first. IndexUnavailableError when there is nothing to search in."""
        if not terms:
            return []
        try:
            index = self._current()
            index.reload()
            searcher = index.searcher()
            hits = searcher.search(_query(index.schema, terms), limit, count=False).hits
            numbers = searcher.fast_field_values("id", [hit[1] for hit in hits])
            return [int(number) for number in numbers if number is not None]
        except (OSError, ValueError) as error:
            self._open = None
            raise IndexUnavailableError(str(error)) from error

    def _current(self) -> tantivy.Index:
        name = self._name()
        with self._guard:
            if self._open is None or self._open[0] != name:
                self._open = (name, self._opened(self._folder / name))
            return self._open[1]

    def _name(self) -> str:
        try:
            form, _, name = (self._folder / "current").read_text("ascii").strip().partition(" ")
        except (OSError, ValueError) as error:
            raise IndexUnavailableError("There is no search index yet.") from error
        if form != FORMAT or not name.isalnum():
            raise IndexUnavailableError("The search index has another format.")
        return name

    @staticmethod
    def _opened(path: Path, schema: tantivy.Schema | None = None) -> tantivy.Index:
        try:
            index = tantivy.Index(schema, str(path)) if schema else tantivy.Index.open(str(path))
            index.register_tokenizer(ANALYZER, _analyzer())
            index.config_reader(reload_policy="manual")
        except (OSError, ValueError) as error:
            raise IndexUnavailableError(str(error)) from error
        return index

    # --- writing ------------------------------------------------------------------------------------------------
    def exists(self) -> bool:
        try:
            self._current()
        except IndexUnavailableError:
            return False
        return True

    def update(self, stories: Iterable[PublicWords], gone: Iterable[int]) -> None:
        """Put `stories` in, in place of what was there of them, and take `gone` out: one commit."""
        with self.locked("write"):
            _write(self._current(), stories, gone)

    def replace(self, batches: Iterable[Iterable[PublicWords]]) -> int:
        """Build a new generation from `batches` and make it the current one. Returns how many stories it holds."""
        name = token().replace("-", "").replace("_", "").lower()
        path = self._folder / name
        path.mkdir(parents=True)
        count = 0
        try:
            index = self._opened(path, _schema())
            for batch in batches:
                stories = list(batch)
                _write(index, stories, ())
                count += len(stories)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        aside = self._folder / f"{name}.name"
        aside.write_text(f"{FORMAT} {name}\n", "ascii")
        aside.replace(self._folder / "current")
        self._clear_old(name)
        return count

    def _clear_old(self, keep: str) -> None:
        for path in self._folder.iterdir():
            if path.is_dir() and path.name != keep:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def locked(self, what: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold the lock `what` across processes; yields False when it is taken and `wait` is false."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{what}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True


def _write(index: tantivy.Index, stories: Iterable[PublicWords], gone: Iterable[int]) -> None:
    writer = index.writer(heap_size=WRITER_BYTES, num_threads=1)
    for number in gone:
        writer.delete_documents_by_query(tantivy.Query.term_query(index.schema, "id", number))
    for story in stories:
        # Not delete_documents_by_term: tantivy 0.27 takes a Python int for a signed term there and deletes nothing.
        writer.delete_documents_by_query(tantivy.Query.term_query(index.schema, "id", story.id))
        writer.add_document(_document(story))
    writer.commit()
    writer.wait_merging_threads()


def _document(story: PublicWords) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("id", story.id)
    document.add_unsigned("published", max(0, int(story.published_at.timestamp())))
    document.add_text("headline", story.headline)
    document.add_text("standfirst", story.standfirst)
    document.add_text("lead_in", story.lead_in)
    for about in (story.section, story.credit, story.kicker, *story.bylines):
        document.add_text("about", about)
    return document


def _query(schema: tantivy.Schema, terms: list[list[str]]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, _anywhere(schema, term)) for term in terms])


def _anywhere(schema: tantivy.Schema, term: list[str]) -> tantivy.Query:
    one = len(term) == 1
    return tantivy.Query.disjunction_max_query(
        [
            tantivy.Query.boost_query(
                tantivy.Query.term_query(schema, name, term[0])
                if one
                else tantivy.Query.phrase_query(schema, name, [*term]),
                boost,
            )
            for name, boost in FIELDS.items()
        ],
        0.1,
    )
