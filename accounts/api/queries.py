"""What may stand behind the "?" of an address: an operation's own parameters, each once. What it does not know is refused, or a
mistyped filter would give everything."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Schema
from ninja.errors import ValidationError


def query_names(view: Callable[..., Any]) -> frozenset[str]:
    """What an operation calls its parameters, those of its path among them; not its body."""
    given = list(inspect.signature(view, eval_str=True).parameters.values())[1:]  # without the request
    return frozenset(_alias(one) for one in given if not _is_body(one.annotation))


def check_query(request: HttpRequest, known: frozenset[str]) -> None:
    """Raises ninja's ValidationError at each parameter that is not `known`, or given more than once."""
    if not request.META.get("QUERY_STRING"):
        return
    path = request.resolver_match.kwargs if request.resolver_match else {}
    wrong = {name: _("There is no such parameter here.") for name in request.GET if name not in known - path.keys()}
    wrong |= {name: _("This is given more than once.") for name, values in request.GET.lists() if len(values) > 1}
    if wrong:
        raise ValidationError([{"loc": ("query", name), "msg": text, "type": "query"} for name, text in wrong.items()])


def _alias(parameter: inspect.Parameter) -> str:
    found = [getattr(one, "alias", None) for one in getattr(parameter.annotation, "__metadata__", ())]
    return next((str(alias) for alias in found if alias), parameter.name)


def _is_body(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Schema)
