"""Numbers of documents: consecutive within a series and a fiscal year, none twice, none left out."""

from __future__ import annotations

from datetime import date

from django.db import connection

from broadsheet.payments.models import DocumentSeries
from broadsheet.payments.rules import document_number, fiscal_year

INVOICES = "BS"
NOTES = "CN"


def next_number(*, series: str, day: date) -> str:
    """The next number of `series` (INVOICES, NOTES) in the fiscal year of `day`: `BS/26-27/000123`.

    Call it inside the document's transaction. Its row stays locked until that ends, so numbers follow the order of
    commits, and one that is rolled back gives its number to the next. One statement: also the first two of a year, at
    the same moment, get different numbers.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A number outside the document's transaction could be lost.")
    year = fiscal_year(day)
    table = connection.ops.quote_name(DocumentSeries._meta.db_table)  # noqa: SLF001 - Django documents it
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (name, last) VALUES (%s, 1) "  # noqa: S608 - the table's name is ours
            f"ON CONFLICT (name) DO UPDATE SET last = {table}.last + 1 RETURNING last",
            [f"{series}/{year}"],
        )
        (ordinal,) = cursor.fetchone()
    return document_number(series, year, ordinal)
