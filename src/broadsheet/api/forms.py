"""The staff's form of a client."""

from __future__ import annotations

from typing import Any

from django import forms

from broadsheet.api.actions import Draft
from broadsheet.api.queries import KINDS, SCOPES, ClientRow
from broadsheet.partners.queries import name_of, partner_codes


class Lines(forms.CharField):
    """One value a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), required=False, **kwargs)

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]


class ClientForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="As readers know it: they are asked whether to let it in.")
    kind = forms.ChoiceField(choices=list(KINDS.items()))
    partner = forms.ChoiceField(required=False, help_text="For a partner's client: which partner.")
    secret = forms.BooleanField(
        required=False, label="Keeps a secret", help_text="A server does; an app on a telephone or in a browser cannot."
    )
    tv = forms.BooleanField(
        required=False, label="Television or e-reader", help_text="Also signs in by a code typed on another screen."
    )
    redirect_uris = Lines(
        label="Addresses answers go to",
        help_text="One a line, letter by letter: https, an app's own scheme, 127.0.0.1.",
    )
    logout_uris = Lines(label="Addresses after logging out", help_text="One a line. Empty: the origins above.")
    scopes = forms.MultipleChoiceField(
        choices=[(name, f"{words} ({name})") for name, (words, _) in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=["openid"],
        help_text="What it may ask readers for. What is taken away here signs its readers out.",
    )
    rate = forms.IntegerField(min_value=0, initial=0, label="Requests a minute", help_text="0: as the options say.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = [(code, name_of(code) or code) for code in partner_codes()]
        self.fields["partner"].choices = [("", "None"), *found]

    def draft(self) -> Draft:
        given = self.cleaned_data
        return Draft(
            name=given["name"],
            kind=given["kind"],
            partner=given["partner"],
            public=not given["secret"],
            tv=given["tv"],
            redirect_uris=given["redirect_uris"],
            logout_uris=given["logout_uris"],
            scopes=given["scopes"],
            rate=given["rate"],
        )


def initial(row: ClientRow) -> dict[str, Any]:
    """A client as its form shows it."""
    return {
        "name": row.name,
        "kind": row.kind,
        "partner": row.partner,
        "secret": not row.public,
        "tv": row.tv,
        "redirect_uris": "\n".join(row.redirect_uris),
        "logout_uris": "\n".join(row.logout_uris),
        "scopes": list(row.scopes),
        "rate": row.rate,
    }
