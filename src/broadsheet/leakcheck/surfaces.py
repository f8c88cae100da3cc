"""Where a body might turn up: links followed from the front, and addresses that papers are known to have. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote, urldefrag, urljoin, urlsplit

STORY = re.compile(r"/[a-z0-9-]+/[a-z0-9-]*-(\d+)\Z")
_LINK = re.compile(r"""\b(?:href|src|action|poster|srcset)\s*=\s*["']([^"'\s]+)["']""", re.IGNORECASE)
_LOC = re.compile(r"<(?:loc|link|guid|url)[^>]*>\s*([^<\s]+)\s*</|<link[^>]+href=\"([^\"]+)\"", re.IGNORECASE)
_STRING = re.compile(r"[\"'(]((?:https?://[^\"'()\s\\]+|/[A-Za-z0-9][^\"'()\s\\]*))[\"')]")
_HEADER_LINK = re.compile(r"<([^>]+)>")
WELL_KNOWN = (
    "/", "/robots.txt", "/sitemap.xml", "/news-sitemap.xml", "/sitemap-pages.xml", "/sitemap_index.xml", "/feed.xml",
    "/feed", "/feed/", "/rss", "/rss.xml", "/atom.xml", "/feed.json", "/index.xml", "/index.json", "/me.json",
    "/healthz", "/search", "/search.json?q=a", "/api", "/api/", "/api/v1/", "/api/v1/stories", "/api/v2/pages/",
    "/api/v2/pages/?fields=*", "/graphql", "/wp-json/", "/wp-json/wp/v2/posts", "/?rest_route=/wp/v2/posts", "/admin/",
    "/admin/login/", "/admin/pages/", "/admin/api/main/pages/", "/admin/snippets/newsroom/article/",
    "/admin/newsroom/article/", "/admin/reports/", "/documents/", "/documents/1/x", "/media/", "/static/",
    "/static/press/", "/manifest.webmanifest", "/sw.js", "/service-worker.js", "/favicon.ico", "/amp/", "/print/",
    "/archive/", "/archive", "/latest", "/latest.json", "/tag/ferry/", "/author/asha-verne/", "/topics/", "/oembed",
    "/embed", "/.well-known/security.txt", "/.well-known/tdmrep.json", "/license.xml", "/llms.txt", "/llms-full.txt",
    "/ads.txt", "/metrics", "/debug", "/__debug__/", "/status", "/server-status", "/.git/HEAD", "/.env",
    "/broadsheet.sqlite3", "/press/full.sqlite3", "/press/public.sqlite3", "/broadsheet.toml", "/secret.key",
    "/backup.sql", "/media/../press/full.sqlite3", "/static/../broadsheet.sqlite3",
    "/static/%2e%2e/%2e%2e/broadsheet.sqlite3", "/media/%2e%2e/broadsheet.sqlite3", "/media/letters/", "/demo/",
    "/demo/mail", "/account/", "/account/sign-in/", "/subscribe/", "/newsletter", "/epaper", "/push", "/webhooks/",
    "/jsi18n/", "/nothing-here", "/harbour/nothing-here-999999", "/harbour/older/x/", "/older/", "/page/2/",
    "/?page=2", "/?preview=true", "/%00", "/%ff", "/a/../..", "//", "/\u200b",
)  # fmt: skip


def links(page_path: str, content: str, link_header: str, origin: str) -> Iterator[str]:
    """Paths with query of our own origin that a page, a feed, a sitemap, a script or a style sheet names."""
    found = [match[1] for match in _LINK.finditer(content)]
    found += [match[1] or match[2] for match in _LOC.finditer(content)]
    found += [match[1] for match in _STRING.finditer(content)]
    found += [match[1] for match in _HEADER_LINK.finditer(link_header)]
    for raw in found:
        url = urldefrag(html.unescape(raw).split(" ")[0]).url
        if not url or url.startswith(("data:", "mailto:", "tel:", "javascript:", "#")):
            continue
        try:
            parts = urlsplit(urljoin(origin + page_path, url))
        except ValueError:
            continue
        if f"{parts.scheme}://{parts.netloc}" == origin and parts.path:
            yield parts.path + (f"?{parts.query}" if parts.query else "")


def shape(target: str) -> str:
    """The name of a surface: what kind of address it is, so that a report says `/harbour/older/…/` once."""
    path = target.split("?", maxsplit=1)[0]
    if STORY.match(path):
        return "story page"
    path = re.sub(r"/older/[^/]+/", "/older/…/", path)
    path = re.sub(r"sitemap-\d{4}-\d{2}", "sitemap-YYYY-MM", path)
    return path or "/"


def story_id(target: str) -> int | None:
    """The story whose own page a target is, by its address."""
    match = STORY.match(target.split("?", maxsplit=1)[0])
    return int(match[1]) if match else None


def searches(phrases: Iterator[str] | list[str]) -> Iterator[str]:
    """Search addresses for hidden phrases, in the shapes that search pages take."""
    for phrase in phrases:
        for form in ("/search?q={}", "/search?q=%22{}%22", "/search?q={}&page=2", "/search?query={}", "/?s={}"):
            yield form.format(quote(phrase))
