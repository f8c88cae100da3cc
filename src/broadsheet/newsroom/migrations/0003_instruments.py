from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0002_advertising")]

    operations = [
        migrations.AddField(
            model_name="article",
            name="instruments",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Instruments the story is about, with commas between: nse-tidewater, NSE:SILVERPINE. Their "
                "price and chart stand in it. Everyone sees them.",
            ),
        ),
    ]
