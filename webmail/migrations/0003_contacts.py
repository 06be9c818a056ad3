"""People heard from, people put in by hand, groups of people; the folded text in which they are searched."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from webmail.mime.fold import search_text


def fill_search(apps: Any, _schema_editor: Any) -> None:
    contacts = apps.get_model("webmail", "Contact").objects
    batch = []
    for contact in contacts.only("pk", "name", "email").iterator(1000):
        contact.search = search_text(contact.name, contact.email)
        batch.append(contact)
    contacts.bulk_update(batch, ["search"], batch_size=200)


class Migration(migrations.Migration):
    dependencies = [
        ("webmail", "0002_writing"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="contact", name="contacts_by_use"),
        migrations.AddField(
            model_name="contact", name="search", field=models.TextField(blank=True, default=""), preserve_default=False
        ),
        migrations.AddField(model_name="contact", name="heard", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(model_name="contact", name="kept", field=models.BooleanField(default=False)),
        migrations.AlterField(
            model_name="contact", name="last_used", field=models.DateTimeField(default=django.utils.timezone.now)
        ),
        migrations.RunPython(fill_search, migrations.RunPython.noop, elidable=True),
        migrations.CreateModel(
            name="ContactGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("search", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_groups",
                        to="accounts.mailaccount",
                    ),
                ),
                ("members", models.ManyToManyField(blank=True, related_name="groups", to="webmail.contact")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("account", "search"), name="one_group_per_name")],
            },
        ),
    ]
