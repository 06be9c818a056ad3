"""What the OpenAPI document says of every operation beside its own words: the scope that it takes, the Idempotency-Key, and the
errors with which it may answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ninja import NinjaAPI

from accounts.api.problems import TITLES
from accounts.api.schemas.common import Problem

KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "One's own word for this request: sent again within a day, it is answered as the first time and done once.",
    "schema": {"type": "string", "maxLength": 128},
    "example": "order-1001-mailbox",
}
WHEN = {
    400: "What was sent cannot be read: the body is no JSON or too large, or the Idempotency-Key not printable ASCII",
    401: "Without a token that is good",
    403: "What the token's scopes or its person's roles do not allow",
    404: "What is not there for this person",
    409: "What cannot be done as things are now",
    422: "What was sent is not valid: `errors` has the messages by field",
    429: "More calls in a minute than a token may make: `Retry-After` says when to go on",
    503: "A mail server that is needed does not answer",
    507: "The mailbox has no room for any of it",
}


def complete(api: NinjaAPI, document: dict[str, Any]) -> None:
    """Adds to the document what is the same everywhere."""
    schemas = document["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema()
    views = dict(_views(api))
    for methods in document["paths"].values():
        for one in methods.values():
            _describe(one, views[one["operationId"]])


def _views(api: NinjaAPI) -> Iterator[tuple[str, Any]]:
    for _prefix, router in api._routers:
        for path in router.path_operations.values():
            for operation in path.operations:
                yield api.get_openapi_operation_id(operation), operation.view_func


def _describe(one: dict[str, Any], view: Any) -> None:
    scope, once = getattr(view, "scope", ""), getattr(view, "is_idempotent", False)
    if scope:
        one["x-scope"] = scope
        one["description"] = f"{one.get('description', '')}\n\nScope: `{scope}`.".strip()
    errors = {401, 429} | ({403} if scope else set())
    errors |= {404} if any(given["in"] == "path" for given in one["parameters"]) else set()
    errors |= {422}  # an address with a parameter that the operation does not know
    errors |= {400, 409, 422} if once else {400} if "requestBody" in one else set()
    errors |= getattr(view, "errors", set())
    if getattr(view, "tabular", False):
        one["responses"][200]["content"]["text/csv"] = {"schema": {"type": "string"}}
    if once:
        one["parameters"].append(KEY_PARAMETER)
    for status in sorted(errors):
        one["responses"][status] = _answer(status)


def _answer(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": f"{TITLES[status]}. {WHEN[status]}.",
        "content": {"application/problem+json": {"schema": schema}},
    }
