"""The index in the data folder: one folder a generation, and a file that names the current one.

Knows tantivy and files; knows no database. A generation is built aside and then named, so a reader finds the old one
or the new one and never half of either.

There are two: one of everything, and one of the days that are open to everybody. What the second answers, its order,
its counts and the time it takes, cannot depend on a story that is not in it.
"""

from __future__ import annotations

import fcntl
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tantivy

from broadsheet.archive.rules import Asked, mark
from broadsheet.ids import token
from broadsheet.newsroom.values import PublicWords

FIELDS = {"headline": 3.0, "standfirst": 1.5, "about": 1.5, "lead_in": 1.0}
FORMAT = "2"  # raised with the schema or the analysis: an index of another format counts as missing
WRITER_BYTES = 15_000_000
BUILDER_BYTES = 120_000_000
ANALYZER = "paper"
NAMES = "names"
MANY = 20_000  # documents a commit while a generation is built
_IDS = 1 << 31


class IndexUnavailableError(Exception):
    """There is no index, or it cannot be read: build it again."""


@dataclass(frozen=True, slots=True)
class Found:
    """Ids in the order asked for, with their instants (Unix seconds) and scores; `total` counts every story that
    matches."""

    ids: tuple[int, ...]
    times: tuple[int, ...]
    scores: tuple[float, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of the stories that match stand in each year, section and language, the most first."""

    years: tuple[tuple[int, int], ...]
    sections: tuple[tuple[str, int], ...]
    languages: tuple[tuple[str, int], ...]


def order_key(at: datetime, story_id: int) -> int:
    """A number of its own for each story that grows with time: pages follow one another by it, without counting."""
    return max(0, int(at.timestamp())) * _IDS + story_id % _IDS


def key_at(at: datetime) -> int:
    """The least key of `at`."""
    return order_key(at, 0)


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


def _names() -> tantivy.TextAnalyzer:
    """A name as a whole, whatever its case and accents."""
    raw = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw())
    return raw.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.ascii_fold()).build()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", stored=True, indexed=True, fast=True)
    builder.add_integer_field("order", indexed=True, fast=True)
    builder.add_integer_field("year", indexed=True, fast=True)
    for name in ("section", "language", "kind"):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("byline", tokenizer_name=NAMES, index_option="basic")
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
    def find(self, asked: Asked, limit: int, *, order: str = "best", after: int | None = None) -> Found:
        """Stories that have every term and pass every filter. `order` is best, newest or oldest; `after` is the
        order_key of the last one seen, for the two latter. IndexUnavailableError when there is nothing to search in."""
        with self._reading() as (index, searcher):
            query = _query(index.schema, asked)
            page = query
            if after is not None:
                bounds = {"upper": after} if order == "newest" else {"lower": after + 1}
                page = tantivy.Query.boolean_query(
                    [(tantivy.Occur.Must, query), (tantivy.Occur.Must, _between(index.schema, **bounds))]
                )
            field = {} if order == "best" else {"order_by_field": "order"}
            if order == "oldest":
                field["order"] = tantivy.Order.Asc
            result = searcher.search(page, limit, count=after is None, **field)
            addresses = [hit[1] for hit in result.hits]
            ids = [int(number) for number in searcher.fast_field_values("id", addresses)]
            keys = [int(number) for number in searcher.fast_field_values("order", addresses)]
            total = result.count if after is None else searcher.search(query, 1).count
            scores = tuple(float(hit[0]) for hit in result.hits) if order == "best" else (0.0,) * len(ids)
            return Found(tuple(ids), tuple(key // _IDS for key in keys), scores, int(total or 0))

    def counts(self, asked: Asked) -> Counts:
        """How what matches is spread over years, sections and languages. The filters of `asked` hold for all of it."""
        with self._reading() as (index, searcher):
            sizes = {"year": 200, "section": 60, "language": 20}
            wanted = {name: {"terms": {"field": name, "size": size}} for name, size in sizes.items()}
            told = searcher.aggregate(_query(index.schema, asked), wanted)
            found = {name: [(one["key"], int(one["doc_count"])) for one in told[name]["buckets"]] for name in sizes}
        years = sorted(((int(float(year)), count) for year, count in found["year"]), reverse=True)
        return Counts(tuple(years), tuple(found["section"]), tuple(found["language"]))

    def search(self, terms: list[list[str]], limit: int) -> list[int]:
        """Ids of stories that have every term, best first."""
        return list(self.find(Asked(terms=tuple(map(tuple, terms))), limit).ids) if terms else []

    def size(self) -> int:
        """How many stories are in it."""
        with self._reading() as (_, searcher):
            return int(searcher.num_docs)

    @contextmanager
    def _reading(self) -> Iterator[tuple[tantivy.Index, tantivy.Searcher]]:
        try:
            index = self._current()
            index.reload()
            yield index, index.searcher()
        except (OSError, ValueError) as error:
            self._open = None
            raise IndexUnavailableError(str(error)) from error

    def _current(self) -> tantivy.Index:
        _, name, _ = self._name()
        with self._guard:
            if self._open is None or self._open[0] != name:
                self._open = (name, self._opened(self._folder / name))
            return self._open[1]

    def _name(self) -> tuple[str, str, str]:
        """Format, folder and label of the current generation."""
        try:
            form, name, *label = (self._folder / "current").read_text("ascii").split()
        except (OSError, ValueError) as error:
            raise IndexUnavailableError("There is no search index yet.") from error
        if form != FORMAT or not name.isalnum():
            raise IndexUnavailableError("The search index has another format.")
        return form, name, label[0] if label else ""

    def label(self) -> str:
        """What the current generation was built for, such as the first day it holds; "" without any."""
        try:
            return self._name()[2]
        except IndexUnavailableError:
            return ""

    @staticmethod
    def _opened(path: Path, schema: tantivy.Schema | None = None) -> tantivy.Index:
        try:
            index = tantivy.Index(schema, str(path)) if schema else tantivy.Index.open(str(path))
            index.register_tokenizer(ANALYZER, _analyzer())
            index.register_tokenizer(NAMES, _names())
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
            index = self._current()
            writer = index.writer(heap_size=WRITER_BYTES, num_threads=1)
            for number in gone:
                writer.delete_documents_by_query(tantivy.Query.term_query(index.schema, "id", number))
            for story in stories:
                # Not delete_documents_by_term: tantivy 0.27 takes no Python int for a term there that it would find.
                writer.delete_documents_by_query(tantivy.Query.term_query(index.schema, "id", story.id))
                writer.add_document(document(story))
            writer.commit()
            writer.wait_merging_threads()

    def replace(self, batches: Iterable[Iterable[PublicWords]], label: str = "") -> int:
        """Build a new generation from `batches` and make it the current one. Returns how many stories it holds."""
        name = token().replace("-", "").replace("_", "").lower()
        path = self._folder / name
        path.mkdir(parents=True)
        try:
            count = _fill(self._opened(path, _schema()), batches)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        aside = self._folder / f"{name}.name"
        aside.write_text(f"{FORMAT} {name} {label}".strip() + "\n", "ascii")
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


def _fill(index: tantivy.Index, batches: Iterable[Iterable[PublicWords]]) -> int:
    """Stories into an empty index: nothing has to be taken out first. One writer for all of them, in bounded memory."""
    writer, count = index.writer(heap_size=BUILDER_BYTES, num_threads=1), 0
    for batch in batches:
        for story in batch:
            writer.add_document(document(story))
            count += 1
            if count % MANY == 0:
                writer.commit()
    writer.commit()
    writer.wait_merging_threads()
    return count


def document(story: PublicWords) -> tantivy.Document:
    """What of a story is indexed: public words and filters."""
    made = tantivy.Document()
    made.add_integer("id", story.id)
    made.add_integer("order", order_key(story.published_at, story.id))
    made.add_integer("year", story.year or story.published_at.astimezone(UTC).year)
    made.add_text("section", story.section_slug)
    made.add_text("language", story.language)
    made.add_text("kind", story.kind)
    for name in story.bylines:
        made.add_text("byline", name)
    made.add_text("headline", story.headline)
    made.add_text("standfirst", story.standfirst)
    made.add_text("lead_in", story.lead_in)
    for about in (story.section, story.credit, story.kicker, *story.bylines):
        made.add_text("about", about)
    return made


def _between(schema: tantivy.Schema, lower: int | None = None, upper: int | None = None) -> tantivy.Query:
    """Keys in `[lower, upper)`."""
    return tantivy.Query.range_query(
        schema, "order", tantivy.FieldType.Integer, lower, upper, include_lower=True, include_upper=upper is None
    )


def _query(schema: tantivy.Schema, asked: Asked) -> tantivy.Query:
    must: list[Any] = [(tantivy.Occur.Must, _anywhere(schema, list(term))) for term in asked.terms]
    filters = [("section", asked.section), ("language", asked.language), ("kind", asked.kind)]
    quiet = [tantivy.Query.term_query(schema, name, value) for name, value in filters if value]
    if asked.byline:
        name = (_names().analyze(asked.byline) or [asked.byline])[0]
        quiet.append(tantivy.Query.term_query(schema, "byline", name))
    if asked.lower is not None or asked.upper is not None:
        quiet.append(_between(schema, asked.lower, asked.upper))
    # A filter says yes or no and adds nothing to the score.
    must += [(tantivy.Occur.Must, tantivy.Query.const_score_query(one, 0.0)) for one in quiet]
    return tantivy.Query.boolean_query(must) if must else tantivy.Query.all_query()


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
