"""The Celery application and its beat table. Tasks carry ids only; state lives in SQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The checks load every page and the API, which a worker never serves: 12 MB in each process.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
app = Celery("casilla")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    result_backend=None,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    # A pull waits for foreign servers most of its time: a worker of its own, with many threads, takes them.
    task_routes={
        "webmail.tasks.pull_*": {"queue": "pull"},
        "webmail.tasks.transfer_due": {"queue": "pull"},
        "webmail.tasks.import_due": {"queue": "pull"},
        "webmail.tasks.compare_due": {"queue": "pull"},
        "webmail.tasks.clearing_due": {"queue": "pull"},
        "webmail.tasks.remove_switched": {"queue": "pull"},
        "webmail.tasks.weigh_due": {"queue": "pull"},
    },
)
app.autodiscover_tasks()
app.conf.beat_schedule = {
    # A tick that no worker took before the next one is of no use.
    "send-due": {"task": "webmail.tasks.send_due", "schedule": 5.0, "options": {"expires": 10}},
    "pull-due": {"task": "webmail.tasks.pull_due", "schedule": 10.0, "options": {"expires": 20}},
    "transfer-due": {"task": "webmail.tasks.transfer_due", "schedule": 10.0, "options": {"expires": 20}},
    "import-due": {"task": "webmail.tasks.import_due", "schedule": 10.0, "options": {"expires": 20}},
    "compare-due": {"task": "webmail.tasks.compare_due", "schedule": 10.0, "options": {"expires": 20}},
    "clearing-due": {"task": "webmail.tasks.clearing_due", "schedule": 60.0, "options": {"expires": 59}},
    "remove-switched": {"task": "webmail.tasks.remove_switched", "schedule": 3600.0},
    "clear-store": {"task": "webmail.tasks.clear_store", "schedule": 24 * 3600.0},
    "clear-composing": {"task": "webmail.tasks.clear_composing", "schedule": 24 * 3600.0},
    "clear-outgoing": {"task": "webmail.tasks.clear_outgoing", "schedule": 24 * 3600.0},
    "refresh-usage": {"task": "accounts.tasks.refresh_usage", "schedule": 120.0, "options": {"expires": 110}},
    "sample-usage": {"task": "accounts.tasks.sample_usage", "schedule": 6 * 3600.0},
    "summarise-week": {"task": "accounts.tasks.summarise_week", "schedule": 1800.0, "options": {"expires": 1790}},
    "recount-usage": {"task": "webmail.tasks.recount_usage", "schedule": 600.0, "options": {"expires": 590}},
    "weigh-due": {"task": "webmail.tasks.weigh_due", "schedule": 600.0, "options": {"expires": 590}},
    "tidy-reserves": {"task": "accounts.tasks.tidy_reserves", "schedule": 24 * 3600.0},
    "sum-shares": {"task": "accounts.tasks.sum_shares", "schedule": 24 * 3600.0},
    "check-dns": {"task": "accounts.tasks.check_dns", "schedule": 600.0, "options": {"expires": 590}},
    "make-batches": {"task": "accounts.tasks.make_batches", "schedule": 10.0, "options": {"expires": 20}},
    "purge-mailboxes": {"task": "accounts.tasks.purge_mailboxes", "schedule": 3600.0},
    "clear-batches": {"task": "accounts.tasks.clear_batches", "schedule": 3600.0},
    "clear-activity": {"task": "accounts.tasks.clear_activity", "schedule": 24 * 3600.0},
    "clear-sessions": {"task": "accounts.tasks.clear_sessions", "schedule": 24 * 3600.0},
}
