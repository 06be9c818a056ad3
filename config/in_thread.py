"""What Django knows of the request at hand (language, time zone, script prefix, its connections), held by the thread alone.

Django keeps each of these behind one lock that all threads of the process share (asgiref's Local), for tasks that move
between threads. Pages never do (config/pages.py), and a page asks for its language some hundred times: a thread that is put
aside while it has the lock makes all others wait for it, one after the other. See docs/speed.md.
"""

from __future__ import annotations

import threading
from typing import Any

from django.core.cache import caches
from django.db import connections
from django.urls import base
from django.utils import timezone, translation
from django.utils.translation import trans_real

HELD: tuple[tuple[Any, str], ...] = (
    (trans_real, "_active"),
    (timezone, "_active"),
    (base, "_prefixes"),
    (base, "_urlconfs"),
    (connections, "_connections"),
    (caches, "_connections"),
)
"""Where Django holds each."""


def hold_in_thread() -> None:
    """For a process in which a request stays in its thread from beginning to end. To be called before the first of them."""
    language = translation.get_language()
    for place, name in HELD:
        getattr(place, name)  # AttributeError: this Django has it elsewhere
        setattr(place, name, threading.local())
    if language != translation.get_language():
        translation.activate(language)
