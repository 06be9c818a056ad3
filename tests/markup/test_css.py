"""CSS that is kept, and how it is written."""

from __future__ import annotations

import pytest

from webmail.markup.css import CSS_LIMIT_BYTES, MAX_RULES, Css
from webmail.markup.sanitize import sanitize
from webmail.markup.urls import ImageUrls


def css() -> Css:
    return Css(ImageUrls({"a": "/mail/part/2"}, "block", None))


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("color: #FF0000; margin: 0 auto", "color:#FF0000;margin:0 auto"),
        ("font: bold 12px/1.5 'Open Sans', Arial, sans-serif", 'font:bold 12px/1.5 "Open Sans", Arial, sans-serif'),
        ("width:100% !important; max-width:600px", "width:100%!important;max-width:600px"),
        ("background: #fff url(cid:a) no-repeat", 'background:#fff url("/mail/part/2") no-repeat'),
        ("background: linear-gradient(90deg, #fff 0%, rgba(0,0,0,.5) 100%)",) * 2,
        ("padding: calc(1px + 2%)", "padding:calc(1px + 2%)"),
        ("color: rgb(1 2 3 / 50%)", "color:rgb(1 2 3 / 50%)"),
        ("mso-line-height-rule: exactly; line-height: 20px", "line-height:20px"),
        ("display:grid; grid-template-areas: 'a b' 'c d'", 'display:grid;grid-template-areas:"a b" "c d"'),
        ("border-left: 1px solid; border-start-start-radius: 1px", "border-left:1px solid"),
        ("c\\6f lor: r\\65 d", "color:red"),
        ("margin: -1.5em .5e1px +2px", "margin:-1.5em .5e1px +2px"),
        ("position: absolute; top: 0", "position:absolute;top:0"),
        ("color:red; position:fixed; x; :y; color", "color:red"),
        ("", ""),
    ],
)
def test_declarations_are_written_from_their_meaning(given: str, written: str) -> None:
    if given.startswith("background: linear"):
        written = given.replace("background: ", "background:")
    assert css().declarations(given) == written


@pytest.mark.parametrize(
    "selector",
    [
        "p",
        ".a .b > #c + d ~ e, *",
        "a:hover",
        "p::first-line",
        "td[class]",
        'td[class="x"]',
        'a[href^="x"]',
        "li:nth-child(2n+1)",
        "li:nth-child(odd)",
        "li:nth-last-child( -n + 3 )",
        "p:lang(es)",
        "p:not(.a, .b)",
        ":root",
        ".año",
    ],
)
def test_selectors_are_kept(selector: str) -> None:
    assert css().sheet(f"{selector}{{color:red}}") == f"{selector}{{color:red}}\n"


@pytest.mark.parametrize(
    "selector", ["a|b", "o\\:p", "p:has(a)", "a^b", "a{b", "p[x=</style>]", "p['<']", "@x", "a;b", "}a"]
)
def test_odd_selectors_take_their_rule_with_them(selector: str) -> None:
    assert css().sheet(f"{selector}{{color:red}} b{{margin:0}}") in {"b{margin:0}\n", ""}


@pytest.mark.parametrize(
    "condition",
    [
        "screen",
        "only screen and (max-width:600px)",
        "not print, (min-width: 10em) and (orientation:landscape)",
        "(-webkit-min-device-pixel-ratio: 1.5)",
        "(min-aspect-ratio: 16/9)",
    ],
)
def test_media_rules_are_kept(condition: str) -> None:
    assert css().sheet(f"@media {condition} {{p{{color:red}}}}") == f"@media {condition}{{p{{color:red}}\n}}\n"


def test_media_rules_nest_twice_at_most() -> None:
    assert "color" in css().sheet("@media screen{@media (width:1px){p{color:red}}}")
    assert css().sheet("@media a{@media b{@media c{p{color:red}}}}") == ""


def test_outlook_comment_marks_around_a_sheet_do_no_harm() -> None:
    assert css().sheet("<!-- p{color:red} -->") == "p{color:red}\n"


def test_budgets_cut_and_say_so() -> None:
    many = css()
    assert many.sheet("a{color:red}" * (MAX_RULES + 5)).count("{") == MAX_RULES
    assert many.removed == {"css-limit"}
    long = css()
    assert long.sheet("a{color:red}" + " " * CSS_LIMIT_BYTES + "b{color:red}") == "a{color:red}\n"
    assert long.removed == {"css-limit"}


def test_equal_style_attributes_cost_and_count_once_each() -> None:
    images = ImageUrls({}, "block", None)
    sheet = Css(images)
    for _time in range(100_000):
        assert sheet.declarations("background:url(http://x.test/a)") == "background:none"
    assert images.remote_count == 100_000
    assert not sheet.removed


def test_rules_for_a_colour_scheme_are_told_apart() -> None:
    sheet = css()
    light = sheet.sheet(
        "p{color:#111} @media (prefers-color-scheme: dark){p{color:#eee}} @media (prefers-color-scheme:light){b{margin:0}}"
        "@media only screen and (prefers-color-scheme:dark){i{margin:0}}"
        "@media (prefers-color-scheme:dark) and (max-width:9px){u{color:red}}"
    )
    assert light == "p{color:#111}\nb{margin:0}\n"
    assert sheet.dark_rules == "p{color:#eee}\ni{margin:0}\n"
    assert not sheet.dark


def test_a_declared_scheme_is_noticed_and_not_written() -> None:
    sheet = css()
    assert sheet.sheet(":root{color-scheme:light dark}") == ""
    assert sheet.dark


@pytest.mark.parametrize(
    "text",
    ["p{color:red}", "p{colour:red;position:fixed}@import 'x';", "@media (prefers-color-scheme: dark){p{color:#fff}}"],
)
def test_a_sheet_that_comes_again_is_cleaned_as_the_first_time(text: str) -> None:
    html = f"<style>{text}</style><p style='color:blue;width:expression(1)'>x</p>"
    first, again = (sanitize(html, cid_urls={}, remote="block") for _ in range(2))
    beside = sanitize(html + "<style>i{background:url(https://x.test/a.png)}</style>", cid_urls={}, remote="block")
    assert first == again
    assert first.css in beside.css
    assert (first.coloured, first.dark, first.dark_css) == (beside.coloured, beside.dark, beside.dark_css)


def test_a_sheet_with_an_address_is_nobody_elses() -> None:
    html = "<style>p{background:url(cid:a)}</style><p style='background:url(cid:a)'>x</p>"
    mine, others = (sanitize(html, cid_urls={"a": f"/{one}.png"}, remote="block") for one in ("mine", "others"))
    assert "/mine.png" in mine.css + mine.html
    assert "/mine.png" not in others.css + others.html
