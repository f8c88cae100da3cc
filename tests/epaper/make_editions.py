"""Editions made by hand: words where the test says, pictures in which every word is a black box."""

from __future__ import annotations

import re
import tempfile
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

from django.http import HttpResponse
from django.test import Client
from PIL import Image, ImageDraw

from broadsheet.access import actions as access
from broadsheet.epaper.actions.pages import NewArea, NewPage, finish, write_page
from broadsheet.epaper.models import Area, Edition
from tests import make

DAY = date(2027, 1, 10)
BACKEND = "django.contrib.auth.backends.ModelBackend"
HARBOUR = "The harbour toll rises at night for every lorry"
FERRY = "A ferry board met and the ferry sails"
JUMPED = "beyond the jump it ends"
_keys = count(1)


def words_in(text: str, x: int, y: int, step: int = 300) -> list[list]:
    """Words one below the other, each 1,000 wide and 200 high."""
    return [[word, x, y + step * place, x + 1000, y + step * place + 200] for place, word in enumerate(text.split())]


def area(text: str, x: int, y: int = 500, *, headline: str = "", story: int | None = None, high: int = 4000) -> NewArea:
    """A story 1,400 wide whose words stand one below the other."""
    box = (x - 200, y - 100, x + 1200, y + high)
    return NewArea("story", (box,), headline, f"{headline}\n{text}" if headline else text, story, 90 if story else 0)


def page(*areas: NewArea, number: int = 1, key: str = "") -> NewPage:
    """A page with these stories; its pictures show a black box for each word."""
    words = []
    for one in areas:
        x0, y0 = one.boxes[0][:2]
        words += words_in(one.text.split("\n")[-1], x0 + 200, y0 + 100)
    folder, images = Path(tempfile.mkdtemp(prefix="page-")), []
    for width in (160, 480, 1600):
        high = width * 3 // 2
        picture = Image.new("RGB", (width, high), "white")
        for _, x0, y0, x1, y1 in words:
            place = (x0 * width // 10_000, y0 * high // 10_000, x1 * width // 10_000, y1 * high // 10_000)
            ImageDraw.Draw(picture).rectangle(place, fill="black")
        path = folder / f"{number}-{width}.jpg"
        picture.save(path, "JPEG")
        images.append([width, high, path.stat().st_size])
    said = {"page": number, "words": words, "images": images, "width_mm": 300, "height_mm": 450}
    return NewPage(number, key or f"key-{next(_keys)}", said, folder, areas)


def edition(*pages: NewPage, day: date = DAY, city: str = "", now: datetime = make.NOW, total: int = 0) -> Edition:
    """An edition of these pages, published; with `total` beyond them, still being made."""
    row = Edition.objects.create(
        date=day, city=city, title=city.title(), kind="imported", state="processing", created_at=now
    )
    for one in pages:
        write_page(edition_id=row.pk, page=one, now=now)
    if total:
        Edition.objects.filter(pk=row.pk).update(pages_total=total)
    else:
        finish(edition_id=row.pk, pages=len(pages), notes=(), links=(), now=now)
    row.refresh_from_db()
    return row


def area_id(row: Edition, number: int, place: int = 1) -> int:
    return Area.objects.get(page__edition=row, page__number=number, number=place).pk


def jump(row: Edition, start: int, end: int) -> None:
    """The first story of page `start` goes on as the first of page `end`."""
    Area.objects.filter(pk=area_id(row, start)).update(continued_as=area_id(row, end))


def signed_in(email: str = "asha@reader.example", product: str = "epaper", until: datetime | None = None) -> Client:
    """A reader's browser; the reader has one product, or none when it is empty."""
    reader, start = make.reader(email), make.NOW - timedelta(days=1)
    if product:
        access.grant(reader_id=reader.pk, product=product, starts_at=start, ends_at=until, source=email)
    client = Client()
    client.force_login(reader, backend=BACKEND)
    client.reader = reader
    return client


def text(answer: HttpResponse) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())
