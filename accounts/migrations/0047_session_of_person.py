"""Sessions know their person, so that a request finds both in one question. Those of Django's own table go on in the new one."""

import django.db.models.deletion
from django.conf import settings
from django.core import signing
from django.db import migrations, models

SALT = "django.contrib.sessions.SessionStore"


def take_over(apps, schema_editor):
    connection = schema_editor.connection
    if "django_session" not in connection.introspection.table_names():
        return
    session = apps.get_model("accounts", "Session")
    people = set(apps.get_model("accounts", "User").objects.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_key, session_data, expire_date FROM django_session")
        rows = cursor.fetchall()
        for key, data, until in rows:
            try:
                user_id = int(signing.loads(data, salt=SALT).get("_auth_user_id", 0))
            except (signing.BadSignature, ValueError):
                continue
            if user_id in people:
                session.objects.create(session_key=key, session_data=data, expire_date=until, user_id=user_id)
        cursor.execute("DROP TABLE django_session")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0046_idle_since"),
    ]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "session", "verbose_name_plural": "sessions", "abstract": False},
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
