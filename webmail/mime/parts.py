"""MIME trees as plain values, to keep them: what is empty is left out."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from webmail.values import Part, PartNumber

_PLAIN = tuple(one.name for one in fields(Part) if one.name != "children")


def pack_part(part: Part) -> dict[str, Any]:
    """A MIME tree as what JSON can hold."""
    kept = {name: value for name in _PLAIN if (value := getattr(part, name)) or name == "number"}
    return kept | ({"children": [pack_part(child) for child in part.children]} if part.children else {})


def unpack_part(packed: Any) -> Part | None:
    """The tree again; None for what is none."""
    try:
        return _part(packed)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _part(packed: dict[str, Any]) -> Part:
    rest = dict(packed)
    children = tuple(_part(child) for child in rest.pop("children", ()))
    return Part(
        number=PartNumber(rest.pop("number")),
        type=rest.pop("type", ""),
        subtype=rest.pop("subtype", ""),
        children=children,
        **rest,
    )
