"""The ASGI application: `uvicorn config.asgi:application`. Live events are streamed beside Django (see webmail/live)."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_pages = get_asgi_application()

from django.conf import settings  # noqa: E402

from webmail.live.hub import Hub  # noqa: E402
from webmail.live.stream import LiveApplication  # noqa: E402
from webmail.services.live import admit  # noqa: E402

application = LiveApplication(_pages, Hub(settings.REDIS_URL), admit)
