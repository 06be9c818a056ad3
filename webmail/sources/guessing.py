"""The texts of a message whose MIME tree is not known yet, asked for in the same flight as the tree: the parts that most
messages have are guessed, and what was guessed counts only when the tree says that it is all that is shown.

Only of a Dovecot, which gives NIL for a part that a message has not; RFC 9051 leaves open what others answer.
"""

from __future__ import annotations

from webmail.imap.fetch import Fetched
from webmail.values import Part

GUESSED = ("1", "2", "1.1", "1.2", "2.1")
"""One text; plain and HTML; both with files beside them; HTML with its images beside plain text."""
LIMIT_BYTES = 32_768
"""Of each: more is asked for again when it is known what it is."""

GUESSED_ITEMS = b" ".join(b"BODY.PEEK[%s]<0.%d>" % (number.encode(), LIMIT_BYTES) for number in GUESSED)


def has_guessed(fetched: Fetched, shown: tuple[Part, ...]) -> bool:
    """Whether all these parts came, and whole."""
    return all(part.number in GUESSED and _is_whole(fetched, part) for part in shown)


def _is_whole(fetched: Fetched, part: Part) -> bool:
    text = fetched.items.get(b"BODY[%s]" % part.number.encode())
    return isinstance(text, bytes) and len(text) < LIMIT_BYTES
