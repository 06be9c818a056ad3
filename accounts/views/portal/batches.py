"""Lists of mailboxes: read from CSV, shown row by row, made; and written as CSV."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Batch
from accounts.portal_forms import BatchForm
from accounts.services import batches
from accounts.services.batch_changes import words_of
from accounts.services.batch_files import FILE_LIMIT_BYTES, BadFile, columns_words, mailbox_lines
from accounts.services.csv_cells import csv_lines
from accounts.services.permissions import Action
from accounts.views.portal.doors import actor_of, batch_for, domain_for, me, show, status_of

PAGE_SIZE = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def batch_new(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Takes a CSV file and leads to what it would do."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    form = BatchForm(request.POST, request.FILES) if request.method == "POST" else BatchForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            data = file.read(FILE_LIMIT_BYTES + 1)
            batch = batches.read_batch(domain=domain, data=data, name=file.name, by=actor_of(request))
        except BadFile as error:
            form.add_error("file", str(error))
        else:
            return redirect("portal:batch", batch.pk)
    return show(
        request, "portal/batch_new.html", {"domain": domain, "form": form, "tab": "mailboxes"}, status=status_of(form)
    )


@login_required
@require_safe
def batch_page(request: HttpRequest, batch_id: int) -> HttpResponse:
    """What a list would do, row by row, those that are wrong first; how far it is while it is made."""
    batch = batch_for(request, batch_id)
    rows = sorted(batch.rows, key=lambda row: not row["errors"])
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    page.object_list = [row | {"what": words_of(row)} for row in page.object_list]
    context = {
        "batch": batch,
        "domain": batch.domain,
        "page": page,
        "creates": len(batches.creating(rows)) == len(rows),
        "doing": len(batches.doing(rows)),
        "columns": columns_words(),
        "percent": 100 * batch.done // max(batch.total, 1),
        "moving": batch.state in {Batch.State.READING, Batch.State.WAITING, Batch.State.RUNNING},
        "tab": "mailboxes",
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return show(request, "portal/batch.html#live" if partial else "portal/batch.html", context)


@login_required
@require_POST
def batch_apply(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Hands a list without errors to the workers. 403 where one of its addresses belongs to somebody above the person."""
    batch = batch_for(request, batch_id)
    if not batches.makes_only_below(batch, me(request)):
        raise PermissionDenied
    batches.start_batch(batch, ignoring="ignore" in request.POST)
    return redirect("portal:batch", batch.pk)


@login_required
@require_safe
def batch_passwords(request: HttpRequest, batch_id: int) -> StreamingHttpResponse:
    """The passwords that were made, for a day."""
    batch = batch_for(request, batch_id)
    lines = [["address", "password"], *([address, password] for address, password in batches.take_passwords(batch))]
    return _csv(lines, "passwords.csv")


@login_required
@require_safe
def export(request: HttpRequest, domain_id: int) -> StreamingHttpResponse:
    """Every mailbox of a domain as CSV; no cell of it is a formula, and it can be read in again."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    return _csv(mailbox_lines(domain), f"{domain.name}.csv")


def _csv(lines: Iterable[list[str]], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
