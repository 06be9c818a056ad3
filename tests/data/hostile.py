"""Broken and hostile messages, built by code, for every test that reads mail: the parsers, both sources, the cleaner of
HTML, and the browser.

    for name, raw in hostile_messages(heavy=False): ...

Names are unique and safe as file names. Those that begin with "heavy-" are big (up to 20 MB) or slow to deliver.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import chain

from tests.data.hostile_headers import header_messages
from tests.data.hostile_html import html_attacks
from tests.data.hostile_mime import heavy_messages, mime_messages
from tests.data.hostile_parts import part_messages
from tests.data.letters import CRLF, fields

HEAVY = "heavy-"


def hostile_messages(*, heavy: bool = True) -> Iterator[tuple[str, bytes]]:
    """(name, raw message) of the whole corpus, one at a time. `heavy` False leaves out the big ones."""
    yield from chain(mime_messages(), part_messages(), header_messages(), html_messages())
    if heavy:
        yield from ((HEAVY + name, raw) for name, raw in heavy_messages())


def html_messages() -> Iterator[tuple[str, bytes]]:
    """Every HTML attack as a message of its own, in base64 so that nothing on the way repairs it."""
    for name, html in html_attacks():
        body = base64.encodebytes(html.encode()).replace(b"\n", CRLF)
        yield name, fields(name, "text/html; charset=utf-8", b"Content-Transfer-Encoding: base64") + CRLF + body
