"""What people try on a story's address to get past a wall, by class. Examples of classes, not a complete list. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from broadsheet.leakcheck.client import Ask

AGENTS = {
    "Googlebot": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Googlebot phone": "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/146.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Googlebot-News": "Googlebot-News",
    "Google-InspectionTool": "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
    "Mediapartners": "Mediapartners-Google",
    "AdsBot": "AdsBot-Google (+http://www.google.com/adsbot.html)",
    "Read Aloud": "Mozilla/5.0 (compatible; Google-Read-Aloud; +https://developers.google.com/search/docs)",
    "bingbot": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Applebot": "Mozilla/5.0 (compatible; Applebot/0.1; +http://www.apple.com/go/applebot)",
    "facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Twitterbot": "Twitterbot/1.0",
    "WhatsApp": "WhatsApp/2.23.20.0",
    "LinkedInBot": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Slackbot": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "archive": "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)",
    "GPTBot": "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "PerplexityBot": "Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
    "CCBot": "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "W3C validator": "W3C_Validator/1.3 http://validator.w3.org/services",
    "Lighthouse": "Mozilla/5.0 Chrome/146.0.0.0 Safari/537.36 Chrome-Lighthouse",
    "nothing": "",
}
REFERERS = (
    "https://www.google.com/", "https://news.google.com/", "https://www.facebook.com/", "https://t.co/abcdef",
    "https://outlook.live.com/", "https://newsletters.paper.example/issue/7", "android-app://com.google.android.gm",
)  # fmt: skip
IDENTITY_HEADERS = (
    ("X-Forwarded-For", "66.249.66.1"), ("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "66.249.66.1"),
    ("Forwarded", "for=66.249.66.1;proto=https"), ("True-Client-IP", "66.249.66.1"), ("CF-Connecting-IP", "127.0.0.1"),
    ("Client-IP", "10.0.0.1"), ("X-Client-IP", "10.0.0.1"), ("X-Forwarded-Proto", "https"), ("Via", "1.1 google"),
    ("From", "googlebot(at)googlebot.com"), ("Signature-Agent", '"https://agent.bot.goog"'),
    ("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."), ("Authorization", "Basic YWRtaW46YWRtaW4="),
    ("Authorization", "License free"), ("X-PAYMENT", "e30="), ("crawler-exact-price", "USD 0.01"),
    ("X-Requested-With", "XMLHttpRequest"), ("X-Subscriber", "1"), ("X-Preview", "1"), ("X-Staff", "1"),
    ("Broadsheet-Variant", "full"), ("Broadsheet-Reason", "entitled"), ("X-User", "1"), ("Remote-User", "editor"),
    ("X-Forwarded-User", "editor"), ("X-API-Key", "test"), ("Save-Data", "on"), ("DNT", "1"),
)  # fmt: skip
PARAMETERS = (
    "amp=1", "amp", "outputType=amp", "print=1", "print=true", "view=print", "media=print", "format=json",
    "format=xml", "format=amp", "format=txt", "format=md", "_format=json", "output=json", "type=rss", "feed=rss2",
    "full=1", "free=1", "paywall=off", "paywall=false", "nopaywall=1", "wall=0", "variant=full", "body=full",
    "mode=reader", "mode=full", "preview=true", "preview=1", "draft=1", "in_preview_panel=true", "edit=1",
    "utm_source=newsletter", "utm_medium=email", "rel=plus", "share=abc", "gift=abc", "unlocked_article_code=abc",
    "token=abc", "key=abc", "session=1", "reader=1", "user=1", "fields=*", "fields=body,body_html", "expand=body",
    "include=body", "_escaped_fragment_=", "__a=1", "page=2", "page=all", "single=1", "download=1", "callback=x",
    "debug=1", "_method=GET", "rest_route=/wp/v2/posts", "google=1", "fbclid=x", "gclid=x", "smid=nytcore",
    "st=1&reflink=x", "lang=hi", "version=0", "revision=1", "if=1", "%00=1", "a[]=1", "x=%ff", "&&&", "=", "?",
)  # fmt: skip
METHODS = (
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "CONNECT",
    "LINK",
    "REPORT",
    "PURGE",
)
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
HTTP_HEADERS = (
    ("Range", "bytes=0-"), ("Range", "bytes=2000-90000"), ("Range", "bytes=0-10,20-30"), ("Range", "bytes=-500"),
    ("If-None-Match", "*"), ("If-None-Match", '"abc"'), ("If-Match", '"abc"'),
    ("If-Modified-Since", "Thu, 01 Jan 2015 00:00:00 GMT"), ("If-Unmodified-Since", "Thu, 01 Jan 2015 00:00:00 GMT"),
    ("If-Range", '"abc"'), ("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"),
    ("X-Moz", "prefetch"), ("X-Purpose", "preview"), ("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Dest", "iframe"),
    ("Sec-Fetch-Dest", "script"), ("Sec-Fetch-Mode", "no-cors"), ("Origin", "https://evil.example"),
    ("Accept", "application/json"), ("Accept", "text/markdown"), ("Accept", "text/plain"),
    ("Accept", "application/rss+xml"), ("Accept", "application/activity+json"), ("Accept", "application/ld+json"),
    ("Accept", "application/pdf"), ("Accept", "text/html;version=full"), ("Accept", ""), ("Accept-Encoding", "gzip"),
    ("Accept-Encoding", "br"), ("Accept-Encoding", "deflate"), ("Accept-Encoding", "zstd, br;q=0.5"),
    ("Accept-Encoding", "identity;q=0"), ("Accept-Encoding", "*"), ("Accept-Encoding", "gzip, br;q=0"),
    ("Accept-Language", "hi"), ("Accept-Charset", "utf-16"), ("Cache-Control", "no-cache"),
    ("Cache-Control", "only-if-cached"), ("Pragma", "akamai-x-cache-on"), ("TE", "trailers"), ("Connection", "close"),
    ("Connection", "Cookie"), ("Upgrade", "websocket"), ("Upgrade", "h2c"), ("Expect", "100-continue"),
    ("Content-Length", "0"), ("Prefer", "return=representation"), ("X-Debug", "1"), ("X-Wagtail-Preview", "1"),
    ("X-Up-Mode", "root"), ("HX-Request", "true"), ("Turbo-Frame", "body"), ("RSC", "1"), ("X-Inertia", "true"),
    ("X-PJAX", "true"), ("Want-Digest", "sha-256"), ("Want-Content-Digest", "sha-256=1"),
)  # fmt: skip
SUFFIXES = (
    "/", "//", ".json", ".html", ".amp", ".amp.html", ".md", ".txt", ".xml", ".rss", ".pdf", ".epub", ".print", ".php",
    ".bak", "~", ".js", ".css", "/x.css", ".jpg", ";.js", ";x=1", ";jsessionid=1", "%00", "%00.css", "%0a", "%20",
    "%23.css", "%3f", "%3f.css", ".", "..", "/.", "/..", "/..;/", "\\", "%5c", "|", "+", ",", ":", "*", "'", "%27",
    "/amp", "/amp/", "/print", "/full", "/json", "/raw", "/text", "/feed", "/feed.xml", "/embed", "/edit", "/body",
    "/comments", "/epub", "/audio.mp3", "/oembed", "0", "-1", "%e2%80%8b", "%EF%BC%91", "%c0%af", "\u200b", "\uff11",
)  # fmt: skip
PREFIXES = (
    "/", "/.", "/./", "//", "/%2e", "/%2f", "/..", "/x/..", "/amp", "/print", "/m", "/en", "/api", "/api/v1", "/json",
    "/raw", "/full", "/static/..", "/media/..", "/static/%2e%2e", "/index.php", "/;", "/%5c", "\\", "/admin/..",
    "/preview", "/cache",
)  # fmt: skip
HOSTS = (
    "evil.example", "{host}:80", "{host}:8443", "{HOST}", "{host}.", "m.{host}", "amp.{host}", "admin.{host}",
    "api.{host}", "localhost", "127.0.0.1", "[::1]", "user@{host}", "{host}, evil.example", "evil.example#{host}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trick:
    """One attempt. `group` is its class; `ask` the request that makes it."""

    group: str
    name: str
    ask: Ask


def tricks(path: str, story_id: int, host: str) -> Iterator[Trick]:
    """Every trick on the story at `path`."""
    yield from _identity(path)
    for text in PARAMETERS:
        yield Trick("parameters", f"?{text}", Ask(f"{path}?{text}"))
    yield from _methods(path)
    for name, value in HTTP_HEADERS:
        yield Trick("http", f"{name}: {value}", Ask(path, headers=((name, value),)))
    yield from _paths(path, story_id)
    yield from _hosts(path, host)
    yield from _rewrites(path)
    yield from _cookies(path)


def _identity(path: str) -> Iterator[Trick]:
    for name, agent in AGENTS.items():
        yield Trick("identity", f"user agent {name}", Ask(path, headers=(("User-Agent", agent),)))
    for url in REFERERS:
        yield Trick("identity", f"Referer {url}", Ask(path, headers=(("Referer", url),)))
    for name, value in IDENTITY_HEADERS:
        yield Trick("identity", f"{name}: {value}", Ask(path, headers=((name, value),)))
    robot = (("User-Agent", AGENTS["Googlebot"]), ("X-Forwarded-For", "66.249.66.1"), ("Referer", REFERERS[0]))
    yield Trick("identity", "Googlebot from its own network, by its word", Ask(path, headers=robot))


def _methods(path: str) -> Iterator[Trick]:
    for method in METHODS:
        yield Trick(
            "methods", method, Ask(path, method=method, body=b"a=1" if method in ("POST", "PUT", "PATCH") else b"")
        )
    yield Trick("methods", "get in lower case", Ask(path, method="get"))
    for name in OVERRIDES:
        yield Trick(
            "methods", f"POST with {name}: GET", Ask(path, method="POST", headers=((name, "GET"),), body=b"a=1")
        )
        yield Trick("methods", f"GET with {name}: POST", Ask(path, headers=((name, "POST"),)))
    yield Trick("methods", "GET with a body", Ask(path, body=b"variant=full"))
    yield Trick("methods", "prefetching HEAD", Ask(path, method="HEAD", headers=(("Sec-Purpose", "prefetch"),)))


def _paths(path: str, story_id: int) -> Iterator[Trick]:
    for suffix in SUFFIXES:
        yield Trick("path", f"…{suffix}", Ask(path + suffix))
    for prefix in PREFIXES:
        yield Trick("path", f"{prefix}…", Ask(prefix + path))
    _, section, slug = path.split("/", 2)
    coded = "".join(f"%{ord(letter):02x}" for letter in slug)
    shapes = (
        path.upper(), f"/{section.upper()}/{slug}", f"/{section}/{slug.title()}", f"/{section}//{slug}",
        f"/{section}/./{slug}", f"/{section}/%2e/{slug}", f"/{section}/../{section}/{slug}", f"/{section}%2f{slug}",
        f"/{section}%2F{slug}", f"/{section}%5c{slug}", f"/{section}\\{slug}", f"/{section}/{coded}",
        f"/{quote(section[0])}%{ord(section[1]):02x}{section[2:]}/{slug}", f"/{section}/{story_id}",
        f"/{section}/-{story_id}", f"/{section}/x-{story_id}", f"/other/x-{story_id}", f"/x/x-0{story_id}",
        f"/{story_id}", f"/story/{story_id}", f"/stories/{story_id}", f"/article/{story_id}", f"/p/{story_id}",
        f"/?p={story_id}", f"/api/stories/{story_id}", f"/api/v2/pages/{story_id}/", f"/node/{story_id}",
        f"/print/{story_id}", f"/amp/{story_id}", f"/pdf/{story_id}", f"/press/{story_id}/full",
        f"/page/story/{story_id}/full", f"/story/{story_id}/full", f"/preview/{story_id}",
        f"/admin/newsroom/article/edit/{story_id}/", f"/admin/snippets/newsroom/article/edit/{story_id}/",
        f"/admin/snippets/newsroom/article/preview/{story_id}/",
        f"/admin/snippets/newsroom/article/history/{story_id}/", f"/admin/newsroom/article/inspect/{story_id}/",
        f"/oembed?url={quote(path)}", f"/text-to-speech/{story_id}.mp3", f"{path}#full", f"/{section}/{slug}\t",
        f" {path}",
    )  # fmt: skip
    for shape in shapes:
        yield Trick("path", shape.replace(slug, "…").replace(str(story_id), "ID"), Ask(shape))


def _hosts(path: str, host: str) -> Iterator[Trick]:
    for form in HOSTS:
        name = form.format(host=host, HOST=host.upper())
        yield Trick("host", f"Host: {name}", Ask(path, host=name))
    yield Trick("host", "no Host", Ask(path, host=None))
    yield Trick("host", "two Hosts", Ask(path, headers=(("Host", "evil.example"),)))
    for name in ("X-Forwarded-Host", "X-Host", "X-Forwarded-Server", "X-HTTP-Host-Override"):
        yield Trick("host", name, Ask(path, headers=((name, "admin.localhost"),)))
    yield Trick("host", "absolute target", Ask(f"http://{host}{path}"))
    yield Trick("host", "absolute target of another host", Ask(f"http://evil.example{path}"))
    yield Trick("host", "absolute target, https", Ask(f"https://{host}{path}"))


def _rewrites(path: str) -> Iterator[Trick]:
    for name in (
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Original-URI",
        "X-Forwarded-Uri",
        "X-Override-URL",
        "Destination",
    ):
        yield Trick("rewrite", f"{name} on the front", Ask("/", headers=((name, path),)))
        yield Trick("rewrite", f"{name} on the story", Ask(path, headers=((name, f"{path}?full=1"),)))
    for name in ("X-Accel-Redirect", "X-Sendfile", "X-Accel-Buffering", "X-Forwarded-Prefix", "X-Script-Name"):
        yield Trick("rewrite", name, Ask(path, headers=((name, "/full"),)))


def _cookies(path: str) -> Iterator[Trick]:
    """Cookies beside the reader's own; forged, edited and rolled-back ones are walk.py's, which holds real ones."""
    for value in (
        "subscriber=1",
        "premium=true",
        "wordpress_logged_in_x=1",
        "bsx=1",
        "paywall=off; premium=1",
        "=;=;=",
        "a" * 3000,
    ):
        yield Trick("cookies", f"also {value[:30]}", Ask(path, beside=value))
