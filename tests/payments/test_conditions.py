"""The jobs that run every second look at what is open, never at all that ever was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from broadsheet.payments import inbox, reconcile
from broadsheet.payments.due_queries import next_check, next_pending_refund
from broadsheet.payments.queries import pending_refunds, unresolved_payments

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("job", "index"),
    [
        (lambda: next_check(NOW, lost_after=timedelta(minutes=10)), "payments_unresolved"),
        (lambda: unresolved_payments(kind="checkout", older_than=NOW, now=NOW), "payments_unresolved"),
        (lambda: reconcile.poll_unresolved(now=NOW), "payments_unresolved"),
        (lambda: next_pending_refund(NOW, alone=timedelta(minutes=5)), "payments_refund_pending"),
        (lambda: pending_refunds(now=NOW, older_than=NOW), "payments_refund_pending"),
        (lambda: inbox.process_received(now=NOW), "payments_webhook_open"),
        (lambda: inbox.process_failed(now=NOW), "payments_webhook_day"),
    ],
)
def test_every_look_is_by_its_index(job, index):
    if connection.vendor != "sqlite":
        pytest.skip("the plan is read in SQLite's words")
    asked = []

    def listen(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        job()
    assert asked
    with connection.cursor() as cursor:
        for sql, params in asked:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            assert any(index in row[3] for row in cursor.fetchall()), sql
