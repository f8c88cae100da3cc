"""The addresses that letters carry: signed, so that whoever has the letter needs no account to use them, and nobody can
make one up. A link says which subscription it is for and nothing else; it does not grow stale, for what it may do is
decided when it is used."""

from __future__ import annotations

from django.conf import settings
from django.core import signing

_PAY = "broadsheet.subscriptions.pay"
_WITHDRAW = "broadsheet.subscriptions.withdraw"


def pay_token(subscription_id: int) -> str:
    """For `/pay/<token>/`: what is open can be paid there."""
    return _token(subscription_id, _PAY)


def read_pay_token(token: str) -> int | None:
    """The subscription a pay link is for; None for anything we did not sign."""
    return _read(token, _PAY)


def withdraw_token(subscription_id: int) -> str:
    """For `/withdraw/<token>/`: the contract can be withdrawn from there, in two steps."""
    return _token(subscription_id, _WITHDRAW)


def read_withdraw_token(token: str) -> int | None:
    """The subscription a withdrawal link is for; None for anything we did not sign."""
    return _read(token, _WITHDRAW)


def _token(subscription_id: int, salt: str) -> str:
    return signing.Signer(salt=salt).sign(str(subscription_id)).replace(":", ".", 1)


def _read(token: str, salt: str) -> int | None:
    try:
        return int(signing.Signer(salt=salt).unsign(token.replace(".", ":", 1)))
    except (signing.BadSignature, ValueError):
        return None


def _at(path: str) -> str:
    return f"{settings.BROADSHEET.public_url}{path}"


def pay_link(subscription_id: int) -> str:
    return _at(f"/pay/{pay_token(subscription_id)}/")


def withdraw_link(subscription_id: int) -> str:
    return _at(f"/withdraw/{withdraw_token(subscription_id)}/")


def gift_link(token: str) -> str:
    """Where a present is redeemed."""
    return _at(f"/gift/{token}/")


def seat_link(token: str) -> str:
    """Where an invitation to a seat is accepted."""
    return _at(f"/seat/{token}/")


def account_link() -> str:
    return _at("/account/")


def mandate_link() -> str:
    """Where a reader allows later charges by another card or address."""
    return _at("/account/payment-method/")


def invoice_link(number: str) -> str:
    return _at(f"/account/invoices/{number}/")


def plans_link() -> str:
    return _at("/subscribe/")


def plan_link(code: str) -> str:
    return _at(f"/subscribe/{code}/")


def cancel_link() -> str:
    """The first of the two clicks."""
    return _at("/account/subscription/cancel/")


def seats_link() -> str:
    return _at("/account/seats/")


def note_link(number: str) -> str:
    """A credit note."""
    return _at(f"/account/credit-notes/{number}/")
