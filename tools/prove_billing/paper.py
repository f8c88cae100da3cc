"""A paper on which only billing runs: Django in this process, its tables, its readers, who all bought the month."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tools.prove_billing.plan import Plan

AMOUNT = 30_000


def start(folder: Path, plan: Plan, options: dict[str, str]) -> None:
    """Set Django up in this process, once, and make the tables."""
    for name in [name for name in os.environ if name.startswith(("BROADSHEET_", "DJANGO_"))]:
        del os.environ[name]
    options = {"time_zone": "Asia/Kolkata", "publisher_state": "Delhi", **options}
    if plan.database_url:
        options["database_url"] = plan.database_url
    (folder / "broadsheet.toml").write_text(
        "".join(f'{name} = "{value}"\n' for name, value in options.items()), "utf-8"
    )
    os.environ["BROADSHEET_DATA"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tools.prove_billing.settings"
    import django  # noqa: PLC0415 - reads its settings from the folder

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - as above

    from broadsheet.server.database import make_scratch  # noqa: PLC0415 - as above

    if plan.database_url:
        call_command("migrate", verbosity=0, interactive=False)
    else:
        make_scratch()


def sell(count: int, first: datetime | None, *, over_days: int = 3) -> dict[int, date]:
    """`count` readers who buy the month, on the days from `first` on, or now; the anchor of each subscription."""
    from broadsheet.readers.models import Reader  # noqa: PLC0415
    from broadsheet.subscriptions import actions  # noqa: PLC0415 - Django first
    from broadsheet.subscriptions.models import Plan as Offer  # noqa: PLC0415
    from broadsheet.subscriptions.models import Price, Product, Subscription  # noqa: PLC0415

    offer = Offer.objects.create(code="m", name="Monthly", months=1)
    Price.objects.create(plan=offer, amount_minor=AMOUNT, currency="INR", new_from=date(2000, 1, 1))
    for position, code in enumerate(("unlimited", "premium")):
        offer.products.add(Product.objects.create(code=code, name=code, benefit=code, position=position))
    anchors = {}
    for number in range(count):
        now = first + timedelta(days=number % over_days, seconds=number) if first else datetime.now(UTC)
        reader = Reader.objects.create(email=f"r{number}@readers.example", created_at=now)
        checkout = actions.start_checkout(reader_id=reader.pk, plan_code="m", now=now)
        _press(checkout.url, now)
        answer = actions.complete_checkout(subscription_id=checkout.subscription_id, now=now + timedelta(minutes=5))
        assert answer == "paid", answer
        row = Subscription.objects.get(pk=checkout.subscription_id)
        anchors[row.pk] = row.anchor
    return anchors


def _press(url: str, now: datetime) -> None:
    """The reader pays on the till's page."""
    from broadsheet.payments.adapters import sandbox  # noqa: PLC0415 - Django first

    if url.startswith("/till/"):
        sandbox.decide(token=url.removeprefix("/till/").removesuffix("/"), pay=True, now=now)
        return
    build_opener(_Stays).open(Request(url, urlencode({"answer": "pay"}).encode(), method="POST"), timeout=20)  # noqa: S310 - our own till


class _Stays(HTTPRedirectHandler):
    """Where the till sends the browser back to, nobody listens here."""

    def redirect_request(self, *_: object) -> None:
        return None

    def http_error_303(self, _req: object, fp: object, *_: object) -> object:
        return fp
