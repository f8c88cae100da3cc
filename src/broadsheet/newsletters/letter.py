"""An issue's words for one audience -> subject, HTML and plain text with slots for what is each recipient's own."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape

from django.conf import settings

from broadsheet.newsletters.skeleton import slot
from broadsheet.newsletters.values import IssueCard, LetterStory, LetterWords
from broadsheet.newsletters.words import Cut, Facts, letter_stories
from broadsheet.newsroom.rules import plain
from broadsheet.press.typesetting import render, weekday

CLIPPED = 100_000  # bytes of HTML: Gmail hides what comes after 102 kB
PLACEHOLDERS = {name: slot(name) for name in ("unsubscribe", "preferences", "address")}
_FONTS = re.compile(r"<!--\[if !mso\]><!--><link href=\"https://fonts[^>]*>.*?<!--<!\[endif\]-->", re.DOTALL)
_HREF = re.compile(r'href="(https?://[^"]+)"')


@dataclass(frozen=True, slots=True)
class Letter:
    """One issue for one audience. `shortened`: how many stories had to lose their body to keep the letter whole."""

    subject: str
    html: str
    text: str
    shortened: int = 0


def words_of(issue: IssueCard, known: Facts, given: Cut, now: datetime, *, on_site: bool = False) -> LetterWords:
    """What this audience reads, as values: the mail and the web copy are both made of these."""
    options = settings.BROADSHEET
    stories = letter_stories(known, given, on_site=on_site)
    return LetterWords(
        issue_id=issue.id,
        list_name=issue.list_name,
        list_slug=issue.list_slug,
        list_words="",
        language=issue.language,
        subject=issue.subject or (stories[0].headline if stories else issue.list_name),
        preheader=issue.preheader or (stories[0].standfirst[:140] if stories else ""),
        intro=tuple(part.strip() for part in re.split(r"\n\s*\n", issue.intro.replace("\r\n", "\n")) if part.strip()),
        day=weekday(issue.started_at or issue.send_at or now, issue.language),
        paper=options.name,
        public_url=options.public_url,
        web_url=options.public_url + issue.path,
        stories=stories,
        wall=any(story.wall for story in stories),
    )


def compose(words: LetterWords, *, links: Mapping[str, str] | None = None, open_url: str = "") -> Letter:
    """The letter. `links`: what an address of the letter is replaced by (the paper's own, which count), if anything.

    A letter that mail programs would cut off gives up whole stories from its end on, and says so.
    """
    shortened = 0
    html = _html(words, open_url)
    while len(html.encode()) > CLIPPED and any(story.body for story in words.stories):
        last = max(place for place, story in enumerate(words.stories) if story.body)
        stories = (*words.stories[:last], _cut_short(words.stories[last]), *words.stories[last + 1 :])
        words, shortened = replace(words, stories=stories), shortened + 1
        html = _html(words, open_url)
    text = _text(words)
    if links:
        html = _HREF.sub(lambda found: f'href="{links.get(unescape(found.group(1)), found.group(1))}"', html)
        for url, counted in sorted(links.items(), key=lambda pair: -len(pair[0])):
            text = re.sub(re.escape(url) + r"(?=\s|$)", counted, text)
    return Letter(words.subject, html, text, shortened)


def hrefs(html: str) -> list[str]:
    """Every address a letter leads to, once, in order."""
    return list(dict.fromkeys(unescape(found) for found in _HREF.findall(html)))


def _cut_short(story: LetterStory) -> LetterStory:
    return replace(story, body="", lead_in=())


def _html(words: LetterWords, open_url: str) -> str:
    import mrml  # noqa: PLC0415 - a library of machine code that only letters need

    mjml = render("newsletters/letter.mjml", letter=words, slots=PLACEHOLDERS, open_url=open_url)
    found = mrml.to_html(mjml)
    html = str(getattr(found, "content", found))
    # Fonts of another house would be asked for by every reader's mail program, and tell on them.
    html = _FONTS.sub("", html)
    return html.replace('lang="und"', f'lang="{words.language}"')


def _text(words: LetterWords) -> str:
    lines = [words.paper, f"{words.list_name} · {words.day}", ""]
    for part in words.intro:
        lines += [_wrapped(part), ""]
    for story in words.stories:
        lines += ["-" * 40, "", _wrapped(story.headline.upper() if story.language == "en" else story.headline), ""]
        if story.note:
            lines += [_wrapped(f"Our note: {story.note}"), ""]
        if story.standfirst:
            lines += [_wrapped(story.standfirst), ""]
        for part in _paragraphs(story):
            lines += [_wrapped(part), ""]
        if story.credit:
            lines += [f"Source: {story.credit}", ""]
        if story.disclaimer:
            lines += [_wrapped(story.disclaimer), ""]
        lines += ["The whole story, for subscribers:" if story.wall else "Read it on our site:", story.url, ""]
    if words.wall:
        lines += ["=" * 40, "", "Subscribe to read every story in full:", f"{words.public_url}/subscribe/", ""]
    lines += [
        "-" * 40, "",
        "This letter in your browser:", words.web_url, "",
        f"Sent to {slot('address')} because it asked for {words.list_name}.", "",
        "Choose your newsletters:", slot("preferences"), "",
        "Unsubscribe at once:", slot("unsubscribe"), "",
    ]  # fmt: skip
    return "\n".join(lines)


def _paragraphs(story: LetterStory) -> tuple[str, ...]:
    if not story.body:
        return story.lead_in
    return tuple(filter(None, map(plain, re.split(r"(?<=</p>)|(?<=</h2>)|(?<=</h3>)|(?<=</li>)", story.body))))


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 74, break_long_words=False, break_on_hyphens=False)) or ""
