"""What every page of a journey is held to: nothing axe finds, nothing wider than the screen, no placeholder, on a light
phone and on a dark desk; and, for the whole visit, no request elsewhere and no error in the console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, Page

from broadsheet.subscriptions.rules import looks_unrendered

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def look(page: Page) -> None:
    """Look at a page as it stands, then leave it as it was."""
    as_it_was = page.viewport_size
    for size, scheme, rules in ((PHONE, "light", "{}"), (DESKTOP, "dark", "{runOnly: ['color-contrast']}")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        _hold(page, f"{page.url} at {size['width']} in {scheme}", rules)
    page.set_viewport_size(as_it_was)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")


def _hold(page: Page, where: str, rules: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{where}: {wide} px too wide"
    assert not looks_unrendered(page.locator("main").inner_text()), where
    page.evaluate(f"window.axe || (() => {{ {AXE} }})()")
    found = page.evaluate(f"axe.run(document, {rules})")["violations"]
    told = [(rule["id"], [node["html"][:160] for node in rule["nodes"]]) for rule in found]
    assert told == [], f"{where}: {told}"


@contextmanager
def visit(chromium: Browser, port: int, size: dict[str, int]) -> Iterator[Page]:
    """A browser of somebody's own. At its end nothing may have gone wrong that a reader would not see."""
    context = chromium.new_context(viewport=size, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    here = f"http://localhost:{port}/"
    page.on("request", lambda r: wrong.append(r.url) if not r.url.startswith((here, "data:")) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield page
    assert wrong == []
    context.close()


def sign_in(page: Page, port: int, email: str, wanted: str = "/account/") -> None:
    """By the code in the demo's mailbox."""
    page.goto(f"http://localhost:{port}/account/sign-in/?next={wanted}")
    page.get_by_label("Your email").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    mailbox = page.context.new_page()
    mailbox.goto(f"http://localhost:{port}/demo/mail")
    code = re.search(r"\b[A-Z0-9]{3,4}-[A-Z0-9]{3,4}\b", mailbox.locator("body").inner_text()).group()
    mailbox.close()
    page.locator("#code").fill(code)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{wanted}**")
