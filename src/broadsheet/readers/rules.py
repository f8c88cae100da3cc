"""Pure rules of accounts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_UNSEEN = re.compile(r"[\x00-\x20\x7f]")
LONGEST_PATH = 1500


def local_path(target: str) -> str:
    """`target` if it is a path of this site that a browser may be sent to, else an empty string.

    Browsers read `//host`, `/\\host` and a tab inside either as another site: such a link, once followed through our
    sign-in, would carry our good name to somebody else's page.
    """
    if not target.startswith("/") or target.startswith(("//", "/\\")) or len(target) > LONGEST_PATH:
        return ""
    if "\\" in target or _UNSEEN.search(target):
        return ""
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    return "" if parts.scheme or parts.netloc else target


_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("UCBrowser", "UC Browser"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"), ("Macintosh", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


def browser_words(user_agent: str) -> str:
    """A browser as its owner knows it: `Firefox on Windows`. Words of our own alone: the header is a stranger's."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(filter(None, (browser or "A browser", system)))
