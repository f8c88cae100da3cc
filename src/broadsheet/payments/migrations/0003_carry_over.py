"""What was there before moves into the new tables."""

from django.conf import settings
from django.db import migrations



def carry_over(apps, schema_editor):  # noqa: ARG001 - Django's signature
    """Every invoice of before holds its tax inside and is, where it is paid, paid whole."""
    Invoice = apps.get_model("payments", "Invoice")
    zone = settings.BROADSHEET.zone
    for row in Invoice.objects.iterator(chunk_size=2000):
        row.key = f"{row.subject}:period:{row.number}"
        row.taxable_minor = row.total_minor
        row.paid_minor = row.total_minor if row.status == "paid" else 0
        row.issued_on = row.issued_at.astimezone(zone).date()
        row.save(update_fields=["key", "taxable_minor", "paid_minor", "issued_on"])
        row.lines.update(service_start=row.period_start, service_end=row.period_end)
    Series, Old = apps.get_model("payments", "DocumentSeries"), apps.get_model("payments", "InvoiceSeries")
    for old in Old.objects.all():
        Series.objects.update_or_create(name=f"BS/{old.name}", defaults={"last": old.last})



class Migration(migrations.Migration):
    dependencies = [
        ('payments', '0002_billing'),
    ]

    operations = [
        migrations.RunPython(carry_over, migrations.RunPython.noop),
    ]
