"""MIME trees as plain values, to keep them: what is empty is left out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from webmail.values import Part, PartNumber


def pack_part(part: Part) -> dict[str, Any]:
    """A MIME tree as what JSON can hold."""
    return _lean(asdict(part))


def _lean(fields: dict[str, Any]) -> dict[str, Any]:
    children = [_lean(child) for child in fields.pop("children")]
    kept = {name: value for name, value in fields.items() if value or name == "number"}
    return kept | ({"children": children} if children else {})


def unpack_part(packed: Any) -> Part | None:
    """The tree again; None for what is none."""
    try:
        return _part(packed)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _part(packed: dict[str, Any]) -> Part:
    fields = dict(packed)
    children = tuple(_part(child) for child in fields.pop("children", ()))
    return Part(
        number=PartNumber(fields.pop("number")),
        type=fields.pop("type", ""),
        subtype=fields.pop("subtype", ""),
        children=children,
        **fields,
    )
