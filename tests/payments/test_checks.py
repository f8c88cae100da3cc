"""What the start-up check and the registry say of providers."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from broadsheet.payments.adapters import registry
from broadsheet.payments.adapters.sandbox import SandboxTill
from broadsheet.payments.checks import no_real_till


class Bank(SandboxTill):
    code, sandbox = "bank", False


@pytest.fixture
def bank(monkeypatch):
    """Another package that brings a provider of its own."""
    entry = EntryPoint("bank", f"{__name__}:Bank", registry.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Bank)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == registry.GROUP else [])
    registry.providers.cache_clear()
    yield
    registry.providers.cache_clear()


def test_a_public_paper_whose_only_till_is_the_sandbox_is_warned(settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, demo=False)
    (warning,) = no_real_till()
    assert "nobody is charged" in warning.msg
    assert warning.id == "broadsheet.payments.W001"


def test_the_demo_is_not(settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, demo=True)
    assert no_real_till() == []


def test_a_provider_of_another_package_is_found_and_preferred(bank, settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, demo=False)
    assert set(registry.providers()) == {"sandbox", "bank"}
    assert registry.checkout_provider().code == "bank"
    assert not registry.all_sandboxed()
    assert no_real_till() == []


def test_a_provider_that_is_not_installed():
    with pytest.raises(LookupError, match="'stripe'"):
        registry.provider("stripe")
