"""Settings of the site, read from environment variables (see "Settings" in the README).

If a variable has an invalid value, the start fails with an error that names the variable.
"""

import os
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from environs import Env, ValidationError, validate

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("CALLBOARD_VAR_DIR", str(BASE_DIR / "var")))


def _kept_secret_key() -> str:
    """Returns the secret key that is stored in a file in VAR_DIR. Creates the file at the first start.

    If a site runs on several machines, set SECRET_KEY in the environment of each instead.
    """
    path = VAR_DIR / "secret_key"
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key


def _check_balance(usd: Decimal) -> None:
    """Raises ValidationError if a number of US dollars cannot be a quota (see `usage.prices.money`)."""
    if not 0 <= usd <= 10_000_000 or usd != round(usd, 9):
        raise ValidationError("Give US dollars from 0 to 10,000,000 with at most 9 decimals.")


# --- The site -----------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or _kept_secret_key()
# Where `serve` listens, how many processes it has, and how many threads each of them has.
HOST = env.str("HOST", "127.0.0.1").strip("[]")
PORT = env.int("PORT", 8000, validate=validate.Range(min=1, max=65535))
SERVE_WORKERS = env.int("WEB_CONCURRENCY", 2, validate=validate.Range(min=1))
# How many heaps the threads of a process share. glibc reads this variable; `serve` sets it to 2 by default.
MALLOC_ARENA_MAX = env.int("MALLOC_ARENA_MAX", None)
SERVE_THREADS = env.int("CALLBOARD_THREADS", 8, validate=validate.Range(min=1))
# Whether `serve` also runs the periodic jobs: alerts, digests, housekeeping (config.jobs).
SERVE_JOBS = env.bool("CALLBOARD_JOBS", True)
# The URL that people use, also in e-mails and examples. Behind a proxy, this is the proxy's URL.
BASE_URL = env.str("BASE_URL", f"http://localhost:{PORT}").rstrip("/")
_base = urlsplit(BASE_URL)
if _base.scheme not in {"http", "https"} or not _base.hostname:
    raise ValueError(f'BASE_URL must be a full address such as "https://callboard.example", not "{BASE_URL}"')
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [_base.hostname, "localhost", "127.0.0.1", "[::1]"])
IS_HTTPS = _base.scheme == "https"
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]

# Who can sign up: anybody, people with an invitation to a team, or nobody.
SIGNUP = env.str("CALLBOARD_SIGNUP", "invitation", validate=validate.OneOf(["open", "invitation", "closed"]))
# Calls older than this are deleted by `housekeeping`; their statistics stay.
CALL_RETENTION_DAYS = env.int("CALLBOARD_CALL_RETENTION_DAYS", 180, validate=validate.Range(min=1))
# The monthly balance, in US dollars, of the personal space of a new user. If it is empty, there is no limit.
DEFAULT_BALANCE_USD = (
    env.decimal("CALLBOARD_DEFAULT_BALANCE_USD", validate=_check_balance)
    if env.str("CALLBOARD_DEFAULT_BALANCE_USD", "")
    else None
)
# Whether webhooks may send to addresses in private networks.
WEBHOOKS_MAY_BE_PRIVATE = env.bool("CALLBOARD_WEBHOOKS_MAY_BE_PRIVATE", False)
# The key with which secrets are hashed. If it changes, all tokens and gateway keys stop working.
TOKEN_HASH_KEY = env.str("CALLBOARD_TOKEN_HASH_KEY", "") or SECRET_KEY

# --- Apps ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "logs",
    "usage",
    "teams",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.http.HtmxLoginMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "teams.last_team.remember_team",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# E-mail addresses are unique by a constraint on their lower case, which the check W004 does not recognise.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "teams.context_processors.shell",
            ],
            "builtins": ["config.templatetags.callboard", "template_partials.templatetags.partials"],
        },
    }
]

# --- Database -----------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {
    "default": env.dj_db_url(
        "DATABASE_URL", f"sqlite:///{VAR_DIR / 'callboard.sqlite3'}", conn_max_age=60, conn_health_checks=True
    )
}
_database = DATABASES["default"]
# How many seconds a writer waits for a database lock. Then the request fails, and the sender has to repeat it.
DATABASE_LOCK_SECONDS = 30
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["ENGINE"] = "config.sqlite"
    Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # IMMEDIATE takes the write lock when a transaction begins, so two writers wait for each other
    # instead of failing later. FULL: data is on disk before the response. The cache is SQLite's default, 2 MB per
    # thread; beyond that, the file cache of the system is as good.
    _options: dict[str, Any] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": DATABASE_LOCK_SECONDS,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY",
    }
    # A file, because threads cannot share a database in memory.
    _database["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    _database["ENGINE"] = "config.postgresql"
    # Pages of statistics often sort 4 MB of sketches. Compiling a query (JIT) or starting parallel workers takes
    # longer than running it.
    _options = {
        "options": f"-c lock_timeout={DATABASE_LOCK_SECONDS}s -c work_mem=32MB -c jit=off "
        "-c max_parallel_workers_per_gather=0"
    }
    # How often a connection executes a statement before it prepares it (`config.cursors`); "none" for a PgBouncer
    # in transaction mode, which does not support prepared statements.
    _threshold = _database.setdefault("OPTIONS", {}).pop("prepare_threshold", "3")
    if _threshold != "none" and not _threshold.isdecimal():
        raise ValueError(f'DATABASE_URL: prepare_threshold must be a number or "none", not "{_threshold}"')
    _options["prepare_threshold"] = None if _threshold == "none" else int(_threshold)
# Options of DATABASE_URL take precedence: `?options=-c%20jit%3Doff` replaces all of ours.
_database["OPTIONS"] = _options | _database.get("OPTIONS", {})

# Rate limits are counted in the cache, so all processes of the site must share it.
CACHES = {"default": env.dj_cache_url("CACHE_URL", "db://cache_entries")}
if CACHES["default"]["BACKEND"] == "django.core.cache.backends.db.DatabaseCache":
    # By default, Django drops a third of the entries beyond 300, including rate limits in use.
    CACHES["default"].setdefault("OPTIONS", {}).setdefault("MAX_ENTRIES", 100_000)
SESSION_ENGINE = "teams.sessions"

# --- People and sign-in (django-allauth) --------------------------------------------------------

AUTH_USER_MODEL = "teams.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "teams.account_adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FORM_CLASS = "teams.signup.InvitedForm"
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Callboard: "
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _base.scheme
USERSESSIONS_TRACK_ACTIVITY = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {"edit_webauthn": "teams.account_activity.RenamePasskeyForm"}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
SOCIALACCOUNT_ADAPTER = "teams.openid.SocialAccountAdapter"
# The site trusts its provider: a user whose address is verified there can sign in to the account with it.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
_oidc_server = env.str("CALLBOARD_OIDC_SERVER_URL", "")
# The hosts to which forms may redirect. A provider may use several hosts to sign in.
_oidc_hosts: list[str] = env.list("CALLBOARD_OIDC_SIGN_IN_HOSTS", [])
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if _oidc_server:
    _oidc = urlsplit(_oidc_server)
    if _oidc.scheme not in {"http", "https"} or not _oidc.hostname:
        raise ValueError(
            f'CALLBOARD_OIDC_SERVER_URL must be a full address such as "https://id.example", not "{_oidc_server}"'
        )
    _oidc_hosts.append(f"{_oidc.scheme}://{_oidc.netloc}")
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "oidc",
                "name": env.str("CALLBOARD_OIDC_NAME", "OpenID Connect"),
                "client_id": env.str("CALLBOARD_OIDC_CLIENT_ID"),
                "secret": env.str("CALLBOARD_OIDC_CLIENT_SECRET"),
                "settings": {"server_url": _oidc_server, "oauth_pkce_enabled": True},
            }
        ]
    }

# --- Security -----------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
# IP addresses of reverse proxies whose X-Forwarded-For is trusted.
TRUSTED_PROXIES: list[str] = env.list("CALLBOARD_TRUSTED_PROXIES", [])
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # Plotly's script adds this one style sheet for maps when it loads; a browser test fails
        # if another version adds a different one. Plotly's other styles use the sheet with its `id` in base.html.
        "style-src": [SELF, "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='"],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF, *_oidc_hosts],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# The largest request body that is read: 16 MiB, as documented for the API; also after decompression.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

# --- Words, times, files ------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_I18N = True
USE_TZ = True
# The time zone of new personal spaces and teams.
TIME_ZONE = env.str("TIME_ZONE", "UTC")
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.staticfiles.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
# Pages refer to files by their hash, so the copies without hash are not needed.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- Mail and log -------------------------------------------------------------------------------

# Without EMAIL_URL no e-mail can be sent; pages show links to copy instead.
_email = env.dj_email_url("EMAIL_URL", "dummy://")
HAS_MAIL = _email["EMAIL_BACKEND"] != "django.core.mail.backends.dummy.EmailBackend"
# Without e-mail nobody can verify an address. People can sign in anyway, but an unverified address is accepted
# neither for an invitation nor for an account at the OpenID Connect provider. Site staff can verify it.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if HAS_MAIL else "none"
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"], _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _email["EMAIL_USE_TLS"], _email["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"Callboard <callboard@{_base.hostname}>")

# The level is set on the handler too, because records of Django's loggers bypass the level of the root logger.
_log_level = env.str("LOG_LEVEL", "WARNING", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "level": _log_level}},
    "root": {"handlers": ["stderr"], "level": _log_level},
}
