"""Names that people give in the mail: one line of which something shows, as everywhere."""

from __future__ import annotations

import pytest

from accounts.models import MailAccount, User
from webmail.filter_forms import RuleForm
from webmail.models import OwnTag
from webmail.services.tags import TagRefused, change_tag, make_tag
from webmail.views.contacts import GroupForm, PersonForm

NOTHING = "\u200b\u2060\u200d"
"""Characters of no width."""


@pytest.fixture
def account(db: None) -> MailAccount:
    return MailAccount.objects.create(owner=User.objects.create_user("ana@x.test"), address="ana@x.test")


@pytest.mark.parametrize("name", [NOTHING, f" {NOTHING} "])
def test_a_name_of_which_nothing_shows_is_refused(account: MailAccount, name: str) -> None:
    rule = RuleForm({"name": name}, folders=[], tags=[], trash="", own_addresses=[], forwards_limit=5)
    person = PersonForm(account, None, {"name": name, "email": "b@x.test"})
    group = GroupForm(account, None, {"name": name, "members": ""})
    assert all("name" in form.errors for form in (rule, person, group))
    with pytest.raises(TagRefused):
        make_tag(account, name=name, colour=1)
    tag = make_tag(account, name="Obra\u202e\u2028norte", colour=1)
    with pytest.raises(TagRefused):
        change_tag(tag, name=name, colour=2)
    assert OwnTag.objects.get().name == "Obra norte"


def test_what_turns_or_breaks_a_name_is_taken_out(account: MailAccount) -> None:
    person = PersonForm(account, None, {"name": "Ana\u202e\u2028 Rojas", "email": "b@x.test"})
    assert person.is_valid()
    assert person.cleaned_data["name"] == "Ana Rojas"
    assert PersonForm(account, None, {"name": "", "email": "b@x.test"}).is_valid()
