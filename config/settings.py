"""Every setting of Casilla, in one file. Each value comes from the environment: NAME, or NAME_FILE with a path to it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    """The value of NAME, else the content of the file that NAME_FILE names, else the default."""
    if name in os.environ:
        return os.environ[name]
    file = os.environ.get(f"{name}_FILE")
    return Path(file).read_text().strip() if file else default


def env_bool(name: str, default: bool = False) -> bool:
    return env(name, str(default)).lower() in {"1", "true", "yes", "on"}


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env(name, default).split(",") if item.strip()]


# --- Core ---------------------------------------------------------------------------------------------------------
DEBUG = env_bool("DEBUG")
TESTING = env_bool("TESTING")
SECRET_KEY = env("SECRET_KEY") or ("insecure-development-key" if DEBUG or TESTING else "")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
SITE_URL = env("SITE_URL", "http://127.0.0.1:8000")
SITE_NAME = env("SITE_NAME", "Casilla")
STATE_DIR = Path(env("STATE_DIR", str(BASE_DIR / "var" / "dev")))

INSTALLED_APPS = [
    "accounts",
    "webmail",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "template_partials",
    "csp",
]

MIDDLEWARE = [
    "accounts.middleware.SetupMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "accounts.middleware.CompressMiddleware",
    "accounts.middleware.PolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.PersonMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "accounts.middleware.TimeZoneMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.NoticesMiddleware",
    "accounts.middleware.WordsMiddleware",
    "accounts.middleware.NoStoreMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webmail.middleware.MailErrorMiddleware",
    "accounts.middleware.GoneMiddleware",
]

WEB_THREADS = int(env("WEB_THREADS", "40"))  # how many pages one process works on at a time
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "accounts.context.ui",
                "webmail.views.frame.frame",
            ],
        },
    },
]

# What was drawn and kept holds for these very templates and words.
DRAWN_FROM = [path for name in ("templates", "locale") for path in (BASE_DIR / name).rglob("*.*")]
DRAWN_BY = str(max((path.stat().st_mtime_ns for path in DRAWN_FROM), default=0))

# --- Database: SQLite as the embedded default, PostgreSQL by DATABASE=postgres -----------------------------------------
if env("DATABASE", "sqlite") == "postgres":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": env("POSTGRES_HOST", "127.0.0.1"),
            "PORT": env("POSTGRES_PORT", "5432"),
            "NAME": env("POSTGRES_DB", "casilla"),
            "USER": env("POSTGRES_USER", "casilla"),
            "PASSWORD": env("POSTGRES_PASSWORD"),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": env("SQLITE_PATH", str(STATE_DIR / "db" / "casilla.sqlite3")),
            "CONN_MAX_AGE": None,  # opening the file costs more than a page
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;",
            },
        }
    }
MAIL_DB_USER = env("MAIL_DB_USER", "casilla_mail")  # PostgreSQL: as whom the mail servers read; `grant_mail_role`
MAIL_DB_PASSWORD = env("MAIL_DB_PASSWORD")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis, cache, sessions, Celery --------------------------------------------------------------------------------------
REDIS_URL = env("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "accounts.cache.LossyRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "casilla",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
}
SESSION_ENGINE = "accounts.sessions"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_AGE = 30 * 24 * 3600
CELERY_BROKER_URL = env("CELERY_BROKER_URL", REDIS_URL)

# --- People and sign-in --------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.HostedMailboxBackend",  # a mailbox that Casilla hosts: its own hash
    "webmail.backends.MailServerBackend",  # any other: the IMAP login is the check
]
PASSWORD_HASHERS = ["accounts.provisioning.passwords.PasswordHasher"]
# What a hash of a password costs; by default what Django takes. Tests sign in a thousand times and guard nothing by it.
ARGON2_TIME_COST = int(env("ARGON2_TIME_COST", "1" if TESTING else "2"))
ARGON2_MEMORY_KIB = int(env("ARGON2_MEMORY_KIB", "512" if TESTING else "102400"))
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.forms.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ALLAUTH_TRUSTED_PROXY_COUNT = int(env("TRUSTED_PROXIES", "0"))  # proxies in front that set X-Forwarded-For
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = env_bool("PASSKEY_LOGIN")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"

# --- Mail servers ----------------------------------------------------------------------------------------------------------
# The server that Casilla provisions (Dovecot and Postfix). Hosts and ports may point at a proxy.
MAIL_HOST = env("MAIL_HOST", "127.0.0.1")
IMAP_HOST = env("IMAP_HOST", MAIL_HOST)
IMAP_PORT = int(env("IMAP_PORT", "143"))
IMAP_TLS = env("IMAP_TLS", "starttls")  # tls, starttls or none
SUBMISSION_HOST = env("SUBMISSION_HOST", MAIL_HOST)
SUBMISSION_PORT = int(env("SUBMISSION_PORT", "587"))
SUBMISSION_TLS = env("SUBMISSION_TLS", "starttls")
SEND_LEASE_S = float(env("SEND_LEASE_S", "120"))  # after this a worker that is silent counts as dead
PULL_LEASE_S = float(env("PULL_LEASE_S", "120"))  # the same for a worker that pulls mail over POP3
PULLS_KEEP_DAYS = float(env("PULLS_KEEP_DAYS", "90"))  # how long the log of a download goes back
POP3_HOST = env("POP3_HOST", MAIL_HOST)
POP3_PORT = int(env("POP3_PORT", "110"))
POP3_TLS = env("POP3_TLS", "starttls")
POP3_ALLOW_CLEARTEXT = env_bool("POP3_ALLOW_CLEARTEXT")  # passwords to other POP3 servers without TLS
LMTP_HOST = env("LMTP_HOST", MAIL_HOST)
LMTP_PORT = int(env("LMTP_PORT", "24"))
API_CALLS_A_MINUTE = int(env("API_CALLS_A_MINUTE", "600"))
POLICY_PORT = int(env("POLICY_PORT", "12341"))
SIEVE_HOST = env("SIEVE_HOST", MAIL_HOST)
SIEVE_PORT = int(env("SIEVE_PORT", "4190"))
SIEVE_TLS = env("SIEVE_TLS", "starttls")
MAIL_CA_FILE = env("MAIL_CA_FILE")  # extra certificate authority for the servers above; "" = the system's
DOVECOT_LOG = env("DOVECOT_LOG")  # the log of the server above, in which `manage.py collect_activity` reads
ACTIVITY_DAYS = int(env("ACTIVITY_DAYS", "365"))  # how long it is kept which programs used a mailbox
POSTFIX_LOG = env("POSTFIX_LOG")  # Postfix's, from which refused mail is told
# The zone in which Postfix writes: its lines name none. Read here, before Django makes TIME_ZONE the zone of the process.
POSTFIX_LOG_ZONE = env("POSTFIX_LOG_ZONE", os.environ.get("TZ", ""))
# For how many days what POP3 programs remove can be put back. The mail server's configuration is rendered with it too.
RESERVE_DAYS = int(env("RESERVE_DAYS", "30"))
TIMELINE_DAYS = int(env("TIMELINE_DAYS", "90"))  # how long it is kept what happened to a mailbox
MAIL_DISK_PATH = env("MAIL_DISK_PATH")  # a folder on the disk that holds the mail, where this machine sees it
MAIL_DISK_BYTES = int(env("MAIL_DISK_BYTES", "0"))  # its size, where it does not
AUTHSERV_IDS = env_list("AUTHSERV_IDS")  # whose Authentication-Results headers to believe
# The Dovecot master user; the password is useless from any other machine (its query tests the real address).
MAIL_MASTER_USER = env("MAIL_MASTER_USER", "casilla")
MAIL_MASTER_PASSWORD = env("MAIL_MASTER_PASSWORD")
# doveadm over HTTP: sessions of a suspended mailbox are ended, the mail of a deleted one removed. "" = neither is done.
DOVEADM_URL = env("DOVEADM_URL")
DOVEADM_API_KEY = env("DOVEADM_API_KEY")

# What mail programs are told: HOST:PORT:tls (or :starttls), the preferred first. These are the names in the certificate.
SETUP_HOST = env("SETUP_HOST", env("MAIL_DOMAIN_NAME", MAIL_HOST))
SETUP_IMAP = env_list("SETUP_IMAP", f"{SETUP_HOST}:993:tls")
SETUP_POP3 = env_list("SETUP_POP3", f"{SETUP_HOST}:995:tls")
SETUP_SMTP = env_list("SETUP_SMTP", f"{SETUP_HOST}:465:tls,{SETUP_HOST}:587:starttls")
# What customers are told to enter in their DNS: where mail goes, what SPF allows, the public half of the DKIM key.
DNS_MX = env("DNS_MX", SETUP_HOST)
DNS_SPF = env("DNS_SPF", "mx")  # or include:spf.example.org
DKIM_SELECTOR = env("DKIM_SELECTOR", "casilla")
DKIM_RECORD = env("DKIM_RECORD")  # "v=DKIM1; k=rsa; p=..."; empty: nothing signs, and the page says nothing of it
DNS_RESOLVERS = env_list(
    "DNS_RESOLVERS"
)  # ADDRESS or ADDRESS:PORT, where the system's own sees other records than the world
DNS_CHECK_HOURS = int(
    env("DNS_CHECK_HOURS", "24")
)  # how often a domain's records are looked at by themselves; 0: never
# With what Apple's profiles are signed: PEM files, the certificate's with its chain. Empty: they are not signed.
PROFILE_CERT_FILE = env("PROFILE_CERT_FILE")
PROFILE_KEY_FILE = env("PROFILE_KEY_FILE")
# Mail that Casilla itself writes: invitations, links for a new password.
EMAIL_HOST = env("EMAIL_HOST", MAIL_HOST)
EMAIL_PORT = int(env("EMAIL_PORT", "25"))
EMAIL_HOST_USER = env("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env("EMAIL_FROM", f"no-reply@{urlsplit(SITE_URL).hostname}")
PASSWORD_SCORE = int(env("PASSWORD_SCORE", "3"))  # of 4: how strong a new password must be (zxcvbn)

# Other people's servers. One JSON object {"example.org": {"imap": "imap.example.org:993:tls", "smtp": "...:465:tls"}};
# the key "*" is for every domain. With MAIL_DISCOVERY the rest is found by SRV records and autoconfig.
MAIL_SERVERS = env("MAIL_SERVERS", "{}")
MAIL_DISCOVERY = env_bool("MAIL_DISCOVERY")
MAIL_MANUAL_SERVERS = env_bool("MAIL_MANUAL_SERVERS")  # let people type where their server is
ALLOW_PRIVATE_SERVERS = env_bool("ALLOW_PRIVATE_SERVERS")  # loopback and private networks: for tests and the demo

# Keys that seal stored secrets, newest first (Fernet keys, comma separated).
VAULT_KEYS = env_list("VAULT_KEYS")

# --- Languages ---------------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
TIME_ZONE = env("TIME_ZONE", "UTC")
LANGUAGE_COOKIE_NAME = "casilla_language"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

# --- Static files: ours, and the packages from npm, unbundled ------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env("STATIC_ROOT", str(BASE_DIR / "static_collected")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "config.static.StaticFiles"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG or TESTING
WHITENOISE_MAX_AGE = 3600
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("icons", STATE_DIR / "icons"),  # one sprite, made by `manage.py build_icons`
    ("npm/htmx", BASE_DIR / "node_modules" / "htmx.org" / "dist"),
    ("npm/squire", BASE_DIR / "node_modules" / "squire-rte" / "dist"),
    ("npm/dompurify", BASE_DIR / "node_modules" / "dompurify" / "dist"),
    ("npm/uplot", BASE_DIR / "node_modules" / "uplot" / "dist"),
    ("npm/asap", BASE_DIR / "node_modules" / "@fontsource-variable" / "asap"),
    ("npm/manuale", BASE_DIR / "node_modules" / "@fontsource-variable" / "manuale"),
]

# --- Files that people attach, until they are sent ------------------------------------------------------------------------------
# Where files are while they arrive; on the disk of MEDIA_ROOT they need no copy.
FILE_UPLOAD_TEMP_DIR = env("UPLOAD_DIR") or None
MEDIA_ROOT = env("MEDIA_ROOT", str(STATE_DIR / "media"))
STORE_DIR = Path(env("STORE_DIR", str(STATE_DIR / "store")))  # the octets of downloaded mail
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

# --- Security -------------------------------------------------------------------------------------------------------------------
HTTPS = SITE_URL.startswith("https:")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-casilla" if HTTPS else "casilla"
CSRF_COOKIE_NAME = "__Host-casilla_csrf" if HTTPS else "casilla_csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = int(env("HSTS_SECONDS", "31536000")) if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"

from csp.constants import NONCE, NONE, SELF  # noqa: E402

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- Logs: ids and counts, never subjects, bodies, addresses or passwords ---
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "config.logs.Redact"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]},
    },
    "loggers": {"imapclient": {"level": "WARNING"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
}
