from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0028_table_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="domain",
            name="new_quota_bytes",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="quota of a new mailbox"),
        ),
        migrations.AddField(model_name="domain", name="new_imap", field=models.BooleanField(null=True)),
        migrations.AddField(model_name="domain", name="new_pop3", field=models.BooleanField(null=True)),
        migrations.AddField(model_name="domain", name="new_smtp", field=models.BooleanField(null=True)),
        migrations.AddField(model_name="domain", name="new_sieve", field=models.BooleanField(null=True)),
    ]
