"""What the description promises: every operation says what it is, what it takes, gives and may refuse; and its examples are
good."""

from __future__ import annotations

import re
from typing import Any

from jsonschema import Draft202012Validator

from accounts.services.tokens import SCOPES
from tests.api.conftest import document, operations


def test_every_operation_says_what_it_is_and_what_may_go_wrong() -> None:
    names = [one["operationId"] for one in operations().values()]
    assert len(names) == len(set(names))
    for (method, path), one in operations().items():
        where = f"{method} {path}"
        assert one["summary"], where
        assert one["tags"], where
        assert {401, 429} <= one["responses"].keys(), where
        assert (404 in one["responses"]) >= ("{" in path), where
        if path != "/me":
            assert one["x-scope"] in SCOPES, where
            reads = method == "GET" and not path.endswith("/passwords")
            assert one["x-scope"].endswith(":read" if reads else ":write"), where
            assert 403 in one["responses"], where
        if "requestBody" in one or one["parameters"]:
            assert 422 in one["responses"], where
        for status, said in one["responses"].items():
            kinds = said.get("content", {})
            if int(status) >= 400:
                assert kinds["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}, where
            else:
                assert (int(status) == 204) == (not kinds), where
                assert int(status) == 204 or kinds["application/json"]["schema"], where


def test_what_makes_something_takes_a_key() -> None:
    for (method, path), one in operations().items():
        keyed = any(given["name"] == "Idempotency-Key" for given in one["parameters"])
        assert keyed <= (method == "POST"), path
        if 201 in one["responses"]:
            assert keyed, path


def test_what_is_sent_is_described_with_an_example_that_it_allows() -> None:
    parts = document()["components"]
    for (method, path), one in operations().items():
        if "requestBody" not in one:
            continue
        [kind] = one["requestBody"]["content"].values()
        name = kind["schema"]["$ref"].rpartition("/")[2]
        schema = parts["schemas"][name]
        assert schema["additionalProperties"] is False, name
        assert schema["examples"], name
        check = Draft202012Validator(schema | {"components": parts})
        for example in schema["examples"]:
            assert not list(check.iter_errors(example)), (method, path, example)


def test_ids_and_sizes_are_bounded() -> None:
    """A number that no column holds is told at its field, and never reaches the database."""
    for name, schema in document()["components"]["schemas"].items():
        for field, said in schema.get("properties", {}).items():
            if not name.endswith(("In", "Change")):
                continue
            kinds: list[dict[str, Any]] = said.get("anyOf", [said])
            for kind in kinds:
                if kind.get("type") == "integer":
                    assert "maximum" in kind, (name, field)
                if (
                    kind.get("type") == "string"
                    and "enum" not in kind
                    and not re.fullmatch("date|date-time", kind.get("format", ""))
                ):
                    assert "maxLength" in kind, (name, field)
                if kind.get("type") == "array":
                    assert "maxItems" in kind, (name, field)
