"""Pages are compressed, and their length tells nothing."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = [pytest.mark.server, pytest.mark.django_db]


def page(client: Client, accepts: str) -> Any:
    return client.get(reverse("account_login"), headers={"Accept-Encoding": accepts} if accepts else {})


def test_a_page_is_compressed_for_who_takes_it(client: Client) -> None:
    response = page(client, "gzip, deflate, br")
    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]
    assert b"csrfmiddlewaretoken" in gzip.decompress(response.content)
    assert int(response["Content-Length"]) == len(response.content)


@pytest.mark.parametrize("accepts", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0, br"])
def test_nobody_else_gets_it(client: Client, accepts: str) -> None:
    response = page(client, accepts)
    assert "Content-Encoding" not in response
    assert b"csrfmiddlewaretoken" in response.content


def test_the_length_of_the_same_page_differs(client: Client) -> None:
    page(client, "gzip")
    assert len({len(page(client, "gzip").content) for _ in range(12)}) > 3
