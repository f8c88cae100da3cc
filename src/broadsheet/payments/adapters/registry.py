"""Where providers are found.

The sandbox till is built in. Another package adds a provider by an entry point of the group
`broadsheet.payment_providers`: its name is the provider's code, its object a class without constructor arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from broadsheet.payments.adapters import Provider
from broadsheet.payments.adapters.sandbox import SandboxTill

GROUP = "broadsheet.payment_providers"


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider of this installation by its code."""
    found: dict[str, Provider] = {SandboxTill.code: SandboxTill()}
    for entry in entry_points(group=GROUP):
        found[entry.name] = entry.load()()
    return found


def provider(code: str) -> Provider:
    """Raises LookupError for a provider that is not installed here."""
    try:
        return providers()[code]
    except KeyError:
        raise LookupError(f"No payment provider {code!r} is installed.") from None


def checkout_provider() -> Provider:
    """The till new readers are sent to: the first that moves money, else the sandbox."""
    found = list(providers().values())
    return next((p for p in found if not p.sandbox), found[0])


def all_sandboxed() -> bool:
    """Whether no provider here can move money."""
    return all(p.sandbox for p in providers().values())
