"""The provider's look: its colour is readable whatever it is, its logo is only pixels, and everybody sees it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from accounts.brand.colours import accents, contrast, hue_and_chroma, stylesheet
from accounts.brand.logos import SIZE, NoLogo, draw_logo
from accounts.models import Brand, Change
from accounts.services import brand
from accounts.services.letters import notify
from tests.portal.conftest import World

PAPER, DARK = "#ffffff", "#14181c"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = brand.look()
    yield
    brand.keep(before)


@given(st.integers(0, 0xFFFFFF))
def test_text_stays_readable_in_every_colour(number: int) -> None:
    found = accents(f"#{number:06x}")
    for name in ("tinta", "tinta-strong", "focus"):
        assert contrast(found[name][0], PAPER) >= 4.5, (name, found)
        assert contrast(found[name][1], DARK) >= 4.5, (name, found)
    for name in ("tinta-fill", "tinta-fill-2"):
        assert min(contrast(one, "#ffffff") for one in found[name]) >= 4.5, (name, found)
    assert contrast(found["tinta"][0], found["tinta-wash"][0]) >= 4.5
    assert contrast(found["tinta"][1], found["tinta-wash"][1]) >= 4.5


def test_colours_are_those_of_the_standard() -> None:
    """Values of CSS Color 4's own examples and of sRGB's corners."""
    for colour, hue, chroma in (("#ff0000", 29.23, 0.2577), ("#00ff00", 142.5, 0.2948), ("#0000ff", 264.05, 0.3132)):
        found = hue_and_chroma(colour)
        assert (round(found[0], 1), round(found[1], 3)) == (
            pytest.approx(hue, abs=0.1),
            pytest.approx(chroma, abs=0.001),
        )
    assert hue_and_chroma("#808080")[1] < 0.001
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for wrong in ("red", "#fff", "#ggg000", "#7a1f3d;}", ""):
        with pytest.raises(ValueError, match="not a colour"):
            stylesheet(wrong)


def picture(kind: str, size: tuple[int, int] = (900, 300), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#7a1f3d").save(out, kind, **more)
    return out.getvalue()


def test_a_logo_is_drawn_anew() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secreto"
    for data in (picture("PNG"), picture("JPEG", exif=exif), picture("WEBP")):
        found = draw_logo(data)
        with Image.open(io.BytesIO(found)) as drawn:
            assert drawn.format == "PNG"
            assert drawn.width <= SIZE[0]
            assert drawn.height <= SIZE[1]
        assert b"secreto" not in found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"GIF89a",
        picture("PNG")[:200],
        b"\x89PNG\r\n\x1a\n" * 9,
        picture("GIF"),
        picture("TIFF"),
    ],
)
def test_what_is_no_logo_is_refused(data: bytes) -> None:
    with pytest.raises(NoLogo) as refused:
        draw_logo(data)
    assert refused.value.code == "kind"
    for large in (picture("PNG", (20_000, 1000)), b"x" * 3_000_000):
        with pytest.raises(NoLogo) as refused:
            draw_logo(large)
        assert refused.value.code == "large"


def send(client: Client, **fields: Any) -> Any:
    return client.post(reverse("portal:brand"), fields)


@pytest.mark.django_db
def test_everybody_sees_it(world: World) -> None:
    client = world.client(world.provider)
    logo = io.BytesIO(picture("PNG"))
    logo.name = "logo.png"
    fields = {"name": "Quillay <Mail>", "accent": "#7A1F3D", "support_url": "ayuda@quillay.example"}
    answer = send(client, **fields, logo=logo, sign_in_text="De lunes a viernes", letter_text="Quillay, Chillán")
    assert answer.status_code == 302, answer.content[:2000]
    html = Client().get(reverse("account_login")).content.decode()
    for text in (
        "Quillay &lt;Mail&gt;",
        "De lunes a viernes",
        "mailto:ayuda@quillay.example",
        "/accounts/brand/7a1f3d.css",
    ):
        assert text in html, text
    sheet = Client().get("/accounts/brand/7a1f3d.css")
    assert (sheet.status_code, sheet["Content-Type"], "immutable" in sheet["Cache-Control"]) == (
        200,
        "text/css; charset=utf-8",
        True,
    )
    where = html.partition('class="brand__logo" src="')[2].partition('"')[0]
    served = Client().get(where)
    assert (served["Content-Type"], served["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert Client().get("/accounts/brand/123456.css").status_code == 404
    assert Client().get("/accounts/brand/logo-00.png").status_code == 404
    notify("alguien@afuera.example", "Hola", ["Uno"])
    assert mail.outbox[0].body.endswith("Quillay, Chillán\n")
    change = Change.objects.get(verb="brand.change")
    assert change.after["accent"] == "#7a1f3d"
    assert send(client, **fields).status_code == 302
    assert Brand.objects.get().logo
    assert send(client, no_logo="on").status_code == 302
    assert not Brand.objects.get().logo
    assert brand.look() == brand.Look("Casilla")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"accent": "rojo"},
        {"accent": "#7a1f3d}"},
        {"support_url": "javascript:alert(1)"},
        {"support_url": "mailto:x"},
        {"name": "x" * 41},
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(world: World, fields: dict[str, str]) -> None:
    assert send(world.client(world.provider), **fields).status_code == 422
    assert not Brand.objects.exists()


@pytest.mark.django_db
def test_no_page_asks_the_database_for_it(
    world: World, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(brand, "KEPT_S", -1.0)
        brand.keep(brand.Look("de antes"))
    with django_assert_num_queries(1):
        brand.look()
        brand.look()


@pytest.mark.django_db
def test_an_address_is_of_one_logo_for_ever(world: World) -> None:
    """Another process may still know the old look when it is asked for the new, and the other way round."""
    client = world.client(world.provider)
    for colour in ("#ff0000", "#00ff00"):
        out = io.BytesIO()
        Image.new("RGB", (90, 30), colour).save(out, "PNG")
        logo = io.BytesIO(out.getvalue())
        logo.name = "logo.png"
        before = brand.look()
        assert send(client, accent=colour, logo=logo).status_code == 302
        now = brand.look()
        brand.keep(before)
        assert Client().get(reverse("brand_logo", args=[now.logo])).status_code == 200
        assert Client().get(reverse("brand_sheet", args=[now.sheet])).status_code == 200
        if before.logo:
            assert Client().get(reverse("brand_logo", args=[before.logo])).status_code == 404
        brand.keep(now)
    assert Change.objects.filter(verb="brand.change", after__has_key="logo").count() == 2
    assert Brand.objects.count() == 1


def test_a_turned_photograph_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(draw_logo(picture("JPEG", (300, 100), exif=exif)))) as drawn:
        assert drawn.height > drawn.width
    out = io.BytesIO()
    Image.new("I;16", (30, 30), 32768).save(out, "PNG")
    with pytest.raises(NoLogo):
        draw_logo(out.getvalue())


@pytest.mark.django_db
def test_the_description_of_the_api_bears_the_name() -> None:
    brand.keep(brand.Look("Correo del Sur"))
    assert Client().get("/api/v1/openapi.json").json()["info"]["title"] == "Correo del Sur"
