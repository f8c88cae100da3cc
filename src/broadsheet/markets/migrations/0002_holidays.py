"""The exchanges' calendar of 2025 to 2027, as rows that editors may change.

Of 2027 only the holidays of fixed date and Good Friday are certain before the exchanges publish their lists.
"""

from datetime import date

from django.db import migrations

LISTED = "the exchanges' lists of trading holidays of equities; check them against your exchange's circular"
PROVISIONAL = "provisional: the exchanges had not published their list when this was written"
HOLIDAYS = {
    2025: (
        LISTED,
        "02-26 Mahashivratri|03-14 Holi|03-31 Id-Ul-Fitr|04-10 Mahavir Jayanti|04-14 Dr. Ambedkar Jayanti|"
        "04-18 Good Friday|05-01 Maharashtra Day|08-15 Independence Day|08-27 Ganesh Chaturthi|"
        "10-02 Gandhi Jayanti and Dussehra|10-22 Diwali Balipratipada|11-05 Guru Nanak Jayanti|12-25 Christmas",
    ),
    2026: (
        LISTED,
        "01-15 Municipal elections in Mumbai|01-26 Republic Day|03-03 Holi|03-26 Ram Navami|03-31 Mahavir Jayanti|"
        "04-03 Good Friday|04-14 Dr. Ambedkar Jayanti|05-01 Maharashtra Day|05-28 Bakri Id|06-26 Muharram|"
        "09-14 Ganesh Chaturthi|10-02 Gandhi Jayanti|10-20 Dussehra|11-10 Diwali Balipratipada|"
        "11-24 Guru Nanak Jayanti|12-25 Christmas",
    ),
    2027: (PROVISIONAL, "01-26 Republic Day|03-26 Good Friday|04-14 Dr. Ambedkar Jayanti"),
}
SESSIONS = {
    date(2025, 2, 1): "Budget, special session on a Saturday",
    date(2025, 10, 21): "Diwali, Muhurat trading",
    date(2026, 2, 1): "Budget, special session on a Sunday",
    date(2026, 11, 8): "Diwali, Muhurat trading on a Sunday",
}


def enter(apps, schema_editor):
    Holiday = apps.get_model("markets", "Holiday")
    rows = []
    for exchange in ("NSE", "BSE"):
        for year, (source, listed) in HOLIDAYS.items():
            for each in listed.split("|"):
                when, _, name = each.partition(" ")
                day = date.fromisoformat(f"{year}-{when}")
                rows.append(Holiday(exchange=exchange, day=day, name=name, is_open=False, source=source))
        for day, name in SESSIONS.items():
            rows.append(Holiday(exchange=exchange, day=day, name=name, is_open=True, source=LISTED))
    Holiday.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("markets", "0001_initial")]
    operations = [migrations.RunPython(enter, migrations.RunPython.noop)]
