"""The ASGI application: `uvicorn config.asgi:application`. Pages run in kept threads (config/pages.py); live events are
streamed beside them (see webmail/live)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_handler = get_wsgi_application()

from django.conf import settings  # noqa: E402

from config.collecting import collect_seldom  # noqa: E402
from config.in_thread import hold_in_thread  # noqa: E402
from config.pages import Pages  # noqa: E402
from webmail.live.files import raise_file_limit  # noqa: E402
from webmail.live.hub import Hub  # noqa: E402
from webmail.live.stream import LiveApplication  # noqa: E402
from webmail.services.live import admit  # noqa: E402

hold_in_thread()
raise_file_limit()  # a page that is open is a connection that stays
application = LiveApplication(Pages(_handler, settings.WEB_THREADS), Hub(settings.REDIS_URL), admit)
collect_seldom()
