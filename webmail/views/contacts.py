"""The address book of an account: people and groups, searched, added, changed, deleted, imported and exported."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.form_parts import one_line
from accounts.models import MailAccount
from webmail.mime.headers import make_safe
from webmail.mime.recipients import check_recipient, parse_recipients
from webmail.models import Contact, ContactGroup
from webmail.services import contacts as service
from webmail.services.access import account_for
from webmail.services.cards import FILE_LIMIT_BYTES, give_cards, take_cards
from webmail.values import Address

PAGE_SIZE = 50
REPORT = "contacts_taken"
DELETED = "contacts_deleted"


class PersonForm(forms.Form):
    """Name and address of somebody."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=service.NAME_LIMIT)
    email = forms.CharField(label=gettext_lazy("Mail address"), max_length=service.EMAIL_LIMIT)

    def __init__(self, account: MailAccount, contact: Contact | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account, self.contact = account, contact
        self.merged: Contact | None = contact
        _dress(self)

    def clean_name(self) -> str:
        """On one line; something of it shows."""
        return one_line(" ".join(make_safe(str(self.cleaned_data["name"])).split()))

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if check_recipient(email):
            raise forms.ValidationError(_("“%(about)s” is no mail address") % {"about": email})
        other = service.contact_with(self.account, email)
        if other is not None and other != self.contact:
            if self.contact is not None or other.kept:
                raise forms.ValidationError(_("This address is among your contacts already."))
            self.merged = other  # known from mail only: now written down
        return email


class GroupForm(forms.Form):
    """Name of a group, and its members as in a recipients field."""

    name = forms.CharField(label=gettext_lazy("Name of the group"), max_length=100)
    members = forms.CharField(label=gettext_lazy("Members"), required=False, max_length=200_000)

    def __init__(self, account: MailAccount, group: ContactGroup | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account, self.group = account, group
        _dress(self)

    def clean_name(self) -> str:
        name = one_line(" ".join(make_safe(str(self.cleaned_data["name"])).split()))
        if service.UNFIT_FOR_GROUP.search(name) or not service.group_key(name):
            raise forms.ValidationError(_("A group's name cannot have any of these: @ , ; : < > ( ) [ ] \\ \""))
        same = ContactGroup.objects.filter(account=self.account, search=service.group_key(name))
        if same.exclude(pk=self.group.pk if self.group else 0).exists():
            raise forms.ValidationError(_("There is a group of this name already."))
        return name

    def clean_members(self) -> list[Address]:
        text = service.expand_groups(self.account, str(self.cleaned_data["members"]))
        people = parse_recipients(text)
        for person in people:
            if not person.email or check_recipient(person.email):
                about = person.email or person.name
                raise forms.ValidationError(_("“%(about)s” is no mail address") % {"about": about})
        if len(people) > service.MEMBERS_LIMIT:
            raise forms.ValidationError(_("A group has at most %(limit)d members.") % {"limit": service.MEMBERS_LIMIT})
        return people


def _dress(form: forms.Form) -> None:
    for field in form.fields.values():
        field.widget.attrs |= {"class": "input", "autocomplete": "off", "spellcheck": "false"}
    form.fields["name"].widget.attrs["dir"] = "auto"
    for name in {"email", "members"} & set(form.fields):
        form.fields[name].widget.attrs |= {"autocapitalize": "none", "inputmode": "email"}


@login_required
@require_safe
def contacts(request: HttpRequest, account_id: int) -> HttpResponse:
    """People, or with ?show=groups the groups; `q` searches, `page` turns the pages."""
    return _page(request, account_for(request, account_id))


def _page(request: HttpRequest, account: MailAccount, *, status: int = 200, error: str = "") -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "")[:100]
    groups = request.GET.get("show") == "groups"
    found: Any = service.find_groups(account, words) if groups else service.find_people(account, words)
    if not groups:
        found = found.prefetch_related("groups")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page", "1")[:6])
    context = {
        "account": account,
        "words": words,
        "groups": groups,
        "page": page,
        "taken": request.session.pop(REPORT, None) if REPORT in request.session else None,
        "error": error,
        "limit_bytes": FILE_LIMIT_BYTES,
        "kept_query": _list_url(account.pk, request.GET).partition("contacts/")[2],
    }
    return render(request, "webmail/contacts.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def contact_edit(request: HttpRequest, account_id: int, contact_id: int | None = None) -> HttpResponse:
    """A person's form; without an id a new one's."""
    account = account_for(request, account_id)
    contact = _contact(account, contact_id) if contact_id is not None else None
    initial = (
        {"name": contact.name, "email": contact.email} if contact else {"email": request.GET.get("email", "")[:254]}
    )
    form = PersonForm(account, contact, request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        if contact is None and form.merged is None and _full(account):
            form.add_error(None, _("The address book is full."))
        else:
            service.save_contact(account, form.merged, name=form.cleaned_data["name"], email=form.cleaned_data["email"])
            notices.info(request, _("The contact was saved."))
            return redirect("contacts", account_id)
    context = {"account": account, "form": form, "contact": contact}
    return render(request, "webmail/contact.html", context, status=422 if form.errors else 200)


def _full(account: MailAccount) -> bool:
    return Contact.objects.filter(account=account).count() >= service.CONTACTS_LIMIT


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def group_edit(request: HttpRequest, account_id: int, group_id: int | None = None) -> HttpResponse:
    """A group's form; without an id a new one's."""
    account = account_for(request, account_id)
    group = _group(account, group_id) if group_id is not None else None
    initial = {"name": group.name, "members": service.as_recipients(service.members_of(group))} if group else {}
    form = GroupForm(account, group, request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        if group is None and ContactGroup.objects.filter(account=account).count() >= service.GROUPS_LIMIT:
            form.add_error(None, _("The address book is full."))
        else:
            service.save_group(account, group, name=form.cleaned_data["name"], people=form.cleaned_data["members"])
            notices.info(request, _("The group was saved."))
            return redirect(_list_url(account_id, QueryDict(), show="groups"))
    context = {"account": account, "form": form, "group": group, "is_group": True}
    return render(request, "webmail/contact.html", context, status=422 if form.errors else 200)


def _list_url(account_id: int, query: QueryDict, name: str = "contacts", **extra: str) -> str:
    """The list as it was, or something of it: the same search, page and kind."""
    kept = {key: query[key][:100] for key in ("q", "page", "show") if query.get(key)} | extra
    return reverse(name, args=[account_id]) + (f"?{urlencode(kept)}" if kept else "")


@login_required
@require_POST
def contact_delete(request: HttpRequest, account_id: int, contact_id: int) -> HttpResponse:
    """Deletes a person; can be undone until the next one."""
    contact = _contact(account_for(request, account_id), contact_id)
    kept = {name: getattr(contact, name) for name in ("name", "email", "search", "written", "heard", "kept")}
    groups = list(contact.groups.values_list("pk", flat=True))
    request.session[DELETED] = {"account": account_id, "contact": kept, "groups": groups}
    contact.delete()
    text = _("“%(name)s” was deleted from the contacts.") % {"name": contact.name or contact.email}
    notices.info(request, text, extra_tags=_list_url(account_id, request.GET, "contacts_undo"))
    return redirect(_list_url(account_id, request.GET))


@login_required
@require_POST
def group_delete(request: HttpRequest, account_id: int, group_id: int) -> HttpResponse:
    """Deletes a group, not its members; can be undone until the next one."""
    group = _group(account_for(request, account_id), group_id)
    members = list(group.members.values_list("pk", flat=True))
    kept = {"name": group.name, "search": group.search}
    request.session[DELETED] = {"account": account_id, "group": kept, "members": members}
    group.delete()
    text = _("The group “%(name)s” was deleted; its members are still here.") % {"name": group.name}
    notices.info(request, text, extra_tags=_list_url(account_id, request.GET, "contacts_undo", show="groups"))
    return redirect(_list_url(account_id, request.GET, show="groups"))


@login_required
@require_POST
def contacts_undo(request: HttpRequest, account_id: int) -> HttpResponse:
    """Puts back what was deleted last."""
    account = account_for(request, account_id)
    kept = request.session.get(DELETED) or {}
    url = _list_url(account_id, request.GET)
    if kept.get("account") == account_id:
        del request.session[DELETED]
        if "contact" in kept:
            email = kept["contact"].pop("email")
            contact, _new = Contact.objects.get_or_create(account=account, email=email, defaults=kept["contact"])
            contact.groups.add(*ContactGroup.objects.filter(account=account, pk__in=kept["groups"]))
        else:
            search = kept["group"].pop("search")
            group, _new = ContactGroup.objects.get_or_create(account=account, search=search, defaults=kept["group"])
            group.members.add(*Contact.objects.filter(account=account, pk__in=kept["members"]))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


@login_required
@require_POST
def contacts_import(request: HttpRequest, account_id: int) -> HttpResponse:
    """Takes a vCard file in and tells what became of it."""
    account = account_for(request, account_id)
    file = request.FILES.get("file")
    if file is None:
        return _page(request, account, status=422, error=_("Choose a file first."))
    if not file.size or file.size > FILE_LIMIT_BYTES:
        return _page(
            request, account, status=422, error=_("The file is empty or too large; nothing was taken from it.")
        )
    taken = take_cards(account, file.read(FILE_LIMIT_BYTES))
    if "empty" in taken.codes:
        return _page(
            request, account, status=422, error=_("There is no vCard in this file; nothing was taken from it.")
        )
    request.session[REPORT] = asdict(taken)
    return redirect("contacts", account_id)


@login_required
@require_safe
def contacts_export(request: HttpRequest, account_id: int) -> HttpResponse:
    """All people and groups as one vCard file."""
    account = account_for(request, account_id)
    response = HttpResponse(b"".join(give_cards(account)), content_type="text/vcard; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="contacts.vcf"'
    return response


def _contact(account: MailAccount, contact_id: int) -> Contact:
    contact = Contact.objects.filter(account=account, pk=contact_id).first()
    if contact is None:
        raise Http404
    return contact


def _group(account: MailAccount, group_id: int) -> ContactGroup:
    group = ContactGroup.objects.filter(account=account, pk=group_id).first()
    if group is None:
        raise Http404
    return group
