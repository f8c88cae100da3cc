"""Deferred revenue by lines: set aside when an invoice is finalised, earned month by month, given up with a note.

`recognise_revenue` closes months. Whatever changes a line's amount or end in between books at once what follows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from broadsheet.payments import journal, postings
from broadsheet.payments.models import Deferral, Invoice, InvoiceLine

BATCH = 500
# The days of a service that has not begun: earned in no month.
NOT_YET = date(9999, 12, 31)


def defer(invoice: Invoice, lines: Sequence[InvoiceLine], amounts: Sequence[int], day: date) -> None:
    """Set `amounts` (net of tax) of the lines that have days aside, to be earned from `day` on."""
    Deferral.objects.bulk_create(
        Deferral(
            line=line,
            invoice=invoice,
            currency=invoice.currency,
            start=line.service_start or NOT_YET,
            end=line.service_end or NOT_YET,
            amount_minor=amount,
            due_on=_first_close(line, day) if amount else None,
        )
        for line, amount in zip(lines, amounts, strict=True)
        if is_timed(invoice, line)
    )


def is_timed(invoice: Invoice, line: InvoiceLine) -> bool:
    """Whether a line is earned over days. Those of a gift are not known before somebody redeems it."""
    if line.kind == InvoiceLine.Kind.CARRIED:
        return False
    return line.service_start is not None or invoice.kind == Invoice.Kind.GIFT


def _first_close(line: InvoiceLine, day: date) -> date:
    return postings.next_close(max(line.service_start, day)) if line.service_start else NOT_YET


def held(invoice_id: int) -> list[Deferral]:
    """The rows of an invoice, locked, in the order of its lines."""
    rows = Deferral.objects.select_for_update(of=("self",)).filter(invoice_id=invoice_id)
    return list(rows.select_related("line").order_by("line__position"))


def catch_up(rows: Sequence[Deferral], day: date) -> postings.Posting:
    """Earn every row up to `day` after its amount or days changed, and write it. The posting of what was earned."""
    gained = 0
    for row in rows:
        target = postings.earned_by(row.amount_minor, row.start, row.end, day)
        gained += target - row.earned_minor
        row.earned_minor = target
        if day >= row.end or not row.amount_minor:
            row.due_on = None
        elif row.due_on is None:
            row.due_on = postings.next_close(day)
    Deferral.objects.bulk_update(rows, ["start", "end", "amount_minor", "earned_minor", "due_on"])
    return postings.earned(gained)


def take_back(*, rows: Sequence[Deferral], taxable_minor: int, rest_minor: int, ends_on: date | None) -> int:
    """Lower the amounts of an invoice's rows by a note; returns how much of it came from them.

    `rest_minor` of the invoice was earned at once and bears its share. With `ends_on` the service ends that day, else
    the rest goes on over the same days. Rows that gave back unused days of an earlier invoice stay as they are: they
    go with that invoice's own.
    """
    own = [row for row in rows if row.line.kind != InvoiceLine.Kind.UNUSED]
    weights = [row.amount_minor for row in own]
    if sum(weights) <= 0:
        return 0
    *parts, _ = postings.spread(taxable_minor, [*weights, max(0, rest_minor)])
    for row, part in zip(own, parts, strict=True):
        row.amount_minor -= part
        if ends_on is not None:
            row.end = min(row.end, max(ends_on, row.start))
    return sum(parts)


def give_up(*, rows: Sequence[Deferral], day: date, most_minor: int) -> int:
    """Nobody pays for what the rows would still earn: they end on `day`, and lose up to `most_minor` of what is not
    earned then. Returns how much that is."""
    left = [row.amount_minor - postings.earned_by(row.amount_minor, row.start, row.end, day) for row in rows]
    given = max(0, min(sum(left), most_minor))
    parts = postings.spread(given, left) if given else (0,) * len(left)
    for row, part in zip(rows, parts, strict=True):
        row.amount_minor -= part
        row.end = min(row.end, max(day, row.start))
    return given


def move_service(*, invoice_id: int, was: tuple[date, date], now_is: tuple[date, date]) -> None:
    """The days an invoice's lines are earned over became others. What that changes is booked with the month."""
    for row in Deferral.objects.select_for_update().filter(invoice_id=invoice_id, start=was[0], end=was[1]):
        if was[0] == NOT_YET:
            row.due_on = postings.next_close(now_is[0]) if row.amount_minor else None
        elif row.amount_minor and row.due_on is None:
            row.due_on = postings.next_close(was[1])
        row.start, row.end = now_is
        row.save(update_fields=["start", "end", "due_on"])


def begin_service(*, invoice_id: int, start: date, end: date) -> None:
    """What was sold for days not known then, such as a gift, is for `[start, end)`."""
    move_service(invoice_id=invoice_id, was=(NOT_YET, NOT_YET), now_is=(start, end))


def recognise_revenue(*, until: date, now: datetime, limit: int = 200_000) -> int:
    """Close every month that ended before or on `until` (exclusive: 1 February closes January), oldest first.

    At most `limit` lines, in transactions of a few hundred with one entry each; call again while it returns `limit`.
    Whatever dies, a line is earned once a month: its row and the entry are written together. Returns lines closed.
    """
    done = 0
    while done < limit:
        closed = _close_some(until, now, min(BATCH, limit - done))
        if not closed:
            break
        done += closed
    return done


def _write_earned(rows: Sequence[Deferral]) -> None:
    """One prepared statement for all rows: an UPDATE with hundreds of cases takes the database ten times as long."""
    table = connection.ops.quote_name(Deferral._meta.db_table)  # noqa: SLF001 - Django documents it
    day = connection.ops.adapt_datefield_value
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET earned_minor = %s, due_on = %s WHERE line_id = %s",  # noqa: S608 - the name is ours
            [(row.earned_minor, day(row.due_on), row.pk) for row in rows],
        )


@transaction.atomic
def _close_some(until: date, now: datetime, most: int) -> int:
    waiting = Deferral.objects.filter(due_on__lte=until).order_by("due_on", "line")
    close = waiting.values_list("due_on", flat=True).first()
    if close is None:
        return 0
    rows = list(waiting.filter(due_on=close).select_for_update(skip_locked=True)[:most])
    gained: dict[str, int] = defaultdict(int)
    for row in rows:
        target = postings.earned_by(row.amount_minor, row.start, row.end, close)
        gained[row.currency] += target - row.earned_minor
        row.earned_minor = target
        row.due_on = postings.next_close(close) if close < row.end else None
    _write_earned(rows)
    last_day = close - timedelta(days=1)
    for currency, amount in gained.items():
        journal.write(
            key=f"earn:{last_day:%Y-%m}:{rows[0].pk}:{currency}",
            posting=postings.earned(amount),
            text=f"Earned by {last_day.isoformat()}",
            currency=currency,
            now=now,
            booked_on=last_day,
        )
    return len(rows)
