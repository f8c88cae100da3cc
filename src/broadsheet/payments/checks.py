"""Misconfiguration of payments, told when the program starts."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, register
from django.core.checks import Error as CheckError
from django.core.checks import Warning as CheckWarning

from broadsheet.payments.adapters import registry

# Options that are worth nothing without the other.
TOGETHER = (
    ("razorpay_key_id", "razorpay_key_secret"),
    ("razorpay_key_secret", "razorpay_key_id"),
    ("razorpay_key_id", "razorpay_webhook_secret"),
    ("stripe_key", "stripe_webhook_secret"),
    ("sandbox_url", "sandbox_secret"),
)
# Rupees by AutoPay and e-mandate are Razorpay's and Stripe's; their keys for trying things out begin like this.
TRIAL_KEYS = (("razorpay_key_id", "rzp_test_"), ("stripe_key", "sk_test_"), ("stripe_key", "rk_test_"))


@register()
def no_real_till(**_: object) -> list[CheckMessage]:
    """A paper whose only till is the sandbox gives its subscriptions away."""
    if settings.BROADSHEET.demo or _unknown_provider() or not registry.all_sandboxed():
        return []
    return [
        CheckWarning(
            "The only payment provider is the sandbox till: readers can subscribe and nobody is charged.",
            hint="Write the keys of a payment provider (docs/providers.md) before you open the paper to the public.",
            id="broadsheet.payments.W001",
        )
    ]


@register()
def providers_configured(**_: object) -> list[CheckMessage]:
    """Keys that miss their other half, a provider that is not there, details that nobody wrote."""
    options, found = settings.BROADSHEET, list[CheckMessage]()
    for given, missing in TOGETHER:
        if getattr(options, given) and not getattr(options, missing):
            message = f"{given} is set and {missing} is not: the provider is left out, or its messages are refused."
            found.append(CheckError(message, hint=f"Set {missing}, or neither.", id="broadsheet.payments.E001"))
    if _unknown_provider():
        known = ", ".join(sorted(registry.providers()))
        message = f"payment_provider = {options.payment_provider!r} is not installed here; there are {known}."
        hint = "Write its keys, or choose one of those."
        found.append(CheckError(message, hint=hint, id="broadsheet.payments.E002"))
    if options.payment_provider == "manual" and not options.bank_details.strip():
        message = "Readers are to pay by transfer, and nobody told them where to."
        found.append(CheckWarning(message, hint="Write bank_details.", id="broadsheet.payments.W002"))
    for name, begins in TRIAL_KEYS:
        if options.https and not options.demo and getattr(options, name).startswith(begins):
            message = f"{name} is a key for trying things out: nobody is charged in earnest."
            hint = "Write the live key when the paper opens."
            found.append(CheckWarning(message, hint=hint, id="broadsheet.payments.W003"))
    return found


@register()
def publisher_named(**_: object) -> list[CheckMessage]:
    """Invoices in rupees that do not say who sends them from which State are no tax invoices."""
    options = settings.BROADSHEET
    if options.demo or options.currency != "INR" or registry.all_sandboxed():
        return []
    missing = [
        name for name in ("publisher_state", "publisher_gstin", "publisher_address") if not getattr(options, name)
    ]
    if not missing:
        return []
    message = f"Invoices lack what the law asks for: {', '.join(missing)} is not written."
    hint = "Write it in broadsheet.toml; docs/money.md says what it is for."
    return [CheckWarning(message, hint=hint, id="broadsheet.payments.W004")]


def _unknown_provider() -> bool:
    chosen = settings.BROADSHEET.payment_provider
    return bool(chosen) and chosen not in registry.providers()
