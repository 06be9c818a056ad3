"""Addresses put together from pieces are those that Django gives."""

from __future__ import annotations

import pytest
from django.urls import reverse, set_script_prefix
from hypothesis import given, settings
from hypothesis import strategies as st

from webmail.urls import folder_patterns, message_patterns
from webmail.values import FolderId, Ref
from webmail.views.addresses import folder_address, message_address

OF_MESSAGES = [one.name for one in message_patterns if "section" not in str(one.pattern)]  # type: ignore[union-attr]
OF_FOLDERS = [name for one in folder_patterns if (name := getattr(one, "name", None))]


@settings(max_examples=15)
@given(
    st.sampled_from(OF_MESSAGES),
    st.integers(1, 10**9),
    st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()),
    st.integers(0, 2**32),
    st.from_regex(r"[0-9A-Za-z]{1,20}", fullmatch=True),
)
def test_a_message_has_the_address_that_django_gives(
    name: str, account: int, folder: str, validity: int, uid: str
) -> None:
    ref = Ref(FolderId(folder), validity, uid)
    kwargs = {"account_id": account, "folder_id": ref.folder, "validity": validity, "uid": uid}
    assert message_address(name, account, ref) == reverse(name, kwargs=kwargs)
    for of_folder in OF_FOLDERS:
        assert folder_address(of_folder, account, ref.folder) == reverse(of_folder, args=[account, ref.folder])


def test_a_site_below_a_path_has_its_own() -> None:
    ref = Ref(FolderId("INBOX"), 1, "7")
    assert message_address("message", 3, ref) == "/mail/3/f/SU5CT1g/m/1.7/"
    set_script_prefix("/correo/")
    try:
        assert message_address("message", 3, ref) == "/correo/mail/3/f/SU5CT1g/m/1.7/"
        assert folder_address("folder", 3, ref.folder) == "/correo/mail/3/f/SU5CT1g/"
    finally:
        set_script_prefix("/")


def test_what_is_no_uid_has_no_address() -> None:
    with pytest.raises(Exception, match="Reverse"):
        message_address("message", 3, Ref(FolderId("INBOX"), 1, "../x"))
