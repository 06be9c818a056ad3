import secrets

from django.db import migrations, models

from webmail.errors import Gone
from webmail.mime.headers import HEADER_LIMIT_BYTES, split_header
from webmail.mime.threads import thread_keys
from webmail.storage.blobs import Blobs

FIELDS = ("message-id", "in-reply-to", "references")


def fill_threads(apps, schema_editor):
    """The conversation of each message that is in the store, read from its header."""
    messages = apps.get_model("webmail", "LocalMessage").objects
    for account in messages.order_by().values_list("account", flat=True).distinct():
        blobs, rows, above = Blobs(account), [], {}
        for pk, blob in messages.filter(account=account).order_by("pk").values_list("pk", "blob").iterator():
            own, thread = keys_of(blobs, blob)
            thread = thread or secrets.randbits(62) + 1
            rows.append((pk, own, thread))
            if own and own != thread:
                above[own] = thread
        for start in range(0, len(rows), 500):
            part = {pk: (own, thread) for pk, own, thread in rows[start : start + 500]}
            found = messages.in_bulk(list(part))
            for pk, message in found.items():
                message.own_id, message.thread = part[pk][0], first_of(above, part[pk][1])
            messages.bulk_update(found.values(), ["own_id", "thread"])


def keys_of(blobs, blob):
    try:
        head = blobs.read(blob, HEADER_LIMIT_BYTES)
    except Gone:
        return 0, 0
    fields = {}
    for name, value in split_header(head, HEADER_LIMIT_BYTES)[0]:
        fields.setdefault(name.lower(), value)
    return thread_keys(*(fields.get(name, b"") for name in FIELDS))


def first_of(above, thread):
    seen = {thread}
    while (up := above.get(thread)) is not None and up not in seen:
        seen.add(up)
        thread = up
    return min(seen) if up is not None else thread


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_special_folders"),
        ("webmail", "0008_own_tags"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="localmessage", name="local_by_message_id"),
        migrations.AddField("localmessage", "own_id", models.BigIntegerField(default=0)),
        migrations.AddField("localmessage", "thread", models.BigIntegerField(default=0)),
        migrations.RunPython(fill_threads, migrations.RunPython.noop),
        migrations.AddIndex("localmessage", models.Index(fields=["account", "own_id"], name="local_by_own_id")),
        migrations.AddIndex(
            "localmessage", models.Index(fields=["folder", "thread", "date", "id"], name="local_threads")
        ),
    ]
