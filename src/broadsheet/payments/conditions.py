"""The conditions of partial indexes, written out.

A database uses such an index only when it reads the condition itself; Django would hand the words over as parameters,
and every look would go through the whole table. Each is for a query that starts from its own table.
"""

from __future__ import annotations

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL


def _words(sql: str) -> RawSQL:
    return RawSQL(sql, [], output_field=BooleanField())  # noqa: S611 - the three below, without any value


UNRESOLVED = _words("payments_payment.status IN ('pending', 'processing')")
PENDING_REFUND = _words("payments_refund.status = 'pending'")
RECEIVED = _words("payments_webhookevent.status = 'received'")
