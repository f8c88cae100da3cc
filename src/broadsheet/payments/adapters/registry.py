"""Where providers are found.

The sandbox till and payments by hand are built in; Stripe and Razorpay are there when their keys are. Another package
adds a provider by an entry point of the group `broadsheet.payment_providers`: its name is the provider's code, its
object a class without constructor arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points

from django.conf import settings

from broadsheet.payments.adapters import Provider
from broadsheet.payments.adapters.manual import ManualTill
from broadsheet.payments.adapters.razorpay import RazorpayTill
from broadsheet.payments.adapters.sandbox import SandboxTill
from broadsheet.payments.adapters.sandbox_http import SandboxHttpTill
from broadsheet.payments.adapters.stripe import StripeTill

GROUP = "broadsheet.payment_providers"
# A provider is installed when these options are set. Of several that move money the first is preferred.
BUILT_IN: tuple[tuple[Callable[[], Provider], tuple[str, ...]], ...] = (
    (RazorpayTill, ("razorpay_key_id", "razorpay_key_secret")),
    (StripeTill, ("stripe_key",)),
    (SandboxHttpTill, ("sandbox_url", "sandbox_secret")),
    (SandboxTill, ()),
    (ManualTill, ()),
)


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider of this installation by its code, the preferred first."""
    found: dict[str, Provider] = {}
    for entry in entry_points(group=GROUP):
        found[entry.name] = entry.load()()
    for make, needed in BUILT_IN:
        if all(getattr(settings.BROADSHEET, name) for name in needed):
            till = make()
            found.setdefault(till.code, till)
    return found


def provider(code: str) -> Provider:
    """Raises LookupError for a provider that is not installed here."""
    try:
        return providers()[code]
    except KeyError:
        raise LookupError(f"No payment provider {code!r} is installed.") from None


def checkout_provider() -> Provider:
    """The till new readers are sent to: the one the option `payment_provider` names, else the first with a page of its
    own that moves money, else a sandbox. LookupError when the option names none that is installed."""
    chosen = settings.BROADSHEET.payment_provider
    if chosen:
        return provider(chosen)
    pages = [till for till in providers().values() if till.capabilities.mandates]
    return next((till for till in pages if not till.sandbox), pages[0])


def all_sandboxed() -> bool:
    """Whether nobody is charged here: no provider moves money by itself, and none was chosen that waits for it."""
    return checkout_provider().sandbox and all(
        till.sandbox for till in providers().values() if till.capabilities.mandates
    )
