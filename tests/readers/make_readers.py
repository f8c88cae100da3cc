"""A browser that signs in as a reader would: form, letter, code."""

from __future__ import annotations

from django.test import Client

ADDRESS = "asha@example.org"


def ask(client: Client, email: str = ADDRESS, wanted: str = "") -> object:
    """Send the form. Returns the answer."""
    return client.post("/account/sign-in/", {"email": email, "next": wanted})


def code_in(letter: object) -> str:
    return letter.subject.split()[0]


def sign_in(client: Client, mailoutbox: list, email: str = ADDRESS, wanted: str = "") -> object:
    """The whole way in. Returns the answer to the right code."""
    ask(client, email, wanted)
    return client.post("/account/sign-in/code/", {"code": code_in(mailoutbox[-1]), "next": wanted})
