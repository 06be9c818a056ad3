"""Names and addresses as they are searched: without accents, case or punctuation, each word behind a space."""

from __future__ import annotations

import re
import unicodedata

TEXT_LIMIT = 600

_APART = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters that Unicode does not take apart into a plain one and its mark."""
_BETWEEN = re.compile(r"[^\w]+|_+")


def fold(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text without accents and case, its spaces single: "Álvaro  Ñuñez" -> "alvaro nunez". What is longer than `limit`
    characters is cut."""
    apart = text[:limit]
    if apart.isascii():
        return " ".join(apart.lower().split())
    for _round in range(2):  # as for a compatibility caseless match: the Unicode Standard, definition D146
        apart = unicodedata.normalize("NFKD", apart.casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(plain.translate(_APART).split())


def search_text(name: str, email: str = "") -> str:
    """What is kept to search in: the folded name, again without its punctuation where it has any, then the address."""
    folded = fold(name)
    plain = " ".join(_BETWEEN.sub(" ", folded).split())
    pieces = [folded, plain if plain != folded else "", fold(email)]
    return "".join(f" {piece}" for piece in pieces if piece)
