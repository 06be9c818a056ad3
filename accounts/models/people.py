"""People who sign in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models.hosting import Mailbox


class UserManager(BaseUserManager["User"]):
    """Makes users by address."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A user with this address, stored in lower case; no password means that only a mail server can vouch for it."""
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password) if password else user.set_unusable_password()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The address is the name; preferences follow the person, not the browser."""

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    class Density(models.TextChoices):
        COMPACT = "compact", _("Compact")
        NORMAL = "normal", _("Normal")
        ROOMY = "roomy", _("Roomy")

    class UndoTime(models.IntegerChoices):
        """For how many seconds a message can be had back before it is handed over."""

        NONE = 0, _("Send at once")
        FIVE = 5, _("5 seconds")
        TEN = 10, _("10 seconds")
        TWENTY = 20, _("20 seconds")
        THIRTY = 30, _("30 seconds")

    class ArchiveBy(models.TextChoices):
        """Into which folders below the archive a message goes, by its date."""

        YEAR = "year", _("A folder for each year")
        MONTH = "month", _("A folder for each month")
        NONE = "none", _("One folder for everything")

    WRITE_ABOVE = [(True, _("Above the quoted message")), (False, _("Below the quoted message"))]

    email = models.EmailField(_("address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.SYSTEM)
    density = models.CharField(_("density"), max_length=8, choices=Density, default=Density.NORMAL)
    single_keys = models.BooleanField(_("single-key shortcuts"), default=True)
    all_folders = models.BooleanField(_("show unsubscribed folders"), default=False)
    undo_s = models.PositiveSmallIntegerField(_("time to undo sending"), choices=UndoTime, default=UndoTime.TEN)
    write_plain = models.BooleanField(_("write in plain text, without format"), default=False)
    quote_below = models.BooleanField(_("in answers, write"), choices=WRITE_ABOVE, default=True)
    archive_by = models.CharField(_("archive into"), max_length=8, choices=ArchiveBy, default=ArchiveBy.YEAR)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.email

    def get_session_auth_hash(self) -> str:
        """What a session is bound to: the person's own password, and the password and switches of each hosted mailbox. When
        one of them changes, every open session of the person ends at its next request."""
        return self._session_hash(None)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under each retired SECRET_KEY."""
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    def _session_hash(self, secret: str | bytes | None) -> str:
        hosted = self.mail_accounts.filter(mailbox__isnull=False).order_by("pk")
        names = ("password", "active", "imap", "domain__active", "domain__customer__suspended", "deleted")
        rows = hosted.values_list(*(f"mailbox__{name}" for name in names))
        bound = [(*row[:3], row[3] and row[4] is None, row[5]) for row in rows]
        return self._hash_of(bound, secret)

    def hash_for(self, mailboxes: Sequence[Mailbox]) -> str:
        """The same for hosted mailboxes that are at hand, in the order of their accounts."""
        return self._hash_of(
            [(box.password, box.active, box.imap, box.domain.is_open, box.deleted) for box in mailboxes]
        )

    def _hash_of(self, bound: Iterable[tuple[Any, ...]], secret: str | bytes | None = None) -> str:
        text = repr([self.password, *bound])
        return salted_hmac("accounts.User.session", text, secret=secret, algorithm="sha256").hexdigest()
