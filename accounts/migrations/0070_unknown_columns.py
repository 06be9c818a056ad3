"""The columns of a list that mean nothing here are kept until somebody says to go on without them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0066_customer_band")]

    operations = [
        migrations.AddField(model_name="batch", name="unknown", field=models.JSONField(default=list)),
    ]
