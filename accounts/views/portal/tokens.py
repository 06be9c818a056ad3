"""Tokens with which other people's panels act for somebody: the list, a new one that is shown this once, and revoking;
and what the API can do."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import confirm
from accounts.form_parts import PortalForm, tried
from accounts.models import ApiToken, Customer
from accounts.numbers import read_number
from accounts.services import permissions
from accounts.services.tokens import SCOPES, Made, make_token, revoke_token
from accounts.views.portal.doors import actor_of, me, show, status_of

AREAS = {
    "customers": gettext_lazy("Customers and plans"),
    "domains": gettext_lazy("Domains, aliases and groups"),
    "mailboxes": gettext_lazy("Mailboxes and passwords"),
    "people": gettext_lazy("Roles and invitations"),
    "usage": gettext_lazy("Space and activity"),
    "changes": gettext_lazy("Log of changes"),
    "sign-in": gettext_lazy("Sign owners of mailboxes in, by a link"),
}
HOW = {"read": pgettext_lazy("tokens", "read"), "write": gettext_lazy("read and change")}
SCOPE_WORDS = [
    (scope, gettext_lazy("make links") if scope == "sign-in:write" else HOW[scope.partition(":")[2]])
    for scope in SCOPES
]
DAYS = {"30": gettext_lazy("30 days"), "365": gettext_lazy("a year"), "": gettext_lazy("until it is revoked")}


CHOICES = 100
"""With more customers than that, one is written, not chosen."""


class CustomerField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the customers that somebody runs: chosen from a list, or by its name or number where there are too many for one."""

    def offer(self, customers: QuerySet[Customer]) -> None:
        """Among which customers is chosen; from CHOICES on, by typing."""
        self.queryset = customers.order_by("name", "pk")
        self.empty_label = _("all that you run")
        if customers[CHOICES:].exists():
            self.widget = forms.TextInput(attrs={"placeholder": self.empty_label})
            self.help_text = _("The customer's name, or the number in the address of its page.")

    def to_python(self, value: Any) -> Customer | None:
        if not isinstance(self.widget, forms.TextInput):
            return cast(Customer | None, super().to_python(value))
        text = str(value or "").strip()[:120]
        if not text:
            return None
        number = read_number(text)
        among = cast(QuerySet[Customer], self.queryset)
        found = list(among.filter(Q(name__iexact=text) | Q(pk=number or 0))[:2])
        if len(found) != 1:
            several = _("Several customers have this name: write the number of one.")
            raise ValidationError(several if found else _("There is no customer with this name."))
        return found[0]


class TokenForm(PortalForm):
    """A new token: what it may do, for whom and until when."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    customer = CustomerField(label=gettext_lazy("Only for"), queryset=Customer.objects.none(), required=False)
    days = forms.ChoiceField(label=gettext_lazy("Good for"), choices=list(DAYS.items()), required=False, initial="365")
    scopes = forms.MultipleChoiceField(choices=SCOPE_WORDS, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        customers = kwargs.pop("customers")
        super().__init__(*args, **kwargs)
        self.fields["customer"].offer(customers)  # type: ignore[attr-defined]

    @property
    def areas(self) -> list[tuple[str, Any, list[tuple[str, Any, bool]]]]:
        """(area, words, (scope, words, chosen)) for each box."""
        chosen = set(self["scopes"].value() or [])
        return [
            (area, words, [(s, text, s in chosen) for s, text in SCOPE_WORDS if s.startswith(f"{area}:")])
            for area, words in AREAS.items()
        ]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens. POST makes one, and the page that answers shows it."""
    _require_role(request)
    customers = permissions.customers_of(request.user)
    form = TokenForm(request.POST if request.method == "POST" else None, customers=customers)
    made: list[Made] = []
    holder = confirm.holder_for(request)
    confirm.ask(form, request, holder)
    if request.method == "POST" and form.is_valid() and confirm.is_answered(form, request, holder):
        data = form.cleaned_data
        expires = timezone.now() + timedelta(days=int(data["days"])) if data["days"] else None
        values = {"name": data["name"], "scopes": data["scopes"], "customer": data["customer"], "expires": expires}
        tried(form, lambda: made.append(make_token(person=me(request), by=actor_of(request), **values)))
    context = {
        "rows": ApiToken.objects.filter(person=request.user.pk).select_related("customer").order_by("name"),
        "form": TokenForm(customers=customers) if made else form,
        "made": made[0] if made else None,
        "tab": "tokens",
    }
    response = show(request, "portal/tokens.html", context, status=status_of(form))
    response["Cache-Control"] = "no-store, private"
    return response


@login_required
@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Makes a token of one's own worth nothing."""
    row = get_object_or_404(ApiToken.objects.select_related("person"), pk=token_id, person=request.user.pk)
    revoke_token(row, by=actor_of(request))
    messages.info(request, _("“%(name)s” opens nothing any more.") % {"name": row.name})
    return redirect("portal:tokens")


@login_required
@require_safe
def api_description(request: HttpRequest) -> HttpResponse:
    """What the API can do, drawn from its own description."""
    _require_role(request)
    return show(request, "portal/api.html", {"groups": _operations(), "tab": "tokens"})


@cache
def _operations() -> list[tuple[str, list[dict[str, Any]]]]:
    """The operations by what they are about: method, path, summary, the names of what is sent, an example of it, and with which
    states they answer."""
    from accounts.api.v1 import api  # the API stands above the pages and knows them all

    schema = api.get_openapi_schema()
    parts = schema["components"]["schemas"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, one in methods.items():
            body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = parts.get(body.get("$ref", "").rpartition("/")[2], {})
            needed = set(fields.get("required", []))
            row = {
                "method": method.upper(),
                "path": path,
                "summary": one["summary"],
                "scope": one.get("x-scope", ""),
                "query": [p["name"] for p in one["parameters"] if p["in"] == "query"],
                "fields": [(name, name in needed) for name in fields.get("properties", {})],
                "statuses": [str(status) for status in one["responses"]],
                "example": next((_written(example) for example in fields.get("examples", ())), ""),
                "said": fields.get("description", "").replace("`", ""),
            }
            groups.setdefault(one["tags"][0], []).append(row)
    return list(groups.items())


def _written(example: dict[str, Any]) -> str:
    """An example as it is sent; what is very long is cut."""
    cut = {
        name: f"{value[:40]}…" if isinstance(value, str) and len(value) > 60 else value
        for name, value in example.items()
    }
    return json.dumps(cut, ensure_ascii=False, indent=2)


def _require_role(request: HttpRequest) -> None:
    """Raises PermissionDenied for who runs nothing: a token would open nothing."""
    if not permissions.held_by(request.user):
        raise PermissionDenied
