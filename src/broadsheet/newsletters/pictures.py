"""Pictures for mail: JPEG or PNG of a size a mail may have, made once from what the paper prints. They are as public as
the stories' own pictures."""

from __future__ import annotations

import hashlib
import logging
import os
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from broadsheet.newsletters.values import MailPicture
from broadsheet.newsroom.values import Picture

log = logging.getLogger(__name__)

WIDTH = 1120  # twice the letter's column, for screens with fine pixels
_SHOWN = 560


def mail_picture(picture: Picture | None) -> MailPicture | None:
    """None where there is no picture, or none that can be turned into one mail programs show."""
    if picture is None or not picture.src.startswith(settings.MEDIA_URL):
        return None
    made = _made(picture.src)
    if made is None:
        return None
    name, width, height = made
    url = f"{settings.BROADSHEET.public_url}{settings.MEDIA_URL}newsletters/{name}"
    return MailPicture(url, picture.alt or picture.caption, _SHOWN, max(1, round(height * _SHOWN / width)))


@lru_cache(maxsize=512)
def _made(src: str) -> tuple[str, int, int] | None:
    from PIL import Image  # noqa: PLC0415 - takes a tenth of a second

    root = Path(settings.MEDIA_ROOT).resolve()
    source = (root / src.removeprefix(settings.MEDIA_URL)).resolve()
    if not source.is_relative_to(root) or not source.is_file():
        return None
    folder = root / "newsletters"
    digest = hashlib.blake2b(source.read_bytes(), digest_size=10).hexdigest()
    target = folder / f"{digest}.{'png' if source.suffix == '.svg' else 'jpg'}"
    try:
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
            _draw(source, part) if source.suffix == ".svg" else _shrink(source, part)
            part.replace(target)
        with Image.open(target) as image:
            return target.name, image.width, image.height
    except Exception:  # a broken upload must not keep an issue from going out
        log.exception("The picture %s cannot be put into a letter.", src)
        return None


def _shrink(source: Path, target: Path) -> None:
    from PIL import Image, ImageOps  # noqa: PLC0415 - as above

    with Image.open(source) as image:
        turned = ImageOps.exif_transpose(image).convert("RGB")
        turned.thumbnail((WIDTH, WIDTH * 2))
        # Saved from pixels alone: what the camera wrote beside them (places, captions) stays here.
        turned.save(target, "JPEG", quality=80, optimize=True, progressive=True)


def _draw(source: Path, target: Path) -> None:
    import typst  # noqa: PLC0415 - 80 MB that only drawings need

    page = f'#set page(width: {_SHOWN}pt, height: auto, margin: 0pt)\n#image("{source.name}", width: 100%)'
    target.write_bytes(typst.compile(page.encode(), format="png", ppi=144.0, root=str(source.parent)))
