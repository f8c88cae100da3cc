"""Django's settings, made from the option table. Nothing here is edited by a publisher."""

from __future__ import annotations

import warnings
from functools import partial

import dj_database_url

from broadsheet.ids import derive_key
from broadsheet.mail.rules import settings_from_url
from broadsheet.readers import allauth_settings
from broadsheet.server.options import data_folder, load
from broadsheet.server.secrets import installation_secrets, secret_path, signing_keys, signing_path

BROADSHEET = load(data_folder())
BROADSHEET_SECRETS = installation_secrets(secret_path(BROADSHEET))
BROADSHEET_SECRET = BROADSHEET_SECRETS[-1]  # for digests, which are stored; seals use all of them

BROADSHEET_SIGNING_KEYS = partial(signing_keys, signing_path(BROADSHEET))  # made when an app first asks

SECRET_KEY, *SECRET_KEY_FALLBACKS = (derive_key(secret, "django").hex() for secret in BROADSHEET_SECRETS)
DEBUG = False
ALLOWED_HOSTS = ["*"]  # the gate has refused foreign hosts before Django sees a request
ROOT_URLCONF = "broadsheet.server.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "readers.Reader"

INSTALLED_APPS = [
    "broadsheet.server.apps.ServerConfig",
    "broadsheet.demo",
    "broadsheet.leakcheck",
    "broadsheet.timemachine",
    "broadsheet.desk",
    "broadsheet.api",
    "broadsheet.epaper",
    "broadsheet.newsletters",
    "broadsheet.markets",
    "broadsheet.archive",
    "broadsheet.account",
    "broadsheet.website",
    "broadsheet.wire",
    "broadsheet.press",
    "broadsheet.newsroom",
    "broadsheet.subscriptions",
    "broadsheet.partners",
    "broadsheet.ads",
    "broadsheet.access",
    "broadsheet.payments",
    "broadsheet.readers",
    "broadsheet.bus",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.embeds",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "broadsheet.server.middleware.ResponseHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "broadsheet.server.middleware.Passports",
]

_CONTEXT = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "jinja2",
        "DIRS": [],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "broadsheet.press.typesetting.environment",
            "context_processors": [*_CONTEXT[:1], "broadsheet.server.context.page"],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _CONTEXT},
    },
]

if BROADSHEET.database_url:
    DATABASES = {"default": dj_database_url.parse(BROADSHEET.database_url, conn_max_age=60, conn_health_checks=True)}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(BROADSHEET.data / "broadsheet.sqlite3"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 20,
                # A transaction that will write takes the write lock at its start: no deadlock, no half-read state.
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; "
                    "PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON"
                ),
            },
        }
    }

CACHES = {"default": {"BACKEND": "broadsheet.api.adapters.tickets.TicketCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}}
USE_TZ = True
TIME_ZONE = BROADSHEET.time_zone
USE_I18N = True
LANGUAGE_CODE = "en-gb"

STATIC_URL = "/static/"
STATIC_ROOT = BROADSHEET.data / "static"
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.AppDirectoriesFinder"]
# Files are served from the packages themselves; names stay plain and reader-facing addresses carry the version.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
MEDIA_URL = "/media/"
MEDIA_ROOT = BROADSHEET.data / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # The pages of the e-paper: private, so outside the media that anyone may fetch, and without an address.
    "epaper": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": BROADSHEET.data / "epaper",
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}

globals().update(
    settings_from_url(BROADSHEET.email_url or (BROADSHEET.data / "letters").as_uri()),
)
DEFAULT_FROM_EMAIL = BROADSHEET.email_from or f"{BROADSHEET.name} <newsroom@{BROADSHEET.public_host.split(':')[0]}>"
SERVER_EMAIL = DEFAULT_FROM_EMAIL

globals().update(allauth_settings.SETTINGS)

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "broadsheet.api.adapters.hashers.SecretDigest",  # of clients' secrets, which are random
]
# Only staff have passwords; theirs open the newsroom.
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
]

SESSION_COOKIE_NAME = "__Host-bss" if BROADSHEET.https else "bss"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BROADSHEET.https
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-bsc" if BROADSHEET.https else "bsc"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "broadsheet.website.views.form_expired"
CSRF_TRUSTED_ORIGINS = [BROADSHEET.public_url]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = None  # the gate says how a reader came; no header of a visitor's does
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

WAGTAIL_SITE_NAME = BROADSHEET.name
WAGTAILADMIN_USER_LOGIN_FORM = "broadsheet.readers.staff_forms.StaffLoginForm"
WAGTAILADMIN_USER_PASSWORD_RESET_FORM = "broadsheet.readers.staff_forms.StaffPasswordResetForm"  # noqa: S105 - a form
WAGTAILADMIN_BASE_URL = BROADSHEET.public_url
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILIMAGES_EXTENSIONS = ["avif", "gif", "jpg", "jpeg", "png", "webp", "svg"]
WAGTAIL_I18N_ENABLED = False
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database", "AUTO_UPDATE": False}}

# WhiteNoise streams a file in a thread; under ASGI Django would warn of it once a process.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

TEST_RUNNER = "django.test.runner.DiscoverRunner"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"broadsheet": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
