"""Tokens, calls, and the API's own description, against which every answer is held."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.test import Client
from jsonschema import Draft202012Validator

from accounts.models import ApiToken, User
from accounts.services.audit import SYSTEM
from accounts.services.tokens import SCOPES, make_token
from config.api import api

BASE = "/api/v1"


def token_of(person: User, scopes: Any = SCOPES, **more: Any) -> str:
    name = f"panel {ApiToken.objects.count()}"
    return make_token(person=person, name=name, scopes=list(scopes), by=SYSTEM, **more).token


def call(token: str, method: str, path: str, data: Any = None, **headers: str) -> Any:
    if token:
        headers |= {"Authorization": f"Bearer {token}"}
    more = {"data": data, "content_type": "application/json"} if data is not None else {}
    return getattr(Client(headers=headers), method.lower())(BASE + path, **more)


@cache
def document() -> dict[str, Any]:
    """The description as it is served, but for the brand's name."""
    schema = api.get_openapi_schema()
    return dict(schema)


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path below BASE) to the operation's description."""
    paths = document()["paths"]
    return {
        (method.upper(), path.removeprefix(BASE)): one
        for path, methods in paths.items()
        for method, one in methods.items()
    }


@cache
def _validator(method: str, path: str, status: int) -> Draft202012Validator | None:
    """For the body of an answer; None where the description has none for it."""
    said = operations()[method, path]["responses"][status]
    if "content" not in said:
        return None
    kinds = said["content"]
    kind = kinds.get("application/problem+json") or kinds["application/json"]
    return Draft202012Validator(kind["schema"] | {"components": document()["components"]})


def conforms(method: str, path: str, answer: Any) -> str:
    """What about an answer is not as the description of its operation says; "" for nothing."""
    said = operations()[method, path]["responses"]
    if answer.status_code not in said:
        return f"{answer.status_code} is not described"
    validator = _validator(method, path, answer.status_code)
    if validator is None:
        return "" if not answer.content else "there is a body"
    return "; ".join(error.message for error in validator.iter_errors(answer.json()))
