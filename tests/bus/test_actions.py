from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction

from broadsheet import clock
from broadsheet.bus import actions, queries
from broadsheet.bus.models import Job, Notice

pytestmark = pytest.mark.django_db
heard = []


@dataclass(frozen=True, slots=True)
class Rang:
    number: int


def listen(event):
    heard.append(event)


def stumble(event):
    raise OSError(f"no line for {event.number}")


@pytest.fixture(autouse=True)
def table():
    heard.clear()
    kept = (dict(actions._handlers), dict(actions._by_name), dict(actions._events))
    actions.connect({Rang: (listen, stumble)})
    yield
    actions._handlers.update(kept[0])
    actions._by_name.update(kept[1])
    actions._events.update(kept[2])


def test_each_handler_hears_the_event_and_a_failing_one_keeps_its_error():
    actions.emit(Rang(7))
    assert heard == []
    assert actions.run_due_jobs() == 2
    assert heard == [Rang(7)]
    (left,) = queries.open_jobs()
    assert (left.event, left.attempts, left.error) == ("Rang", 1, "OSError: no line for 7")


def test_a_failed_job_waits_longer_each_time_and_is_never_given_up():
    actions.emit(Rang(7))
    waits = []
    for _ in range(7):
        Job.objects.filter(done_at=None).update(run_after=clock.now() - timedelta(seconds=1))
        before = clock.now()
        actions.run_due_jobs()
        waits.append(round((Job.objects.get(done_at=None).run_after - before).total_seconds()))
    assert waits == [1, 10, 60, 600, 3600, 3600, 3600]


def test_a_job_somebody_else_holds_is_left_alone_until_its_lease_ends():
    actions.emit(Rang(1))
    Job.objects.update(leased_until=clock.now() + timedelta(minutes=5))
    assert actions.run_due_jobs() == 0
    Job.objects.update(leased_until=clock.now() - timedelta(seconds=1))
    assert actions.run_due_jobs() == 2


def test_an_event_nobody_wired_is_an_error_at_once():
    @dataclass(frozen=True)
    class Unknown:
        pass

    with pytest.raises(LookupError, match="Unknown"):
        actions.emit(Unknown())
    assert not Job.objects.exists()


def test_notices_are_read_on_from_a_version():
    for number in (1, 2, 3):
        actions.announce("story", number, number)
    rows = queries.notices_since(0)
    assert [(row.kind, row.key, row.value) for row in rows] == [("story", "1", 1), ("story", "2", 2), ("story", "3", 3)]
    assert [row.key for row in queries.notices_since(rows[1].version)] == ["3"]


def test_what_is_done_is_forgotten_after_a_week():
    actions.emit(Rang(1))
    actions.announce("story", 1, 1)
    actions.run_due_jobs()
    actions.purge(clock.now() + timedelta(days=8))
    assert [job.handler.rsplit(".")[-1] for job in Job.objects.all()] == ["stumble"]
    assert Notice.objects.count() == 1  # the newest stays: versions must not begin again


def test_what_is_posted_stands_under_its_name_and_every_gate_hears_of_it():
    before = queries.last_notice()
    actions.post("policy", {"free_limit": 5})
    actions.post("policy", {"free_limit": 3, "zone": "Asia/Kolkata"})
    assert queries.standing("policy") == {"free_limit": 3, "zone": "Asia/Kolkata"}
    assert queries.standing("institutions") is None
    assert [(row.kind, row.key) for row in queries.notices_since(before)] == [("standing", "policy")] * 2


def test_what_is_posted_in_a_transaction_that_fails_is_neither_kept_nor_announced():
    actions.post("policy", {"free_limit": 5})
    before = queries.last_notice()
    with transaction.atomic():
        actions.post("policy", {"free_limit": 1})
        transaction.set_rollback(True)
    assert queries.standing("policy") == {"free_limit": 5}
    assert queries.last_notice() == before
