"""What was there before moves into the new tables."""

import datetime

from django.conf import settings
from django.db import migrations



def carry_over(apps, schema_editor):  # noqa: ARG001 - Django's signature
    """What a plan cost becomes its first price; every subscription gets the instant at which it is due."""
    Plan, Price = apps.get_model("subscriptions", "Plan"), apps.get_model("subscriptions", "Price")
    Subscription = apps.get_model("subscriptions", "Subscription")
    Segment = apps.get_model("subscriptions", "Segment")
    Event = apps.get_model("subscriptions", "SubscriptionEvent")
    Invoice = apps.get_model("payments", "Invoice")
    zone = settings.BROADSHEET.zone
    for plan in Plan.objects.all():
        Price.objects.create(
            plan=plan, amount_minor=plan.amount_minor, currency=plan.currency, new_from=datetime.date(1997, 1, 1)
        )
    prices = {price.plan_id: price.pk for price in Price.objects.all()}
    for row in Subscription.objects.iterator(chunk_size=2000):
        row.price_id = prices[row.plan_id]
        row.due_at = due_at(row, zone)
        row.save(update_fields=["price", "due_at"])
        Event.objects.filter(subscription=row).update(reader_id=row.reader_id)
        for bill in Invoice.objects.filter(subject=f"subscription:{row.pk}", status="paid"):
            Segment.objects.create(
                subscription=row,
                invoice_id=bill.pk,
                position=1,
                start=bill.period_start,
                end=bill.period_end,
                amount_minor=bill.total_minor,
            )
        for bill in Invoice.objects.filter(subject=f"subscription:{row.pk}", status="open"):
            bill.context = {"plan": row.plan_id, "price": row.price_id, "quantity": 1, "coupon": False}
            bill.save(update_fields=["context"])


def due_at(row, zone):
    """As subscriptions.actions.due does it for the statuses there were."""
    if row.status == "incomplete":
        return row.created_at + datetime.timedelta(hours=23)
    day = row.period_end if row.status == "active" else row.next_attempt_on
    if row.status not in ("active", "past_due") or day is None:
        return None
    return datetime.datetime.combine(day, datetime.time(), zone).astimezone(datetime.UTC)



class Migration(migrations.Migration):
    dependencies = [
        ('subscriptions', '0002_billing'),
        ('payments', '0004_constraints'),
    ]

    operations = [
        migrations.RunPython(carry_over, migrations.RunPython.noop),
    ]
