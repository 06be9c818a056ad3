import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0044_jumps_by_size"),
    ]

    operations = [
        migrations.AddField(
            model_name="spacealert",
            name="server",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.mailserver"
            ),
        ),
    ]
