"""The downloads of an account: their log, what waits on the server and why, and the strip above the list of mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast, get_args

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import MailAccount
from accounts.numbers import read_number
from accounts.views.portal.doors import note
from webmail.models import Download, Pull
from webmail.services import pull_log
from webmail.services.access import account_for
from webmail.services.downloads import pause, resume, set_secret
from webmail.services.pull_log import Show
from webmail.services.pulls import PullState, ask_pull, pull_state
from webmail.tokens import decode_folder
from webmail.values import FolderId
from webmail.views.box import open_box

PAGE_SIZE = 30
SECRET_LIMIT = 4000


def download_for(request: HttpRequest, account_id: int) -> tuple[MailAccount, PullState]:
    """This person's account with how its downloads stand; 404 for one that is read on its server."""
    account = account_for(request, account_id)
    state = pull_state(account, asked=_asked(request.GET))
    if state is None:
        raise Http404
    return account, state


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def downloads(request: HttpRequest, account_id: int) -> HttpResponse:
    """The log, the figures and what waits. POST: `do` is start, pause, resume, fetch (with `entry`, or `all`) or secret."""
    account, state = download_for(request, account_id)
    asked = state.asked
    if request.method == "POST":
        change = CHANGES.get(request.POST.get("do", ""))
        if change is None:
            return HttpResponseBadRequest()
        error = change(request, account, state.download)
        if error:
            return _page(request, account, state, status=422, error=error)
        if request.POST["do"] != "pause":
            asked = timezone.now() if state.running is None else None
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect("downloads", account.pk)
        state = pull_state(account, asked=asked) or state
    return _page(request, account, state)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def pull_strip(request: HttpRequest, account_id: int) -> HttpResponse:
    """How downloads stand, as the mail page shows it above its list. It asks again while a pull runs: `stored` is how many
    messages had come by then. POST: `do` is start or resume."""
    account, state = download_for(request, account_id)
    if request.method == "POST":
        change = CHANGES.get(request.POST.get("do", ""))
        if change not in {_start, _resume}:
            return HttpResponseBadRequest()
        change(request, account, state.download)
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect("downloads", account.pk)
        state = pull_state(account, asked=timezone.now()) or state
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("downloads", account.pk)
    arrived = _arrived(request, state)
    context: dict[str, Any] = {
        "account": account,
        "pull": state,
        "arrived": arrived,
        "at": request.GET.get("folder", ""),
    }
    if arrived or not state.moving:
        with open_box(request, account_id) as box:
            context |= box.tree(box.folders(), _folder(request)) | {"pull": state, "with_tree": True}
    return render(request, "webmail/pull_strip.html#answer", context)


def _arrived(request: HttpRequest, state: PullState) -> bool:
    """Whether mail came since this part was drawn the last time: with the pull that ran then, or with one that was asked for
    and has begun since."""
    run, stored = (_number(request.GET, name) for name in ("run", "stored"))
    asked = _asked(request.GET)
    for pull in (state.running, state.last):
        if pull and (pull.pk == run or (not run and asked and pull.started >= asked)):
            return pull.stored > stored
    return False


def _folder(request: HttpRequest) -> FolderId | None:
    """The folder that the page shows."""
    try:
        return decode_folder(request.GET.get("folder", "")) or None
    except ValueError:
        return None


def _asked(data: QueryDict) -> datetime | None:
    moment = _number(data, "asked")
    return datetime.fromtimestamp(moment / 1000, UTC) if moment else None


def _number(data: QueryDict, name: str) -> int:
    text = data.get(name, "")
    return read_number(text, digits=14) or 0


def _page(
    request: HttpRequest, account: MailAccount, state: PullState, *, status: int = 200, error: str = ""
) -> HttpResponse:
    now = timezone.now()
    counts = pull_log.counts_of(account, now)
    show = request.GET.get("show", "")
    if show not in get_args(Show):
        show = "today" if counts["today"] else "all"
    pulls = pull_log.pulls_of(account, show=cast(Show, show), now=now)
    waiting, waiting_count = pull_log.waiting_of(account)
    context = {
        "account": account,
        "pull": state,
        "download": state.download,
        "show": show,
        "counts": counts,
        "page": Paginator(pulls, PAGE_SIZE).get_page(request.GET.get("page")),
        "totals": pull_log.totals_of(pulls),
        "chart": pull_log.chart_of(account),
        "where": pull_log.where_of(account),
        "waiting": waiting,
        "waiting_count": waiting_count,
        "waiting_more": waiting_count - len(waiting),
        "doubts": pull_log.doubts_of(account),
        "has_uidl": pull_log.knows_uidl(account),
        "detail": _detail(account, state),
        "error": error,
        "tab": "downloads",
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "webmail/downloads.html#live" if partial else "webmail/downloads.html"
    return render(request, template, context, status=status)


def _detail(account: MailAccount, state: PullState) -> str:
    """What the server itself said to the last pull that failed, while the trouble lasts."""
    if not state.download.problem:
        return ""
    failed = Pull.objects.filter(account=account, outcome=Pull.Outcome.FAILED).order_by("-started").first()
    return failed.detail if failed else ""


def _start(request: HttpRequest, account: MailAccount, download: Download) -> str:
    ask_pull(account)
    return ""


def _pause(request: HttpRequest, account: MailAccount, download: Download) -> str:
    pause(download)
    note(request, account, "mailbox.download", {"paused": download.paused}, {"paused": True})
    return ""


def _resume(request: HttpRequest, account: MailAccount, download: Download) -> str:
    resume(download)
    note(request, account, "mailbox.download", {"paused": download.paused}, {"paused": False})
    ask_pull(account)
    return ""


def _fetch(request: HttpRequest, account: MailAccount, download: Download) -> str:
    """Fetches messages that are too large, or whose next try is later, with a pull that begins at once."""
    if "all" in request.POST:
        entries = [entry.pk for entry in pull_log.waiting_of(account)[0]]
    else:
        entries = [key for key in map(read_number, request.POST.getlist("entry")) if key is not None]
    count = pull_log.fetch_anyway(account, entries)
    if not count:
        return _("Nothing was changed: the messages do not wait any more.")
    ask_pull(account)
    if not request.htmx:  # type: ignore[attr-defined]
        text = ngettext(
            "%(n)d message comes with the next download", "%(n)d messages come with the next download", count
        )
        notices.info(request, text % {"n": count})
    return ""


def _secret(request: HttpRequest, account: MailAccount, download: Download) -> str:
    """A new password or token, with which what was refused is tried again at once."""
    secret = request.POST.get("secret", "")
    auth = request.POST.get("auth", "")
    if account.hosted or auth not in Download.Auth.values:
        return _("This mailbox needs no password here.")
    if not secret or len(secret) > SECRET_LIMIT or any(char in secret for char in "\r\n\0"):
        return _("The server wants a password or token")
    set_secret(download, secret, auth=auth)
    ask_pull(account)
    return ""


CHANGES: dict[str, Callable[[HttpRequest, MailAccount, Download], str]] = {
    "start": _start,
    "pause": _pause,
    "resume": _resume,
    "fetch": _fetch,
    "secret": _secret,
}
"""What can be done on the page; each gives what is wrong with it, "" for nothing."""
