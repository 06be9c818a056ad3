"""Mail may lie on more than one server: which it is, a domain says, and the mailboxes' view tells Dovecot. Filters and
forwards of a mailbox whose sending is suspended send nothing: two views say so."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0029_new_mailboxes"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailServer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True, verbose_name="name")),
                ("path", models.CharField(max_length=254, unique=True)),
                ("disk_bytes", models.BigIntegerField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ServerSpace",
            fields=[
                ("server", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("bytes", models.BigIntegerField(default=0)),
                ("quota_bytes", models.BigIntegerField(default=0)),
                ("mailboxes", models.IntegerField(default=0)),
                ("samples", models.BinaryField(default=b"")),
            ],
        ),
        migrations.AddField(
            model_name="domain",
            name="server",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="domains",
                to="accounts.mailserver",
                verbose_name="server",
            ),
        ),
    ]
