"""Keys come and go; what was sealed stays readable."""

from __future__ import annotations

import io
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from accounts.models import MailAccount, User
from accounts.vault import SealBroken, seal, unseal
from webmail.models import Download


@pytest.mark.django_db
def test_secrets_outlive_their_first_key(settings: Any, redis: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.VAULT_KEYS = [old]
    owner = User.objects.create_user("a@x.test")
    account = MailAccount.objects.create(owner=owner, address="a@x.test")
    download = Download.objects.create(account=account, sealed=seal("secreto", context="download:1"))
    settings.VAULT_KEYS = [new, old]
    call_command("rotate_secrets", stdout=io.StringIO())
    settings.VAULT_KEYS = [new]
    download.refresh_from_db()
    assert unseal(download.sealed, context="download:1") == "secreto"
    settings.VAULT_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SystemExit):
        call_command("rotate_secrets", stdout=io.StringIO())
    with pytest.raises(SealBroken):
        unseal(download.sealed, context="download:1")
