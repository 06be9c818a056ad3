"""Who calls: a token, the person for whom it acts, and what it is narrowed to. Strangers get no further than here."""

from __future__ import annotations

import functools
import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer
from redis import Redis, RedisError

from accounts.adapter import client_ip
from accounts.api.queries import check_query, query_names
from accounts.models import (
    Alias,
    ApiToken,
    Batch,
    Change,
    Customer,
    Domain,
    Group,
    Invitation,
    Mailbox,
    NamedNetwork,
    Plan,
    Reseller,
    Role,
    User,
)
from accounts.services import permissions
from accounts.services.audit import Actor
from accounts.services.permissions import Action, Thing
from accounts.services.tokens import find_token

WINDOW_S = 60
TIMEOUT_S = 0.5
View = TypeVar("View", bound=Callable[..., Any])

log = logging.getLogger(__name__)


class TooManyRequests(Exception):
    """More calls in a minute than a token may make; `wait_s` until the next."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Caller:
    """A token and its person. What may be seen and done is what the person may (accounts/services/permissions.py), within the
    token's scopes and its customer."""

    token: ApiToken
    origin: str

    @property
    def person(self) -> User:
        """Who made the token, for whom it acts."""
        return self.token.person

    @property
    def actor(self) -> Actor:
        """Whom the log of changes names."""
        return Actor(self.person, self.origin, self.token.name)

    def need(self, scope: str) -> None:
        """Raises PermissionDenied without the scope; who may change may read."""
        area, _colon, how = scope.partition(":")
        if not {scope, f"{area}:write" if how == "read" else scope} & set(self.token.scopes):
            raise PermissionDenied(_("this token lacks the scope %(scope)s") % {"scope": scope})

    def allow(self, action: Action, thing: Thing = None) -> None:
        """Raises PermissionDenied for what the person may not do, and for what is over nothing of the token's customer."""
        if self.token.customer_id is not None and _customer_id(thing) != self.token.customer_id:
            raise PermissionDenied(_("this token is for one customer"))
        if not permissions.may(self.person, action, thing):
            raise PermissionDenied(_("the person of this token may not do that"))

    # --- What is there for this caller: the person's, within the token's customer -------------------------------------------
    def resellers(self) -> QuerySet[Reseller]:
        """None for a token of one customer."""
        rows = permissions.resellers_of(self.person)
        return rows.none() if self.token.customer_id else rows

    def customers(self) -> QuerySet[Customer]:
        """Those that the person sees."""
        return self._within(permissions.customers_of(self.person), "pk")

    def domains(self) -> QuerySet[Domain]:
        """Those that the person sees."""
        return self._within(permissions.domains_of(self.person), "customer")

    def mailboxes(self) -> QuerySet[Mailbox]:
        """Those that the person sees, deleted ones too."""
        return self._within(permissions.mailboxes_of(self.person), "domain__customer")

    def aliases(self) -> QuerySet[Alias]:
        """Those that lead into domains that the person sees."""
        return Alias.objects.filter(target__domain__in=self.domains().values("pk"))

    def groups(self) -> QuerySet[Group]:
        """Those in domains that the person sees."""
        return Group.objects.filter(domain__in=self.domains().values("pk"))

    def plans(self) -> QuerySet[Plan]:
        """All for those who sell, else those of one's customers."""
        if permissions.may(self.person, Action.ADD_CUSTOMER) and not self.token.customer_id:
            return Plan.objects.all()
        return Plan.objects.filter(customers__in=self.customers().values("pk")).distinct()

    def invitations(self) -> QuerySet[Invitation]:
        """Those over what the person sees."""
        rows = Invitation.objects.filter(self._over())
        parts = ("reseller", "customer__reseller", "domain__customer__reseller")
        return rows.select_related(*parts).prefetch_related("inviter")  # one person for all that they invited

    def roles(self) -> QuerySet[Role]:
        """Those over what the person sees."""
        return Role.objects.filter(self._over())

    def networks(self) -> QuerySet[NamedNetwork]:
        """Those that have a name for everybody, for a customer or for a domain."""
        over = Q(customer__in=self.customers().values("pk")) | Q(domain__in=self.domains().values("pk"))
        if not self.token.customer_id and permissions.may(self.person, Action.RUN_PROVIDER):
            over |= Q(customer__isnull=True, domain__isnull=True)
        return NamedNetwork.objects.filter(over, mailbox__isnull=True)

    def batches(self) -> QuerySet[Batch]:
        """The lists that the person brought: another's passwords are not theirs to fetch."""
        return Batch.objects.filter(person=self.person, domain__in=self.domains().values("pk"))

    def changes(self) -> QuerySet[Change]:
        """The lines of the log about what is the person's."""
        return self._within(permissions.changes_of(self.person), "customer")

    def _over(self) -> Q:
        """Roles and invitations over what is there for this caller."""
        over = Q(customer__in=self.customers().values("pk")) | Q(domain__in=self.domains().values("pk"))
        if not self.token.customer_id:
            over |= Q(reseller__in=self.resellers().values("pk"))
            if permissions.may(self.person, Action.RUN_PROVIDER):
                over |= Q(kind="provider")
        return over

    def _within(self, rows: QuerySet[Any], path: str) -> QuerySet[Any]:
        return rows.filter(**{path: self.token.customer_id}) if self.token.customer_id else rows


def _customer_id(thing: Thing) -> int | None:
    """Whose a thing is; None for what is no single customer's."""
    domain = thing.domain if isinstance(thing, Mailbox | Group | Batch) else thing
    if isinstance(domain, Domain):
        return domain.customer_id
    return domain.pk if isinstance(domain, Customer) else None


def caller_of(request: HttpRequest) -> Caller:
    """Who was let in."""
    return cast(Caller, request.auth)  # type: ignore[attr-defined]


def fails(*statuses: int) -> Callable[[View], View]:
    """Says in the description with which errors of its own an operation may answer."""

    def noted(view: View) -> View:
        view.errors = set(statuses)  # type: ignore[attr-defined]
        return view

    return noted


def needs(scope: str) -> Callable[[View], View]:
    """An operation for which a token must have this scope ("": any token); any other is refused before anything is looked at, and
    so is a parameter in the address that the operation does not know."""

    def guard(view: View) -> View:
        known = query_names(view)

        @functools.wraps(view)
        def checked(request: HttpRequest, *args: Any, **values: Any) -> Any:
            if scope:
                caller_of(request).need(scope)
            check_query(request, known)
            return view(request, *args, **values)

        # Annotations are read where the view stands, not here.
        checked.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
        checked.scope = scope  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return guard


def one(rows: QuerySet[Any], key: int) -> Any:
    """The row of this key among those that the caller may see; for any other Http404."""
    found: Model | None = rows.filter(pk=key).first()
    if found is None:
        raise Http404
    return found


class TokenAuth(HttpBearer):
    """`Authorization: Bearer TOKEN` (RFC 6750), and nothing else: no cookie, no session."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """The caller, None for a token that is not good. Raises TooManyRequests."""
        origin = client_ip(request)
        row = find_token(token, origin=origin)
        if row is None:
            return None
        _count(row)
        request.auth = Caller(row, origin)  # type: ignore[attr-defined]
        return caller_of(request)


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


def _count(token: ApiToken) -> None:
    """Counts a call in this minute; while Redis is away calls go on uncounted. Raises TooManyRequests."""
    now = int(time.time())
    key = f"api:{token.pk}:{now // WINDOW_S}"
    try:
        with _redis(settings.REDIS_URL).pipeline(transaction=False) as pipe:
            pipe.incr(key)
            pipe.expire(key, 2 * WINDOW_S)
            calls, _set = pipe.execute()
    except RedisError as error:
        log.warning("a call is not counted: %s", type(error).__name__)
        return
    if int(calls) > settings.API_CALLS_A_MINUTE:
        raise TooManyRequests(WINDOW_S - now % WINDOW_S)
