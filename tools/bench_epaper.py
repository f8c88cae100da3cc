"""Setting, importing and marking an edition, beside the bare tools on the same content. `python -m tools.bench_epaper`.

- setting: 12 pages of 60 stories (about 33,000 words, 12 pictures, Latin and Devanagari), make-up and PDF/UA included.
  Anchor: typst alone on the same words and headlines poured into six columns, nothing measured, nothing decided.
- import: the pages of that PDF made into five pictures and words. Anchor: pypdfium2 rendering the same pages at 1,574
  pixels across, which is what a program that only shows pages would do.
- marking: a reader's name into the prepared PDF, 2,000 times; and what this process holds before and after.

Wall and processor seconds (of this process and its children): on a busy machine only the latter compare.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pypdfium2
from PIL import Image

from broadsheet.epaper.adapters import mark_child, pdf, typesetter, typst_child
from broadsheet.epaper.rules.job import Front, job_of
from broadsheet.epaper.rules.marks import mark_bytes, patched
from broadsheet.newsroom.values import FullStory, Picture, PublicStory, Section

STORIES, PICTURES, PAGES, ROUNDS = 60, 12, 12, 3
HINDI_AT, FRONT = 14, 6
SECTIONS = ("National", "City", "Business", "World", "Sport", "Opinion")
WORDS = [
    "harbour",
    "council",
    "vote",
    "ferry",
    "toll",
    "bridge",
    "grain",
    "market",
    "ledger",
    "clerk",
    "signal",
    "railway",
    "monsoon",
    "minister",
    "reservoir",
    "crore",
    "budget",
    "auditor",
    "tribunal",
    "captain",
    "innings",
    "spinner",
    "telescope",
    "nurse",
    "village",
    "teacher",
    "orchard",
    "weaver",
    "turbine",
    "the",
    "of",
    "and",
    "to",
    "in",
    "that",
    "for",
    "with",
    "was",
    "on",
    "by",
    "from",
    "at",
    "which",
    "after",
    "before",
    "between",
    "against",
    "under",
    "over",
    "this",
    "their",
    "would",
    "will",
    "had",
]
HINDI = [
    "बंदरगाह",
    "के",
    "किनारे",
    "मछुआरों",
    "ने",
    "कहा",
    "कि",
    "नई",
    "योजना",
    "में",
    "उनके",
    "लिए",
    "कोई",
    "जगह",
    "नहीं",
    "है",
    "और",
    "श्रम",
    "की",
    "क़ीमत",
    "तय",
    "नहीं",
    "हुई",
]


def _stories(folder: Path) -> list[tuple[FullStory, str, int, str]]:
    chance = random.Random(5)  # noqa: S311 - words, no secrets
    made = []
    for number in range(STORIES):
        hindi = number % 15 == HINDI_AT
        words = HINDI if hindi else WORDS

        def text(count: int, words: list[str] = words) -> str:
            said = " ".join(chance.choice(words) for _ in range(count))
            return f"{said[0].upper()}{said[1:]}{'।' if words is HINDI else '.'}"

        body = "".join(f"<p>{text(chance.randint(30, 70))}</p>" for _ in range(chance.randint(6, 15)))
        picture = ""
        if number % (STORIES // PICTURES) == 0:
            picture = f"picture-{number}.png"
            _picture(folder / picture, number)
        shown = Picture("", text(9), text(9), "Courier drawing", 1200, 800) if picture else None
        public = PublicStory(
            id=number, version=1, path="/x", url="/x", headline=text(8)[:-1], standfirst=text(18), lead_in_html="",
            section=Section(SECTIONS[number * len(SECTIONS) // STORIES], "x"), tier="metered",
            published_at=datetime(2027, 1, 10, tzinfo=UTC), kicker=text(2)[:-1], bylines=("Asha Verma",),
            dateline="Alderport", language="hi" if hindi else "en", picture=shown,
        )  # fmt: skip
        made.append((FullStory(public, body), "lead" if number == 0 else "story", 1 if number < FRONT else 0, picture))
    return made


def _picture(path: Path, number: int) -> None:
    Image.effect_noise((1200, 800), 10 + number).save(path)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """(wall, processor) seconds; the best of a few rounds."""
    best: tuple[float, float] | None = None
    for _ in range(ROUNDS):
        before, began = _processor(), time.perf_counter()
        work()
        taken = (time.perf_counter() - began, _processor() - before)
        best = min(best, taken, key=lambda pair: pair[1]) if best else taken
    assert best is not None
    return best


def _processor() -> float:
    here, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return here.ru_utime + here.ru_stime + children.ru_utime + children.ru_stime


BARE = """
#import "style.typ": *
#set document(title: "bare")
#set page(width: {width}pt, height: {height}pt, margin: 40pt, columns: 6)
#for s in data.stories {{
  headline(20, s.lang, heading(level: 1, s.headline))
  for p in s.paras {{ body(s.lang, paragraph(p, 0, p.w.len())) }}
  if s.picture != "" {{ image(s.picture, alt: s.alt, width: 100%) }}
}}
"""


def _bare(folder: Path, geometry: dict[str, float]) -> None:
    """A process of its own, as ours is; the words, fonts, justification and pictures are the same."""
    (folder / "bare.typ").write_text(BARE.format(**geometry), "utf-8")
    code = (
        "import sys, typst; from broadsheet.epaper.adapters.typst_child import fonts; "
        "typst.compile(sys.argv[1], output=sys.argv[2], root=sys.argv[3], font_paths=fonts(), pdf_standards=['ua-1'])"
    )
    done = os.spawnve(  # noqa: S606 - this program itself
        os.P_WAIT, sys.executable,
        [sys.executable, "-c", code, str(folder / "bare.typ"), str(folder / "bare.pdf"), str(folder)],
        {**os.environ, **pdf.environment()},
    )  # fmt: skip
    assert done == 0


def _render_only(source: Path) -> None:
    for page in pypdfium2.PdfDocument(source):
        page.render(scale=1574 / page.get_width())


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="bench-epaper-"))
    try:
        return _run(folder)
    finally:
        shutil.rmtree(folder)


def _run(folder: Path) -> int:
    front = Front("The Daily Broadsheet", "", "news.example", date(2027, 1, 10), "", "en")
    job = {**job_of(front, _stories(folder)), "least_pages": PAGES, "most_pages": PAGES}
    words = sum(len(paragraph["w"]) for story in job["stories"] for paragraph in story["paras"])
    made = typesetter.set_edition(folder, json.loads(json.dumps(job)))
    setting = _timed(lambda: typesetter.set_edition(folder, json.loads(json.dumps(job))))
    print(f"{len(made['pages'])} pages, {STORIES} stories, {words} words; left out: {len(made['left_out'])}")
    print(f"parts of setting, wall: {made['seconds']}")
    bare = _timed(lambda: _bare(folder, typst_child.geometry()))
    _say("setting", setting, "typst alone", bare)
    source = folder / "edition.pdf"
    pages = len(made["pages"])
    importing = _timed(lambda: list(pdf.read_pages(source, folder, range(1, pages + 1))))
    rendering = _timed(lambda: _render_only(source))
    _say("import, a page", (importing[0] / pages, importing[1] / pages), "rendering alone",
         (rendering[0] / pages, rendering[1] / pages))  # fmt: skip
    print(f"{'to be at most':24}  2 s to set 12 pages; 0.5 s a page to import")
    _marking(folder, source)
    return 0


def _say(what: str, ours: tuple[float, float], name: str, anchor: tuple[float, float]) -> None:
    print(
        f"{what:24}  {ours[0]:.3f} s wall, {ours[1]:.3f} s processor;  {name}: {anchor[0]:.3f} s, {anchor[1]:.3f} s;"
        f"  {ours[1] / anchor[1]:.2f} times"
    )


def _marking(folder: Path, source: Path) -> None:
    target = folder / "marked.pdf"
    began = time.perf_counter()
    places = mark_child.prepare(target, [source], {})
    prepared = time.perf_counter() - began
    content = target.read_bytes()
    chunks = [content[at : at + 262_144] for at in range(0, len(content), 262_144)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    for number in range(2000):
        for _ in patched(chunks, places, mark_bytes(f"Reader {number}", "reader@reader.example")):
            pass
    each = (time.perf_counter() - began) / 2000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{'marking':24}  prepared once in {prepared:.3f} s; {each * 1000:.3f} ms a download; {grown} kB more held")


if __name__ == "__main__":
    raise SystemExit(main())
