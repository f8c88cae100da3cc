"""The sandbox till as a process of its own: asked over HTTP, its messages met as they come off the network."""

import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from broadsheet.payments import inbox
from broadsheet.payments.adapters import (
    ChargeRequest,
    CheckoutRequest,
    MandateSeen,
    MandateWish,
    NoAnswerError,
    RefundRequest,
    registry,
)
from broadsheet.payments.adapters.sandbox_http import SandboxHttpTill
from broadsheet.payments.models import Invoice, Payment, WebhookEvent
from tests.payments import make_payments as make

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parent.parent.parent
SECRET = "shared-between-two"


class Paper(ThreadingHTTPServer):
    """Takes whatever is posted, and answers as the inbox would have."""

    def __init__(self):
        self.taken = []
        self.busy = 0  # how many messages are turned away first
        super().__init__(("127.0.0.1", 0), _Paper)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Paper(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.busy:
            self.server.busy -= 1
            self.send_response(503)
        else:
            self.server.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Till:
    """The process, and what the paper's side of it needs."""

    def __init__(self, folder, paper):
        self.paper = paper
        url = f"http://127.0.0.1:{paper.server_port}/hooks/sandbox-http/"
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "broadsheet.payments.adapters.sandbox_server", "--book", folder / "till.sqlite3",
                "--port", "0", "--webhooks", url, "--hang", "0.2", "--late", "1",
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "BROADSHEET_SANDBOX_SECRET": SECRET},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.url = self.process.stdout.readline().split()[-1]
        self.side = SandboxHttpTill(timeout=5)

    def control(self, path, **values):
        return self.side._one("POST", f"/v1/{path}", values)

    def settled(self):
        """Wait until everything that will be told has been told."""
        until = time.monotonic() + 20
        while not self.side._one("GET", "/v1/idle", {})["idle"]:
            assert time.monotonic() < until
            time.sleep(0.02)
        return self.paper.taken

    def press(self, key, answer="pay", **checkout):
        fields = {"amount_minor": 90_000, "currency": "INR", "description": "A quarter", "return_url": "/back"}
        url = self.side.open_checkout(
            CheckoutRequest(
                key, at=now(), customer="reader:1", mandate=MandateWish("card", 500_000), **fields, **checkout
            )
        )
        form = urllib.parse.urlencode({"answer": answer}).encode()
        opener = urllib.request.build_opener(_Stay)
        with opener.open(urllib.request.Request(url, form), timeout=10) as page:
            return page.status, page.headers["Location"]


class _Stay(urllib.request.HTTPRedirectHandler):
    def http_error_303(self, _request, answer, *_):
        return answer


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    paper = Paper()
    made = Till(tmp_path_factory.mktemp("till"), paper)
    yield made
    made.process.terminate()
    made.process.wait(10)
    paper.shutdown()


@pytest.fixture(autouse=True)
def options(settings, till):
    settings.BROADSHEET = replace(
        settings.BROADSHEET, sandbox_url=till.url, sandbox_secret=SECRET, public_url="http://paper.example"
    )
    registry.providers.cache_clear()
    till.control("webhooks", mode="normal")
    till.settled()
    till.paper.taken.clear()
    yield
    registry.providers.cache_clear()


@pytest.fixture
def roads():
    undo = make.connect()
    yield
    undo()


def charge(till, key, mandate_ref, amount=90_000):
    return till.side.charge(ChargeRequest(key, amount, "INR", "A quarter", mandate_ref, now()))


def deliver(taken):
    return [inbox.receive(provider="sandbox-http", headers=h, body=b, now=now()) for h, b in taken]


def test_the_whole_interface_over_http(till):
    assert till.side.fetch("all-1", now()) is None
    assert till.press("all-1") == (303, "http://paper.example/back")
    paid = till.side.fetch("all-1", now())
    assert (paid.status, paid.mandate) == (
        "succeeded",
        MandateSeen(paid.mandate.ref, "card", 500_000, "Sandbox card ending 4242"),
    )
    assert till.side.withdraw("all-1", now()) == paid
    renewed = charge(till, "all-2", paid.mandate.ref)
    assert renewed.status == "succeeded"
    assert charge(till, "all-2", paid.mandate.ref) == renewed
    back = till.side.refund(RefundRequest("all-r", "all-2", renewed.provider_ref, 30_000, "INR", "asked", now()))
    assert back.status == "succeeded"
    till.side.revoke_mandate(paid.mandate.ref, now())
    assert charge(till, "all-3", paid.mandate.ref).failure_code == "no_mandate"
    seen = [p for p in till.side.list_payments(now() - timedelta(hours=1), now()) if p.key.startswith("all-")]
    assert [(p.key, p.status, p.amount_minor, p.refunded_minor) for p in seen] == [
        ("all-1", "succeeded", 90_000, 0),
        ("all-2", "succeeded", 90_000, 30_000),
        ("all-3", "failed", 90_000, 0),
    ]


def test_no_answer_is_told_as_none_and_the_key_can_be_asked_again(till):
    till.press("silent-1")
    mandate = till.side.fetch("silent-1", now()).mandate.ref
    till.control("script", answers=["timeout", "crash_after_charge"])
    with pytest.raises(NoAnswerError):
        charge(till, "silent-2", mandate)
    assert till.side.fetch("silent-2", now()) is None
    assert charge(till, "silent-2", mandate).status == "succeeded"
    with pytest.raises(NoAnswerError):
        charge(till, "silent-3", mandate)
    assert till.side.fetch("silent-3", now()).status == "succeeded"


def test_a_till_that_is_slower_than_we_wait(till):
    till.press("slow-1")
    mandate = till.side.fetch("slow-1", now()).mandate.ref
    till.control("script", answers=["timeout"])
    hasty = SandboxHttpTill(timeout=0.05)
    with pytest.raises(NoAnswerError):
        hasty.charge(ChargeRequest("slow-2", 90_000, "INR", "A quarter", mandate, now()))


def test_a_till_that_is_not_there(settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, sandbox_url="http://127.0.0.1:9")
    with pytest.raises(NoAnswerError):
        SandboxHttpTill().fetch("k", now())


def test_a_till_of_another_paper(settings):
    settings.BROADSHEET = replace(settings.BROADSHEET, sandbox_secret="another")
    with pytest.raises(NoAnswerError, match="401"):
        SandboxHttpTill().fetch("k", now())


@pytest.mark.parametrize("mode", ["normal", "duplicate", "reverse"])
def test_its_messages_pay_the_invoice_once_in_any_order(till, roads, mode):
    make.attempt(f"{mode}-1", provider="sandbox-http")
    till.control("webhooks", mode=mode)
    till.control("script", answers=["late_ok"])
    till.press(f"{mode}-1")
    until = time.monotonic() + 20
    while till.side.fetch(f"{mode}-1", now()).status != "succeeded":
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(1.2)  # two looks of the till for money that became certain
    till.control("webhooks", mode="normal")
    taken = till.settled()
    statuses = [b'"status": "processing"' in body for _, body in taken]
    expected = {"normal": [True, False], "duplicate": [True] * 3 + [False] * 3, "reverse": [False, True]}
    assert statuses == expected[mode]
    assert deliver(taken) == [200] * len(taken)
    inbox.process_received(now=now())
    assert WebhookEvent.objects.count() == 2
    assert (Payment.objects.get().status, Invoice.objects.get().paid_minor) == ("succeeded", 90_000)


def test_a_message_on_the_way_is_lost_or_altered(till, roads):
    make.attempt("spoilt-1", provider="sandbox-http")
    till.control("webhooks", mode="lose")
    till.press("spoilt-1")
    assert till.settled() == []
    till.control("webhooks", mode="tamper")
    till.press("spoilt-2")
    assert deliver(till.settled()) == [400]
    assert not WebhookEvent.objects.exists()
    assert Payment.objects.get().status == "pending"


def test_a_paper_that_is_busy_is_told_again(till):
    till.paper.busy = 2
    till.press("busy-1")
    assert len(till.settled()) == 1
    assert till.paper.busy == 0


def test_a_dispute_and_a_revocation_are_told_too(till, roads):
    payment = make.attempt("told-1", provider="sandbox-http")
    till.press("told-1")
    mandate = till.side.fetch("told-1", now()).mandate.ref
    till.control("disputes", key="told-1", status="opened", at=now().isoformat())
    till.side.revoke_mandate(mandate, now())
    till.side.revoke_mandate(mandate, now())
    assert deliver(till.settled()) == [200, 200, 200]
    inbox.process_received(now=now())
    payment.refresh_from_db()
    assert (payment.status, payment.mandate.status, payment.disputes.get().status) == ("succeeded", "revoked", "opened")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/v1/charges", b"{}", 400), ("/v1/charges", b"[1", 400), ("/v1/nothing", b"{}", 404), ("/till/none/", b"", 404)],
)
def test_nonsense_is_refused(till, path, body, status):
    request = urllib.request.Request(till.url + path, body, {"Authorization": f"Bearer {SECRET}"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == status


def test_without_a_secret_it_does_not_start(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "broadsheet.payments.adapters.sandbox_server", "--book", tmp_path / "book"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "BROADSHEET_SANDBOX_SECRET": ""},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "--secret is missing" in done.stderr
    assert not (tmp_path / "book").exists()
