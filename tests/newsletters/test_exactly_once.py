"""A sending whose process is killed, over a real SMTP server in a process of its own: nobody gets a second copy, and by
the server's log everybody gets the first."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests import make
from tests.django_up import kept_database  # noqa: F401
from tests.newsletters.making import NOW, a_list, an_issue, subscribed

from broadsheet import clock
from broadsheet.mail.rules import settings_from_url
from broadsheet.newsletters import jobs, queries
from broadsheet.newsletters.actions import sending, signups
from broadsheet.newsletters.models import Address, Delivery, SignUp
from broadsheet.newsletters.post import message_name
from broadsheet.newsletters.sender import Sender

pytestmark = pytest.mark.django_db(transaction=True)
SINK = Path(__file__).parents[2] / "tools" / "smtp_sink.py"
MANY = 400


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder):
        self.folder, self.log, self.port = folder / "mails", folder / "maillog", free_port()
        self.folder.mkdir()
        self.log.touch()
        self.start()

    def start(self):
        command = [sys.executable, str(SINK), str(self.port), str(self.log), str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        self.process.kill()
        self.process.wait()

    def lines(self):
        return [line.split() for line in self.log.read_text().splitlines()]

    def recipients(self):
        return [line[0] for line in self.lines()]


@pytest.fixture
def server(tmp_path, settings):
    clock.stand_at(NOW)
    made = Server(tmp_path)
    for name, value in settings_from_url(f"smtp://127.0.0.1:{made.port}").items():
        setattr(settings, name, value)
    settings.BROADSHEET = type("Fast", (), {"__getattr__": _fast(settings.BROADSHEET)})()
    yield made
    made.stop()
    clock.stand_at(None)


def _fast(options, **changed):
    values = {"newsletter_rate": 0, "newsletter_connections": 3, **changed}
    return lambda _self, name: values[name] if name in values else getattr(options, name)


def a_crowd(one, count):
    at = NOW - timedelta(days=3)
    Address.objects.bulk_create(Address(email=f"r{n:05}@x.example", created_at=at) for n in range(count))
    SignUp.objects.bulk_create(
        SignUp(list=one, address_id=pk, status="on", asked_at=at, confirmed_at=at)
        for pk in Address.objects.order_by("pk").values_list("pk", flat=True)
    )


def killed_after(server, count):
    """Send in a process of its own until the server has taken `count` mails, then kill it as the kernel would."""
    connection.close()
    child = os.fork()
    if not child:
        try:
            jobs.send_due()
        finally:
            os._exit(0)
    until = time.monotonic() + 60
    while len(server.lines()) < count and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    clock.stand_at(clock.now() + timedelta(minutes=2))  # its lease lapses


def test_killed_twice_nobody_gets_a_second_copy_and_the_log_settles_the_rest(server):
    one = a_list()
    a_crowd(one, MANY)
    number = an_issue(one, [make.story(tier="free")])
    killed_after(server, 80)
    killed_after(server, 200)
    half = len(server.lines())
    assert 200 <= half < MANY
    jobs.send_due()
    done = queries.issue(number)
    assert done.status == "sent"
    got = server.recipients()
    assert len(got) == len(set(got)), "a second copy"
    # At most one mail a connection is in doubt after each kill, and no other is missing.
    assert done.doubtful <= 6
    assert done.sent + done.doubtful == MANY
    doubtful = set(Delivery.objects.filter(status="doubtful").values_list("address__email", flat=True))
    assert {f"r{n:05}@x.example" for n in range(MANY)} - set(got) <= doubtful

    known = {line[1].strip("<>").partition("@")[0] for line in server.lines()}

    def arrived(addresses):
        return [pk for pk in addresses if message_name(number, pk) in known]

    clock.stand_at(clock.now() + timedelta(minutes=5))
    sending.settle(issue_id=number, arrived=arrived, before=clock.now())
    jobs.send_due()
    got = server.recipients()
    assert sorted(got) == [f"r{n:05}@x.example" for n in range(MANY)]
    done = queries.issue(number)
    assert (done.status, done.sent, done.doubtful) == ("sent", MANY, 0)


def test_a_server_that_goes_away_loses_nobody(server, settings):
    one = a_list()
    a_crowd(one, 120)
    number = an_issue(one, [make.story(tier="free")])
    server.stop()
    connection.close()
    child = os.fork()
    if not child:
        try:
            clock.stand_at(None)
            clock.start_at(NOW)
            jobs.send_due()
        finally:
            os._exit(0)
    time.sleep(0.7)
    server.start()
    os.waitpid(child, 0)
    assert queries.issue(number).status == "sent"
    assert sorted(server.recipients()) == [f"r{n:05}@x.example" for n in range(120)]


def test_refusals_are_kept_and_a_dead_mailbox_gets_nothing_more(server):
    one = a_list()
    for name in ("a@x.example", "refused.b@x.example", "busy.c@x.example"):
        subscribed(name, one)
    number = an_issue(one, [make.story(tier="free")])
    sender = sending_until_waiting(number)
    assert server.recipients() == ["a@x.example"]
    rows = dict(Delivery.objects.values_list("address__email", "status"))
    assert rows == {"a@x.example": "sent", "refused.b@x.example": "refused", "busy.c@x.example": "waiting"}
    assert queries.address_by_email("refused.b@x.example").suppressed == "bounce"
    assert queries.address_by_email("busy.c@x.example").suppressed == ""
    assert sender.status == "sending"
    for _ in range(5):
        clock.stand_at(clock.now() + timedelta(hours=9))
        sending_until_waiting(number)
    done = queries.issue(number)
    assert (done.status, done.sent, done.refused) == ("sent", 1, 2)


def sending_until_waiting(number):
    """A run that is stopped as soon as all that is due was tried."""
    sender = Sender(number)
    sender._wait_for_more = sender.stop
    sender.run()
    return queries.issue(number)


def test_an_address_that_was_shut_out_by_hand_is_not_released_by_a_later_bounce(server):
    one = a_list()
    subscribed("a@x.example", one)
    card = queries.address_by_email("a@x.example")
    signups.suppress(address_id=card.id, why="manual", now=NOW)
    signups.suppress(address_id=card.id, why="soft", now=NOW)
    assert queries.address(card.id).suppressed == "manual"
