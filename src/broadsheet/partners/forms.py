"""Forms of the admin: they save through the actions, and a shared secret is written and never read."""

from __future__ import annotations

from typing import Any

from django import forms
from wagtail.admin.forms import WagtailAdminModelForm

from broadsheet.access.products import PRODUCTS
from broadsheet.partners.models import Offer, Partner, Welcome

LEAST_SECRET = 16


class PartnerForm(WagtailAdminModelForm):
    new_secret = forms.CharField(
        label="A new shared secret",
        required=False,
        strip=True,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Signs links and messages, both ways. At least 16 characters; it is stored sealed and never shown. "
        "Empty: it stays as it is.",
    )

    class Meta:
        model = Partner
        fields = ("name", "code", "words", "site", "active", "position", "client_id", "report_url")

    def clean_new_secret(self) -> str:
        given = str(self.cleaned_data["new_secret"])
        if given and len(given) < LEAST_SECRET:
            raise forms.ValidationError("At least 16 characters.")
        return given

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        signs = bool(cleaned.get("new_secret") or self.instance.secret)
        if cleaned.get("report_url") and not signs:
            self.add_error("new_secret", "Messages to the partner are signed: give a shared secret.")
        return cleaned


class OfferForm(WagtailAdminModelForm):
    plans = forms.CharField(
        required=False, help_text="Codes of plans, with commas. Empty: every plan that includes partner titles."
    )

    class Meta:
        model = Offer
        fields = (
            "partner", "name", "code", "kind", "words", "parts", "instructions", "url", "signature", "active",
            "position", "plans", "from_day", "within_days", "lasts_days", "per", "again", "most", "grace_days",
            "opens_at", "closes_at", "low_stock",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["plans"] = ", ".join(self.instance.plans or ())

    def clean_plans(self) -> list[str]:
        return [name.strip() for name in str(self.cleaned_data["plans"]).split(",") if name.strip()]


class WelcomeForm(WagtailAdminModelForm):
    products = forms.MultipleChoiceField(
        choices=[(product.code, product.benefit) for product in PRODUCTS], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Welcome
        fields = ("partner", "name", "code", "products", "lasts_days", "by_link", "active")
