"""Providers' messages: kept only when they are theirs, understood once, in any order, any number of times."""

import itertools
from datetime import timedelta

import pytest

from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.bus.models import Job
from broadsheet.payments import actions, crash, inbox, ports
from broadsheet.payments.adapters import RefundRequest, sandbox, sandbox_messages, sandbox_notes
from broadsheet.payments.adapters.registry import provider
from broadsheet.payments.models import Dispute, Invoice, JournalEntry, Mandate, Payment, Refund, WebhookEvent
from tests.payments import make_payments as make

pytestmark = pytest.mark.django_db
NOW = make.NOW
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def roads():
    undo = make.connect()
    yield
    undo()


def send(note, at=NOW, **changes):
    message = sandbox_notes.message(note, at)
    fields = {"provider": "sandbox", "headers": message.headers, "body": message.body, "now": at, **changes}
    return inbox.receive(**fields)


def picture():
    models = (Invoice, Payment, Mandate, Refund, Dispute, JournalEntry)
    return [list(model.objects.order_by("pk").values()) for model in models]


def event():
    return WebhookEvent.objects.get()


@pytest.fixture
def paid():
    """Money is at the till; nobody here knows."""
    payment = make.attempt()
    make.press(payment)
    return payment


def test_a_message_is_kept_as_it_came_and_understood_by_a_job(paid):
    note = sandbox_notes.charge_note("k1", NOW)
    before = picture()
    assert send(note) == 200
    assert (event().event_id, event().status, event().received_at) == (note.event_id, "received", NOW)
    assert bytes(event().body) == sandbox_notes.message(note, NOW).body
    assert picture() == before
    run_due_jobs()
    assert (event().status, event().error) == ("done", "")
    assert Payment.objects.get().status == "succeeded"
    assert Invoice.objects.get().status == "paid"


def test_three_times_the_same_is_one_entry_in_the_books(paid):
    note = sandbox_notes.charge_note("k1", NOW)
    assert [send(note) for _ in range(3)] == [200, 200, 200]
    assert inbox.process_received(now=NOW) == 1
    once = picture()
    assert send(note) == 200
    assert inbox.process_received(now=NOW) == 0
    assert WebhookEvent.objects.count() == 1
    assert Job.objects.filter(event="WebhookReceived").count() == 1
    assert picture() == once


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["waiting", "settled", "settled"]))))
def test_in_any_order_the_end_is_the_same(order):
    sandbox.script(["late_ok"])
    make.press(make.attempt())
    notes = {"waiting": sandbox_notes.charge_note("k1", NOW), "settled": sandbox_notes.charge_note("k1", NOW + DAY)}
    assert [notes[name].result.status for name in ("waiting", "settled")] == ["processing", "succeeded"]
    for name in order:
        send(notes[name], NOW + DAY)
        inbox.process_received(now=NOW + DAY)
    assert (Payment.objects.get().status, Payment.objects.get().settled_at) == ("succeeded", NOW + DAY)
    assert (Invoice.objects.get().status, Invoice.objects.get().paid_minor) == ("paid", 90_000)


@pytest.mark.parametrize("spoil", ["body", "signature", "none", "old", "early", "other"])
def test_what_the_provider_did_not_sign_leaves_no_trace(paid, spoil):
    note = sandbox_notes.charge_note("k1", NOW)
    message = sandbox_notes.message(note, NOW)
    headers, body, now = dict(message.headers), message.body, NOW
    if spoil == "body":
        body = body.replace(b'"amount_minor": 90000', b'"amount_minor": 90001')
        assert body != message.body
    elif spoil == "signature":
        headers[sandbox_messages.HEADER] = headers[sandbox_messages.HEADER][:-1] + "x"
    elif spoil == "none":
        del headers[sandbox_messages.HEADER]
    elif spoil == "old":
        now = NOW + timedelta(minutes=5, seconds=1)
    elif spoil == "early":
        now = NOW - timedelta(minutes=5, seconds=1)
    else:
        headers = dict(sandbox_messages.signed(note, b"another till's secret", NOW).headers)
    before = picture()
    assert inbox.receive(provider="sandbox", headers=headers, body=body, now=now) == 400
    assert not WebhookEvent.objects.exists()
    assert not Job.objects.filter(event="WebhookReceived").exists()
    assert inbox.process_received(now=NOW) == 0
    assert picture() == before


def test_a_message_is_believed_for_five_minutes(paid):
    message = sandbox_notes.message(sandbox_notes.charge_note("k1", NOW), NOW)
    later = NOW + timedelta(minutes=5)
    assert inbox.receive(provider="sandbox", headers=message.headers, body=message.body, now=later) == 200


def test_a_provider_nobody_installed(paid):
    assert send(sandbox_notes.charge_note("k1", NOW), provider="stranger") == 404
    assert not WebhookEvent.objects.exists()


def test_too_much_to_keep():
    assert inbox.receive(provider="sandbox", headers={}, body=b" " * (inbox.MOST_BYTES + 1), now=NOW) == 413
    assert not WebhookEvent.objects.exists()


def test_signed_nonsense_is_no_message():
    body = b'{"kind": "charge"}'
    stamp = str(int(NOW.timestamp()))
    digest = sandbox_messages._digest(sandbox.webhook_secret(), stamp, body)
    headers = {sandbox_messages.HEADER: f"t={stamp},v1={digest}"}
    assert inbox.receive(provider="sandbox", headers=headers, body=body, now=NOW) == 400
    assert not WebhookEvent.objects.exists()


def test_a_refund_and_a_mandate_that_ended_come_the_same_road(paid):
    send(sandbox_notes.charge_note("k1", NOW))
    inbox.process_received(now=NOW)
    payment = Payment.objects.get()
    asked = actions.ask_refund(
        payment_id=payment.pk, amount_minor=30_000, key="r1", reason="asked", adjust=False, actor="staff:1", now=NOW
    )
    provider("sandbox").refund(RefundRequest("r1", "k1", payment.provider_ref, 30_000, "INR", "asked", NOW))
    assert asked.status == "pending"
    assert send(sandbox_notes.refund_note("r1", NOW)) == 200
    assert send(sandbox_notes.revoked_note(payment.mandate.provider_ref, NOW)) == 200
    inbox.process_received(now=NOW)
    assert Refund.objects.get().status == "succeeded"
    assert Mandate.objects.get().status == "revoked"
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"done"}


def test_a_dispute_names_the_charge_and_finds_its_payment(paid):
    opened = sandbox_notes.dispute_note("k1", "opened", NOW)
    assert opened.key == ""
    send(opened)
    inbox.process_received(now=NOW)  # before we have heard of the charge: nobody knows what it is about
    assert (event().status, "No payment here is" in event().error) == ("failed", True)
    assert not Dispute.objects.exists()
    send(sandbox_notes.charge_note("k1", NOW))
    inbox.process_received(now=NOW)
    assert inbox.process_failed(now=NOW) == 1
    send(sandbox_notes.dispute_note("k1", "won", NOW + DAY), NOW + DAY)
    inbox.process_received(now=NOW + DAY)
    assert [(d.status, d.amount_minor, d.payment_id) for d in Dispute.objects.all()] == [("won", 90_000, paid.pk)]


def test_what_failed_is_tried_again_for_three_days_and_by_hand_for_ever(paid):
    send(sandbox_notes.dispute_note("k1", "opened", NOW))
    inbox.process_received(now=NOW)
    Payment.objects.update(status="succeeded", provider_ref=sandbox_notes.charge_note("k1", NOW).charge_ref)
    assert inbox.process_failed(now=NOW + inbox.TRIED_AGAIN + timedelta(seconds=1)) == 0
    assert event().status == "failed"
    assert inbox.replay(event_pk=event().pk, now=NOW + 30 * DAY) == "done"
    assert Dispute.objects.get().opened_at == NOW + 30 * DAY
    before = picture()
    assert inbox.replay(event_pk=event().pk, now=NOW + 31 * DAY) == "done"
    assert picture() == before


def test_there_is_no_such_message():
    with pytest.raises(LookupError, match="no message 7"):
        inbox.replay(event_pk=7, now=NOW)


def test_one_message_that_cannot_be_followed_stops_no_other(paid):
    undo = ports.connect(
        record_result=actions.apply_payment_result,
        refund_result=actions.apply_refund_result,
        dispute=lambda **_: None,
        mandate_revoked=lambda **_: 1 / 0,
    )
    try:
        send(sandbox_notes.revoked_note("sm_9", NOW))
        send(sandbox_notes.charge_note("k1", NOW))
        assert inbox.process_received(now=NOW) == 2
    finally:
        undo()
    assert list(WebhookEvent.objects.order_by("pk").values_list("status", "error")) == [
        ("failed", "ZeroDivisionError: division by zero"),
        ("done", ""),
    ]
    assert Payment.objects.get().status == "succeeded"


@pytest.mark.parametrize("point", ["webhook_kept", "webhook_read", "webhook_followed"])
def test_whoever_dies_over_a_message_leaves_it_to_the_next(paid, point):
    def die(name):
        if name == point:
            raise crash.CrashError(name)

    before = crash.install(die)
    try:
        with pytest.raises(crash.CrashError):
            send(sandbox_notes.charge_note("k1", NOW)) and inbox.process_received(now=NOW)
    finally:
        crash.install(before)
    assert event().status == "received"
    assert inbox.process_received(now=NOW) == 1
    assert event().status == "done"
    assert (Payment.objects.get().status, Invoice.objects.get().paid_minor) == ("succeeded", 90_000)


def test_over_http(paid, client):
    note = sandbox_notes.charge_note("k1", clock.now())
    message = sandbox_notes.message(note, clock.now())
    headers = {sandbox_messages.HEADER: message.headers[sandbox_messages.HEADER]}

    def post(path="/hooks/sandbox/", body=message.body, sent=headers):
        return client.post(path, body, content_type="application/json", headers=sent).status_code

    assert post(sent={}) == 400
    assert post("/hooks/stranger/") == 404
    assert post(body=b" " * (inbox.MOST_BYTES + 1)) == 413
    assert client.get("/hooks/sandbox/").status_code == 405
    assert not WebhookEvent.objects.exists()
    assert [post(), post()] == [200, 200]
    assert (event().event_id, event().status) == (note.event_id, "received")
