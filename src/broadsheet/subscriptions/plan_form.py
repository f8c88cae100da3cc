"""The form a plan is edited with in the admin.

Its price is written here too: as a new version, never over an old one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.conf import settings
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.widgets import AdminDateInput

from broadsheet import clock
from broadsheet.dates import local_date
from broadsheet.money import format_money
from broadsheet.payments.queries import tax_codes
from broadsheet.subscriptions.actions import set_price, set_products
from broadsheet.subscriptions.models import Plan
from broadsheet.subscriptions.rules import RefusedError


class PlanForm(WagtailAdminModelForm):
    """Refuses to put on sale what has no price. A change of the price for those who have the plan needs a month's
    notice to them: an earlier day is taken all the same, and they are told as soon as they can be."""

    new_price = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        help_text="In whole units, such as 900. Empty: the price stays as it is.",
    )
    new_from = forms.DateField(
        label="The new price holds from", required=False, widget=AdminDateInput, help_text="Empty: from today."
    )
    existing_from = forms.DateField(
        label="and for those who have the plan from",
        required=False,
        widget=AdminDateInput,
        help_text="At their first renewal on or after that day; they are told a month before. Empty: they keep what "
        "they agreed to.",
    )

    class Meta:
        model = Plan
        fields = (
            "code",
            "name",
            "months",
            "trial_days",
            "tax",
            "tax_inclusive",
            "min_quantity",
            "max_quantity",
            "products",
            "position",
            "published",
            "retired",
        )
        widgets = {"products": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(code, code) for code in tax_codes()]
        self.fields["tax"] = forms.ChoiceField(choices=[("", "no tax"), *known], required=False)
        price = self.instance.prices.order_by("-new_from", "-id").first() if self.instance.pk else None
        self._priced = price is not None
        self._currency = price.currency if price else settings.BROADSHEET.currency
        if price is not None:
            now = format_money(price.amount_minor, price.currency)
            self.fields["new_price"].help_text = f"Now {now}, from {price.new_from:%d %b %Y}. Empty: it stays."

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if said.get("published") and not self._priced and not said.get("new_price"):
            self.add_error("new_price", "A plan without a price is not put on sale.")
        if said.get("min_quantity") and said.get("max_quantity") and said["max_quantity"] < said["min_quantity"]:
            self.add_error("max_quantity", "That is fewer than the fewest.")
        if said.get("existing_from") and not said.get("new_price"):
            self.add_error("existing_from", "Write the new price too.")
        return said

    def save(self, commit: bool = True) -> Plan:
        products = [product.pk for product in self.cleaned_data["products"]]
        before = list(self.instance.products.values_list("pk", flat=True)) if self.instance.pk else products
        self.cleaned_data["products"] = before  # what it unlocks is changed by the action, which tells who has it
        plan = super().save(commit=commit)
        set_products(plan_id=plan.pk, product_ids=products)
        amount = self.cleaned_data.get("new_price")
        if amount:
            try:
                set_price(
                    plan_code=plan.code,
                    amount_minor=int(amount.scaleb(get_currency_precision(self._currency))),
                    new_from=self.cleaned_data["new_from"] or local_date(clock.now(), settings.BROADSHEET.zone),
                    existing_from=self.cleaned_data["existing_from"],
                    currency=self._currency,
                )
            except RefusedError as refusal:
                raise forms.ValidationError(f"The price was not taken: {refusal.reason}.") from None
        return plan
