"""A paper with many subscribers: one reader buys on the product's own road, the database copies their rows.

Every copy is whole (reader, mandate, invoice with its lines and postings, payment, cover, grants, history, notices), so
that `billing check` finds nothing wrong with a million of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import connection, models, transaction
from tools.prove_billing import paper

ZONE = ZoneInfo("Asia/Kolkata")
BOUGHT = datetime(2027, 1, 10, 9, 0, tzinfo=ZONE)
DUE = datetime(2027, 2, 10, 0, 5, tzinfo=ZONE)
CHUNK = 100_000
# In the order of their foreign keys.
COPIED = (
    "readers.Reader", "payments.Mandate", "subscriptions.Subscription", "payments.Invoice", "payments.InvoiceLine",
    "payments.Deferral", "payments.JournalEntry", "payments.JournalLine", "payments.Payment", "subscriptions.Segment",
    "subscriptions.SubscriptionEvent", "subscriptions.Notice", "access.Grant",
)  # fmt: skip
# What names the reader or the document: the first one's words, and what they become for number {n}.
RENAMED = {
    "readers_reader.email": "'r' || {n} || '@readers.example'",
    "payments_mandate.provider_ref": "'m' || {n}",
    "payments_invoice.number": "{number}",
    "payments_invoice.key": "'subscription:' || {n} || ':period:' || {number}",
    "payments_invoice.subject": "'subscription:' || {n}",
    "payments_journalentry.key": "substr(key, 1, length(key) - 1) || {n}",
    "payments_journalentry.document": "{number}",
    "payments_payment.key": "'checkout:' || {n} || ':1'",
    "payments_payment.provider_ref": "'till_' || {n}",
    "subscriptions_notice.key": "{n} || substr(key, 2)",
    "access_grant.source": "'subscription:' || {n}",
}


def fill(count: int) -> None:
    """`count` subscribers, whose first month is over at DUE."""
    from broadsheet.bus.models import Job, Notice  # noqa: PLC0415 - Django first
    from broadsheet.payments.models import DocumentSeries, Mandate, Payment  # noqa: PLC0415
    from broadsheet.subscriptions import actions  # noqa: PLC0415

    paper.sell(1, BOUGHT)
    for day in range(1, 31):
        actions.run_due(now=BOUGHT + timedelta(days=day))  # what is told ahead was told
    Mandate.objects.update(provider="instant", provider_ref="m1")
    Payment.objects.update(provider="instant")
    Job.objects.all().delete()
    Notice.objects.all().delete()
    tables = [apps.get_model(label) for label in COPIED]
    rows = {model: model.objects.count() for model in tables}
    for first in range(1, count, CHUNK):
        with transaction.atomic(), connection.cursor() as cursor:
            for model in tables:
                cursor.execute(_copies(model, rows, first, min(first + CHUNK, count)))
    DocumentSeries.objects.update(last=count)
    _renumber(tables)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copies(model: type[models.Model], rows: dict[type[models.Model], int], first: int, end: int) -> str:
    """The statement that copies the first reader's rows for the readers `[first, end)`, counted from 0."""
    table = model._meta.db_table  # noqa: SLF001 - Django documents it
    digits = "printf('%06d', i + 1)"
    numbers = f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})"  # noqa: S608 - numbers of ours
    if connection.vendor == "postgresql":
        digits = "lpad((i + 1)::text, greatest(6, length((i + 1)::text)), '0')"
        numbers = f"WITH n(i) AS (SELECT generate_series({first}, {end - 1}))"
    names, values = [], []
    for field in model._meta.concrete_fields:  # noqa: SLF001 - as above
        column = field.column
        names.append(f'"{column}"')
        words = RENAMED.get(f"{table}.{column}")
        target = field.related_model if field.is_relation else None
        if words is not None:
            values.append(words.format(n="(i + 1)", number=f"('BS/26-27/' || {digits})"))
        elif field.primary_key and target is None:
            values.append(f'"{column}" + i * {rows[model]}')
        elif target in rows or column == "invoice_id":
            owner = target if target in rows else apps.get_model("payments.Invoice")
            values.append(f'"{column}" + i * {rows[owner]}')
        else:
            values.append(f'"{column}"')
    first_rows = f'"{model._meta.pk.column}" <= {rows[model]}'  # noqa: SLF001 - as above
    chosen = f'SELECT {", ".join(values)} FROM n, "{table}" WHERE {first_rows}'  # noqa: S608 - names of our own tables
    return f'INSERT INTO "{table}" ({", ".join(names)}) {numbers} {chosen}'


def _renumber(tables: list[type[models.Model]]) -> None:
    """PostgreSQL's counters know nothing of ids that were given."""
    if connection.vendor == "postgresql":
        from django.core.management.color import no_style  # noqa: PLC0415 - here alone

        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), tables):
                cursor.execute(statement)
