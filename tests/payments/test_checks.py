"""What the start-up checks and the registry say of providers."""

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from broadsheet.payments.adapters import registry
from broadsheet.payments.adapters.sandbox import SandboxTill
from broadsheet.payments.checks import no_real_till, providers_configured, publisher_named

RAZORPAY = {"razorpay_key_id": "rzp_live_1", "razorpay_key_secret": "s", "razorpay_webhook_secret": "w"}
STRIPE = {"stripe_key": "sk_live_1", "stripe_webhook_secret": "w"}


class Bank(SandboxTill):
    code, sandbox = "bank", False


@pytest.fixture
def bank(monkeypatch):
    """Another package that brings a provider of its own."""
    entry = EntryPoint("bank", f"{__name__}:Bank", registry.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Bank)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == registry.GROUP else [])


@pytest.fixture(autouse=True)
def paper(settings):
    """A paper that is open to the public, with the options a test writes."""

    def write(**options):
        settings.BROADSHEET = replace(settings.BROADSHEET, **options)
        registry.providers.cache_clear()

    write(demo=False)
    yield write
    registry.providers.cache_clear()


def told(messages):
    return [message.id.rpartition(".")[2] for message in messages]


def test_a_public_paper_whose_only_till_is_the_sandbox_is_warned():
    (warning,) = no_real_till()
    assert "nobody is charged" in warning.msg
    assert warning.id == "broadsheet.payments.W001"
    assert providers_configured() == []


def test_the_demo_is_not(paper):
    paper(demo=True)
    assert no_real_till() == []


def test_a_provider_of_another_package_is_found_and_preferred(bank, paper):
    paper(**STRIPE)
    assert set(registry.providers()) == {"sandbox", "manual", "stripe", "bank"}
    assert registry.checkout_provider().code == "bank"
    assert not registry.all_sandboxed()
    assert no_real_till() == []


def test_a_provider_that_is_not_installed():
    with pytest.raises(LookupError, match="'stripe'"):
        registry.provider("stripe")


@pytest.mark.parametrize(
    ("options", "codes", "chosen"),
    [
        ({}, {"sandbox", "manual"}, "sandbox"),
        (STRIPE, {"stripe", "sandbox", "manual"}, "stripe"),
        (RAZORPAY, {"razorpay", "sandbox", "manual"}, "razorpay"),
        ({**RAZORPAY, **STRIPE}, {"razorpay", "stripe", "sandbox", "manual"}, "razorpay"),
        ({**RAZORPAY, **STRIPE, "payment_provider": "stripe"}, {"razorpay", "stripe", "sandbox", "manual"}, "stripe"),
        ({**STRIPE, "payment_provider": "manual"}, {"stripe", "sandbox", "manual"}, "manual"),
        ({"razorpay_key_id": "rzp_live_1"}, {"sandbox", "manual"}, "sandbox"),
        (
            {"sandbox_url": "http://127.0.0.1:8700", "sandbox_secret": "s"},
            {"sandbox-http", "sandbox", "manual"},
            "sandbox-http",
        ),
    ],
)
def test_a_provider_is_there_when_its_keys_are(paper, options, codes, chosen):
    paper(**options)
    assert set(registry.providers()) == codes
    assert registry.checkout_provider().code == chosen
    assert registry.all_sandboxed() is chosen.startswith("sandbox")


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (RAZORPAY, []),
        (STRIPE, []),
        ({"razorpay_key_id": "rzp_live_1"}, ["E001", "E001"]),
        ({**RAZORPAY, "razorpay_webhook_secret": ""}, ["E001"]),
        ({**STRIPE, "stripe_webhook_secret": ""}, ["E001"]),
        ({"sandbox_url": "http://127.0.0.1:8700"}, ["E001"]),
        ({"payment_provider": "stripe"}, ["E002"]),
        ({"payment_provider": "manual"}, ["W002"]),
        ({"payment_provider": "manual", "bank_details": "The Daily\nIFSC 1"}, []),
        ({**RAZORPAY, "razorpay_key_id": "rzp_test_1", "public_url": "https://paper.example"}, ["W003"]),
        ({**RAZORPAY, "razorpay_key_id": "rzp_test_1", "public_url": "http://localhost:8000"}, []),
    ],
)
def test_what_misses_its_other_half_is_said(paper, options, ids):
    paper(**options)
    assert told(providers_configured()) == ids


def test_a_paper_that_charges_in_rupees_says_who_it_is(paper):
    assert publisher_named() == []
    paper(**STRIPE)
    assert told(publisher_named()) == ["W004"]
    paper(publisher_state="Delhi", publisher_gstin="07AAACB1234C1ZH")
    assert "publisher_address is not written" in publisher_named()[0].msg
    paper(publisher_address="14 Press Lane")
    assert publisher_named() == []
    paper(publisher_address="", currency="EUR")
    assert publisher_named() == []


def test_no_key_is_ever_said_aloud(paper):
    paper(razorpay_key_id="rzp_live_sesame", stripe_key="sk_live_sesame", payment_provider="bank")
    assert "sesame" not in "".join(str(message) + str(message.hint) for message in providers_configured())


def test_an_unknown_provider_does_not_stop_the_other_checks(paper):
    paper(payment_provider="nobody")
    assert no_real_till() == []


def test_a_paper_without_their_keys_does_not_load_their_libraries():
    code = (
        "import sys; from broadsheet.payments.adapters import razorpay, stripe\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'stripe', 'razorpay', 'requests'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
