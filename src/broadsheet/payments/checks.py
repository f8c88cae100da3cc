"""Misconfiguration of payments, told when the program starts."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, register
from django.core.checks import Warning as CheckWarning

from broadsheet.payments.adapters import registry


@register()
def no_real_till(**_: object) -> list[CheckMessage]:
    """A paper whose only till is the sandbox gives its subscriptions away."""
    if settings.BROADSHEET.demo or not registry.all_sandboxed():
        return []
    return [
        CheckWarning(
            "The only payment provider is the sandbox till: readers can subscribe and nobody is charged.",
            hint="Install a payment provider before you open the paper to the public.",
            id="broadsheet.payments.W001",
        )
    ]
