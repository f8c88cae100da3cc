"""A reader who pays at a till of its own and never comes back: real processes, and the till's message alone."""

import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.papers import Paper

ROOT = Path(__file__).parent.parent.parent
SECRET = "shared-between-two"
ORDER = """
from broadsheet import clock
from broadsheet.readers.models import Reader
from broadsheet.subscriptions import actions
from broadsheet.subscriptions.models import Plan
reader = Reader.objects.create(email={email!r}, created_at=clock.now())
code = Plan.objects.order_by('pk').first().code
made = actions.start_checkout(reader_id=reader.pk, plan_code=code, now=clock.now())
result = [made.subscription_id, made.url]
"""
STATE = """
from broadsheet.payments.models import JournalEntry, Payment, WebhookEvent
from broadsheet.subscriptions.models import Subscription
result = {{
    "status": Subscription.objects.get(pk={pk}).status,
    "payments": list(Payment.objects.filter(key__startswith="checkout:{pk}:").values_list("provider", "status")),
    "messages": list(WebhookEvent.objects.order_by("pk").values_list("provider", "status")),
}}
"""


class Stay(urllib.request.HTTPRedirectHandler):
    def http_error_303(self, _request, answer, *_):
        return answer


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    folder = tmp_path_factory.mktemp("road")
    made = Paper(folder / "data")
    hook = f"http://127.0.0.1:{made.port}/hooks/sandbox-http/"
    till = subprocess.Popen(
        [sys.executable, "-m", "broadsheet", "till", "--book", folder / "till.sqlite3", "--port", "0", "--webhooks", hook],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "BROADSHEET_SANDBOX_SECRET": SECRET},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    made.env |= {
        "BROADSHEET_SANDBOX_URL": till.stdout.readline().split()[-1],
        "BROADSHEET_SANDBOX_SECRET": SECRET,
        "BROADSHEET_PAYMENT_PROVIDER": "sandbox-http",
    }
    made.init().start()
    yield made
    made.stop()
    till.terminate()
    till.wait(10)


def till(paper, path, body):
    request = urllib.request.Request(
        paper.env["BROADSHEET_SANDBOX_URL"] + path, body, {"Authorization": f"Bearer {SECRET}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def press(url):
    opener = urllib.request.build_opener(Stay)
    with opener.open(
        urllib.request.Request(url, urllib.parse.urlencode({"answer": "pay"}).encode()), timeout=10
    ) as page:
        return page.headers["Location"]


def wait_for(paper, pk, status):
    until = time.monotonic() + 30
    while (state := paper.python(STATE.format(pk=pk)))["status"] != status:
        assert time.monotonic() < until, state
        time.sleep(0.2)
    return state


def test_paid_and_never_seen_again(paper):
    till(paper, "/v1/webhooks", b'{"mode": "duplicate"}')
    pk, url = paper.python(ORDER.format(email="asha@reader.example"))
    assert url.startswith(paper.env["BROADSHEET_SANDBOX_URL"])
    assert paper.python(STATE.format(pk=pk))["status"] == "incomplete"
    assert press(url).startswith(f"http://localhost:{paper.port}/")
    state = wait_for(paper, pk, "active")
    assert state["payments"] == [["sandbox-http", "succeeded"]]
    assert state["messages"] == [["sandbox-http", "done"]]


def test_a_forged_message_moves_nothing(paper):
    till(paper, "/v1/webhooks", b'{"mode": "tamper"}')
    pk, url = paper.python(ORDER.format(email="ravi@reader.example"))
    before = len(paper.python(STATE.format(pk=pk))["messages"])
    press(url)
    time.sleep(1)
    state = paper.python(STATE.format(pk=pk))
    assert (state["status"], len(state["messages"])) == ("incomplete", before)
    # What the message could not say is found when the books are compared.
    assert paper.run("--json", "billing", "reconcile").returncode == 0
    assert wait_for(paper, pk, "active")["payments"] == [["sandbox-http", "succeeded"]]
