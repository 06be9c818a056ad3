"""The document of the frame and its policy."""

from __future__ import annotations

import pytest

from tests.markup.newsletters import NEWSLETTERS
from webmail.markup.document import MAX_HEIGHT_PX, MIN_HEIGHT_PX, Theme, estimate_height, frame_csp, render_document
from webmail.markup.sanitize import sanitize


def render(html: str, theme: Theme = "system") -> str:
    return render_document(sanitize(html, cid_urls={}, remote="block"), lang="es", title="x", theme=theme)


@pytest.mark.parametrize(
    ("name", "theme", "paper"),
    [
        ("plain", "system", "auto"),
        ("plain", "light", "light"),
        ("plain", "dark", "dark"),
        ("dark", "system", "auto"),
        ("dark", "dark", "dark"),
        ("shop", "system", "light"),
        ("shop", "dark", "light"),
        ("reply", "dark", "light"),
    ],
)
def test_paper_is_white_unless_the_message_suits_dark(name: str, theme: Theme, paper: str) -> None:
    assert f'data-paper="{paper}"' in render(NEWSLETTERS[name], theme)


def test_rules_for_dark_are_written_for_the_theme_that_is_shown() -> None:
    assert ".never" not in render(NEWSLETTERS["shop"], "dark")
    assert "@media (prefers-color-scheme:dark){.card" in render(NEWSLETTERS["dark"])
    assert ".muted{color:#9ca3af!important}" not in render(NEWSLETTERS["dark"], "light")
    forced = render(NEWSLETTERS["dark"], "dark")
    assert ".muted{color:#9ca3af!important}" in forced
    assert "prefers-color-scheme" not in forced


def test_title_and_language_are_escaped() -> None:
    document = render_document(sanitize("", cid_urls={}, remote="block"), lang='"><b>', title="</title><b>")
    assert "<b>" not in document


def test_the_policy_allows_styles_and_named_images_only() -> None:
    directives = dict(part.strip().split(" ", 1) for part in frame_csp(images="https://mail.test/mail/").split(";"))
    assert directives == {
        "default-src": "'none'",
        "img-src": "https://mail.test/mail/ data:",
        "style-src": "'unsafe-inline'",
        "font-src": "'none'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "allow-popups allow-popups-to-escape-sandbox",
    }


@pytest.mark.parametrize("images", ["", "a b", "a;script-src *", "a,b", "'unsafe-inline'"])
def test_the_policy_takes_one_source_only(images: str) -> None:
    with pytest.raises(ValueError):
        frame_csp(images=images)


def test_height_estimates_stay_within_limits_and_grow_with_the_text() -> None:
    assert estimate_height("") == MIN_HEIGHT_PX
    assert estimate_height("<br>" * 100_000) == MAX_HEIGHT_PX
    assert estimate_height("<p>" + "a" * 3_000 + "</p>") > estimate_height("<p>" + "a" * 1_000 + "</p>")
    assert estimate_height('<img src="/x" height="500">') > 500
    assert estimate_height(sanitize(NEWSLETTERS["reply"], cid_urls={}, remote="block")) > 200
