"""`python plants.py serve …`: the real program with leaks planted in it, each in its own place, so that each must be found.

premium-long      the body in JSON-LD
premium-one       the body zipped, in base64, in a comment
registered-long   a header with the length of the body
metered-long      the whole story for whoever calls himself Googlebot
/feed.xml         the body of premium-two
every full page   may be kept by shared caches
premium-marked    a wall with a placeholder
"""

from __future__ import annotations

import base64
import json
import sys
import zlib

from broadsheet.__main__ import main
from broadsheet.access.rules import Body, Cache, Decision
from broadsheet.gate import app, asgi, protocol
from broadsheet.newsroom import rules as _pure  # noqa: F401 - what follows needs Django and is patched when it is there

_robot = [False]


def _headline(story) -> str:
    return story.headline.split()[-2] + "-" + story.headline.split()[-1]


def plant_pages() -> None:
    from broadsheet.newsroom.queries import full_story
    from broadsheet.press import printer
    from broadsheet.website import feeds

    render, item = printer.render, feeds._item

    def planted(template: str, **values) -> str:
        html = render(template, **values)
        story = values.get("story")
        if values.get("wall") is None or story is None:
            return html
        body = full_story(story.id).body_html
        name = _headline(story)
        extra = {
            "premium-long": f'<script type="application/ld+json">{json.dumps({"articleBody": body})}</script>',
            "premium-one": f"<!-- {base64.b64encode(zlib.compress(body.encode())).decode()} -->",
            "premium-marked": "<p>You have read {{free_limit}} free articles.</p>",
        }.get(name, "")
        return html.replace("</main>", f"{extra}</main>")

    def planted_item(paper, card):
        element = item(paper, card)
        if _headline(card) == "premium-two":
            element[0].text += " " + full_story(card.id).body_html
        return element

    printer.render = planted
    printer.check_rendered = lambda html, key: html
    feeds._item = planted_item


def plant_gate() -> None:
    dress, decide, read = app.Gate._dress, app.decide, protocol.read_request

    def planted_dress(self, asked, sheet, cache, reason=""):
        full = sheet.key.endswith("/full")
        answer = dress(self, asked, sheet, app.PUBLIC if full else cache, reason)
        if b"registered-long" in asked.path and not full:
            whole = self.shelf._stores.full.get(sheet.key.rpartition("/")[0] + "/full")
            answer.add("X-Reading-Minutes", str(len(whole.plain) / 1000))
        return answer

    def planted_read(method, path, headers, names, **more):
        _robot[0] = b"metered-long" in path and any(
            b"Googlebot" in value for name, value in headers if name == b"user-agent"
        )
        return read(method, path, headers, names, **more)

    def planted_decide(policy, story, request, now):
        if _robot[0]:
            return Decision(Body.FULL, 200, "robot", Cache.PRIVATE)
        return decide(policy, story, request, now)

    app.Gate._dress, app.decide = planted_dress, planted_decide
    protocol.read_request = asgi.read_request = planted_read


def plant() -> None:
    from broadsheet.server import commands, setup

    start = setup.start_django

    def start_and_plant(**options) -> None:
        start(**options)
        plant_pages()

    commands.start_django = start_and_plant
    plant_gate()


if __name__ == "__main__":
    plant()
    sys.exit(main())
