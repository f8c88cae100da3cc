"""An edition of two pages: the front, the same in both twins as a small picture of it is public, and a page whose
words, picture and story are each twin's own; its search and its reader's clippings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from PIL import Image, ImageDraw

from broadsheet.dates import local_date
from broadsheet.epaper import queries
from broadsheet.epaper.actions import clips, composing, keeping, pages
from broadsheet.epaper.actions.pages import NewArea, NewPage
from broadsheet.leakcheck.benefits import Address, Filled, hidden_words
from broadsheet.readers.queries import reader_by_email

_FRONT = "The front page that everybody may see from afar"
_OWNER = "holder@readers.example"
_SOUGHT = "beacon"  # stands on the page in both twins: what lies around it is found by it
_BOX = (500, 500, 9500, 9000)


def fill(twin: str, now: datetime) -> Filled:
    """The day's edition, kept and clipped by the reader who has every product."""
    words, head = hidden_words("page", twin), hidden_words("headline", twin, 6)
    day = local_date(now, settings.BROADSHEET.zone)
    edition = composing.open_edition(day=day, now=now)
    with TemporaryDirectory(prefix="leakcheck-") as folder:
        for number, headline, text in ((1, _FRONT, _FRONT), (2, head, f"{_SOUGHT} {words}")):
            pages.write_page(edition_id=edition, page=_page(number, headline, text, Path(folder)), now=now)
    pages.finish(edition_id=edition, pages=2, notes=(), links=(), now=now)
    found = queries.areas(edition, 2)[0]
    holder = reader_by_email(_OWNER)
    assert holder is not None  # of scratch.HOLDINGS
    clip = clips.clip_story(reader_id=holder.id, edition_id=edition, area_id=found.id, now=now)
    keeping.keep(reader_id=holder.id, edition_id=edition, device="leakcheck", now=now)
    base, data = f"/epaper/{day:%Y-%m-%d}/", f"/epaper/e/{edition}/"
    page = queries.page(edition, 2)
    assert page is not None  # written above
    return Filled(
        {"page": words, "headline": head},
        [
            Address(f"{base}2/", "epaper", "page"),
            Address(f"{base}story/{found.id}/", "epaper", "page"),
            Address(f"{data}words/2.json", "epaper"),
            Address(f"{data}edition.json", "epaper"),
            Address(f"{base}search/?q={_SOUGHT}", "epaper"),
            Address(f"{data}search.json?q={_SOUGHT}", "epaper"),
            *(Address(f"{data}2-{width}-{page.picture_key}.jpg", "epaper") for width, _, _ in page.images),
            Address("/epaper/clips/", "epaper", owner=_OWNER),
            Address(f"/epaper/clips/{clip}/1.jpg", "epaper", owner=_OWNER),
        ],
    )


def _page(number: int, headline: str, text: str, folder: Path) -> NewPage:
    """A page on which the words stand one below the other, drawn as they read."""
    found, images = [], []
    for place, word in enumerate(text.split()):
        top = 800 + 300 * place
        found.append([word, 1000, top, 6000, top + 200])
    for width in (160, 480):
        picture = Image.new("RGB", (width, width * 3 // 2), "white")
        brush = ImageDraw.Draw(picture)
        for word, x0, y0, *_ in found:
            brush.text((x0 * width // 10_000, y0 * picture.height // 10_000), word, fill="black")
        path = folder / f"{number}-{width}.jpg"
        picture.save(path, "JPEG")
        images.append([width, picture.height, path.stat().st_size])
    said = {"page": number, "words": found, "images": images, "width_mm": 300, "height_mm": 450}
    area = NewArea("story", (_BOX,), headline, text)
    return NewPage(number, f"leakcheck-{number}", said, folder, [area])
