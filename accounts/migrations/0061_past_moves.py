"""Of what happened before, the log had told no messages apart: there a move is, as it was, a copy whose originals went in the
same session, by their number."""

from collections import defaultdict

from django.db import migrations
from django.db.models import Exists, OuterRef

BATCH = 2000
SAME = ("mailbox_id", "day", "session", "folder")


def pair(apps, schema_editor):
    event = apps.get_model("accounts", "MailboxEvent")
    copies = event.objects.filter(kind="copied", **{name: OuterRef(name) for name in SAME})
    removed = event.objects.filter(Exists(copies), kind="removed", target="").order_by("pk")
    last = 0
    while batch := list(removed.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        _pair_batch(event, batch)


def _pair_batch(event, batch):
    boxes = {row.mailbox_id for row in batch}
    days, sessions = {row.day for row in batch}, {row.session for row in batch}
    copied = defaultdict(list)
    for row in event.objects.filter(kind="copied", mailbox_id__in=boxes, day__in=days, session__in=sessions).order_by(
        "pk"
    ):
        copied[tuple(getattr(row, name) for name in SAME)].append(row)
    moved, changed, gone = [], [], []
    for row in batch:
        for copy in copied[tuple(getattr(row, name) for name in SAME)]:
            if count := min(copy.count, row.count):
                moved.append(_moved(event, copy, count))
                row.count -= count
        (changed if row.count else gone).append(row)
    event.objects.bulk_create(moved, ignore_conflicts=True)
    event.objects.bulk_update(changed, ["count"])
    event.objects.filter(pk__in=[row.pk for row in gone]).delete()


def _moved(event, copy, count):
    same = ("mailbox_id", "day", "session", "folder", "target", "protocol", "program", "device", "network", "first_at")
    values = {name: getattr(copy, name) for name in (*same, "last_at", "size_bytes")}
    return event(kind="moved", count=count, **values)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0060_moves")]

    operations = [migrations.RunPython(pair, migrations.RunPython.noop)]
