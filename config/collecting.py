"""When a web process looks for garbage that holds itself (cycles).

Python looks through all that lives whenever it has grown by a quarter. A web process holds some hundred thousand things that stay
(modules, templates, rows and texts that are kept), and nobody is answered meanwhile: 300 to 600 ms each time, every five seconds
while it fills. What is there at the start is left out of that, and the rest is looked through less often. See docs/speed.md.
"""

from __future__ import annotations

import gc
from importlib import import_module

from django.conf import settings

THRESHOLDS = (5_000, 10, 10)
"""Things more than before after which the youngest are looked through, how many such times the middle ones and all: half a
million things can be waiting, some 100 MB at the very worst. Python's own are 700, 10, 10."""


def collect_seldom() -> None:
    """To be called once, when the application is there. Every page is loaded before."""
    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
