from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_activity")]
    operations = [
        migrations.AddField(
            model_name="mailaccount",
            name="leave_days",
            field=models.PositiveSmallIntegerField(default=14, verbose_name="days on the server"),
        ),
    ]
