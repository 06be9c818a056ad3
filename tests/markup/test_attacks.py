"""Every attack, cleaned in both modes and read again by another parser."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.markup.attacks import attacks
from tests.markup.inspect_html import faults
from webmail.markup.document import render_document
from webmail.markup.sanitize import Cleaned, sanitize

VECTORS = dict(attacks())
CIDS = {"logo@x": "/mail/part/2"}


def clean(html: str, *, proxy: bool = False) -> Cleaned:
    if proxy:
        return sanitize(
            html, cid_urls=CIDS, remote="proxy", remote_url=lambda url: "/mail/proxy/" + quote(url, safe="")
        )
    return sanitize(html, cid_urls=CIDS, remote="block")


def document(html: str, *, proxy: bool = False) -> str:
    return render_document(clean(html, proxy=proxy), lang="es", title="x")


def families() -> list[str]:
    return sorted({name.rpartition("-")[0] for name in VECTORS})


def test_there_are_many_different_attacks() -> None:
    assert len(set(VECTORS.values())) > 1_000


@pytest.mark.parametrize("proxy", [False, True], ids=["block", "proxy"])
@pytest.mark.parametrize("family", families())
def test_nothing_forbidden_is_left_of_any_attack(family: str, proxy: bool) -> None:
    left = {
        name: wrong
        for name, body in VECTORS.items()
        if name.startswith(f"{family}-") and (wrong := faults(document(body, proxy=proxy)))
    }
    assert left == {}


@pytest.mark.parametrize("family", families())
def test_what_a_parser_makes_of_the_result_is_as_clean(family: str) -> None:
    """Parsed, serialised and parsed once more: what the tree mutates into holds nothing new."""
    for name, body in VECTORS.items():
        if name.startswith(f"{family}-"):
            mutated = LexborHTMLParser(document(body)).html or ""
            assert faults(mutated) == [], name


def test_the_inspector_sees_what_attacks_would_leave() -> None:
    """Unclean bodies in the same document are faulty, all but the few that are harmless as they are."""
    seen = 0
    for body in VECTORS.values():
        raw = render_document(Cleaned(body, "", "", (), 0, (), False, False), lang="es", title="x")  # type: ignore[arg-type]
        seen += bool(faults(raw))
    assert seen > len(VECTORS) * 0.85
