"""What the till of `sandbox_server` does for each request: JSON values in, JSON values out, and word to the paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs

from broadsheet.money import format_money
from broadsheet.payments.adapters import ChargeRequest, CheckoutRequest, MandateWish, RefundRequest, sandbox_notes
from broadsheet.payments.adapters import sandbox as book
from broadsheet.payments.adapters.sandbox_messages import instant, result_values
from broadsheet.payments.adapters.sandbox_sender import Sender
from broadsheet.payments.models import SandboxCharge, SandboxMandate

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox till</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<style>body{{font:1.1rem/1.5 Georgia,serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a}}
button{{font:inherit;padding:.6rem 1.2rem;margin:0 .6rem .6rem 0}}.mark{{border:2px dashed #a67c00;padding:.7rem 1rem}}
</style></head><body><p class="mark"><strong>Sandbox till.</strong> No money moves here, and no card is asked for.</p>
<h1>{title}</h1><p>{description}</p>{mandate}<form method="post">
<p><label><input type="checkbox" name="renewals_decline" value="1"> Let later renewals be declined</label></p>
<button name="answer" value="pay">{title}</button><button name="answer" value="decline">Decline</button></form>
</body></html>"""


def _at(value: str) -> datetime:
    read = instant(value)
    if read is None or read.tzinfo is None:
        raise ValueError("`at` is an instant with an offset.")
    return read


class Desk:
    """One till. Its instants are the paper's (`at` of each request), on its page the machine's."""

    def __init__(self, sender: Sender) -> None:
        self._till = book.SandboxTill()
        self._sender = sender

    def reading(self) -> dict[str, Callable[..., Any]]:
        return {"charge": self._fetch, "payments": self._payments, "idle": self._idle, "till": self._show}

    def writing(self) -> dict[str, Callable[..., Any]]:
        return {
            "checkouts": self._open,
            "charges": self._charge,
            "withdrawals": self._withdraw,
            "refunds": self._refund,
            "revocations": self._revoke,
            "disputes": self._dispute,
            "script": self._script,
            "webhooks": self._webhooks,
            "till": self._press,
        }

    def tell_late(self, since: datetime, until: datetime) -> None:
        """Word of money that became certain in `(since, until]` without anybody asking."""
        rows = SandboxCharge.objects.filter(decided_at__gt=since, decided_at__lte=until)
        for key, made in rows.values_list("key", "created_at"):
            if made < since:
                self._tell_charge(key, until)

    def _tell_charge(self, key: str, at: datetime) -> None:
        self._sender.tell(sandbox_notes.charge_note(key, at))

    def _open(self, *, mandate: dict[str, Any] | None, at: str, **fields: Any) -> dict[str, str]:
        wish = MandateWish(**mandate) if mandate else None
        return {"path": self._till.open_checkout(CheckoutRequest(**fields, mandate=wish, at=_at(at)))}

    def _charge(self, *, at: str, **fields: Any) -> dict[str, Any]:
        request = ChargeRequest(**fields, at=_at(at))
        new = self._till.fetch(request.key, request.at) is None
        try:
            result = self._till.charge(request)
        finally:
            # Told even when the till dies over it: providers' messages do not depend on our having had an answer.
            if new and self._till.fetch(request.key, request.at) is not None:
                self._tell_charge(request.key, request.at)
        return result_values(result)

    def _fetch(self, *, key: str, at: str) -> dict[str, Any]:
        result = self._till.fetch(key, _at(at))
        return {"result": result_values(result) if result else None}

    def _withdraw(self, *, key: str, at: str) -> dict[str, Any]:
        return result_values(self._till.withdraw(key, _at(at)))

    def _refund(self, *, at: str, **fields: Any) -> dict[str, Any]:
        result = self._till.refund(RefundRequest(**fields, at=_at(at)))
        if result.status == "succeeded":
            self._sender.tell(sandbox_notes.refund_note(fields["key"], _at(at)))
        return result_values(result)

    def _revoke(self, *, mandate_ref: str, at: str) -> dict[str, Any]:
        if SandboxMandate.objects.filter(ref=mandate_ref, revoked=False).exists():
            self._till.revoke_mandate(mandate_ref, _at(at))
            self._sender.tell(sandbox_notes.revoked_note(mandate_ref, _at(at)))
        return {}

    def _dispute(self, *, key: str, status: str, at: str) -> dict[str, Any]:
        self._sender.tell(sandbox_notes.dispute_note(key, status, _at(at)))
        return {}

    def _script(self, *, answers: list[str], customer: str = "") -> dict[str, Any]:
        book.script(answers, customer)
        return {}

    def _webhooks(self, *, mode: str, delay: float = 0.0) -> dict[str, Any]:
        self._sender.set_mode(mode, delay)
        return {}

    def _idle(self) -> dict[str, Any]:
        return {"idle": self._sender.idle()}

    def _payments(self, *, since: str, until: str) -> Iterator[dict[str, Any]]:
        for seen in self._till.list_payments(_at(since), _at(until)):
            yield {**asdict(seen), "at": seen.at.isoformat()}

    def _show(self, token: str, _body: str) -> tuple[int, str, str]:
        page = book.till_page(token)
        if page is None:
            return 404, "There is no such page.", ""
        if not page.open:
            return 303, "", page.return_url
        title = f"Pay {format_money(page.amount_minor, page.currency)}" if page.amount_minor else "Allow later payments"
        most = format_money(page.max_minor, page.currency) if page.max_minor is not None else "what the plan costs"
        mandate = (
            f"<p>You allow later debits ({escape(page.rail)}), at most {escape(most)} each.</p>" if page.rail else ""
        )
        return 200, _PAGE.format(title=escape(title), description=escape(page.description), mandate=mandate), ""

    def _press(self, token: str, body: str) -> tuple[int, str, str]:
        page, form = book.till_page(token), parse_qs(body)
        answer = form.get("answer", [""])[0]
        if page is None or answer not in ("pay", "decline"):
            return 404, "There is no such page.", ""
        now = datetime.now(UTC)
        try:
            book.decide(token=token, pay=answer == "pay", renewals_decline="renewals_decline" in form, now=now)
        finally:
            row = SandboxCharge.objects.get(token=token)
            if page.open and row.status != SandboxCharge.Status.OPEN:
                self._tell_charge(row.key, now)
        return 303, "", page.return_url
