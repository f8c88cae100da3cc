"""A reader at the order's page, without a browser: reads the form, fills it in, presses a button."""

from __future__ import annotations

import html
import re
from datetime import date

from broadsheet.payments.models import TaxRate

INDIAN = {"country": "IN", "state": "Karnataka", "pin": "560001"}


def gst(code: str = "gst18", rate_bp: int = 1800) -> str:
    """A dated rate, as a publisher has it; its code."""
    TaxRate.objects.get_or_create(
        code=code,
        country="",
        valid_from=date(2017, 7, 1),
        defaults={"kind": "gst", "rate_bp": rate_bp, "sac": "998431"},
    )
    return code


def text(answer) -> str:
    """What a reader reads of a page."""
    words = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", words)))


def main(answer) -> str:
    """What stands between the paper's head and its foot."""
    return re.search(r"<main.*?</main>", answer.content.decode(), flags=re.DOTALL).group()


def hrefs(answer) -> list[str]:
    return re.findall(r'href="([^"]*)"', answer.content.decode())


def seen(answer) -> str:
    return re.search(r'name="seen" value="([^"]*)"', answer.content.decode()).group(1)


def order(client, code: str, rail: str = "card", path: str = "", **fields: str):
    """Fill the order in, look at its total, press a button: the answer to the press."""
    form = {**INDIAN, "quantity": "1", **fields, **({"next": path} if path else {})}
    looked = client.post(f"/subscribe/{code}/", form)
    if looked.status_code != 200:
        return looked
    return client.post(f"/subscribe/{code}/", {**form, "seen": seen(looked), "rail": rail})


def till(client, code: str, rail: str = "card", path: str = "", **fields: str) -> str:
    """The till's address."""
    answer = order(client, code, rail, path, **fields)
    assert answer.status_code == 302, text(answer)
    return answer.url


def buy(client, code: str, **more: str):
    """The whole road: the page of thanks."""
    return client.get(client.post(till(client, code, **more), {"answer": "pay"}).url)
