"""The one file that reads the environment; a bad value stops the start with a sentence.

Without QIANTI_PUBLIC_URL the site serves this machine alone and makes its own secrets under var/.
With it, the site is a server: the secrets must be given and every page goes over HTTPS.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import dj_database_url
import plotly
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, EnvError, validate

from config import environment

BASE_DIR = environment.ROOT
HOME = environment.home()
env = Env()


def _read(kind: str, name: str, default: object, **checks: object) -> object:
    try:
        return getattr(env, kind)(name, default, **checks)
    except EnvError as error:
        why = " ".join(str(error).split())
        raise ImproperlyConfigured(f"{name}={os.environ.get(name)!r} cannot be used: {why}") from error


def _read_count(name: str, default: int) -> int:
    return int(str(_read("int", name, default, validate=validate.Range(min=1))))


def _host_of(public_url: str) -> str:
    """Return the name under which a public site is reached."""
    try:
        parts = urlsplit(public_url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname:
        raise ImproperlyConfigured(
            f"QIANTI_PUBLIC_URL={public_url!r} is no https address, such as https://qianti.example"
        )
    return parts.hostname


def _kept_secret(name: str, file: str, make: object) -> str:
    """Return a secret from the environment; on a machine of one's own, one made once and kept."""
    if value := os.environ.get(name):
        return value
    if PUBLIC_URL:
        raise ImproperlyConfigured(f"{name} is not set; a public site (QIANTI_PUBLIC_URL) needs it")
    path = HOME / file
    try:
        if not path.exists() or not path.stat().st_size:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_once(path, make())  # type: ignore[operator]
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} cannot be kept ({error.strerror}); name another folder in QIANTI_HOME"
        ) from error


def _write_once(path: Path, secret: str) -> None:
    """Write a secret whole; of two processes that start at once, both then read one of the two."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.touch(mode=0o600)
    part.write_text(secret)
    if path.exists():
        path.unlink()  # empty: its writer was killed
    with suppress(FileExistsError):
        path.hardlink_to(part)
    part.unlink()


def _fernet_keys(text: str) -> list[str]:
    """Return the keys of QIANTI_ENCRYPTION_KEYS, each fit to encrypt; a refusal does not repeat them."""
    from cryptography.fernet import Fernet

    keys = [key.strip() for key in text.split(",")]
    for place, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"QIANTI_ENCRYPTION_KEYS cannot be used: key {place} is no Fernet key (32 bytes in URL-safe base64)"
            ) from error
    return keys


def _fernet_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


PUBLIC_URL = str(_read("str", "QIANTI_PUBLIC_URL", ""))
PUBLIC_HOST = _host_of(PUBLIC_URL) if PUBLIC_URL else ""
DEBUG = bool(_read("bool", "QIANTI_DEBUG", False))
SECRET_KEY = _kept_secret("QIANTI_SECRET_KEY", "secret_key", lambda: secrets.token_urlsafe(64))
# First the key that encrypts; the others still decrypt, so that keys can be rotated.
ENCRYPTION_KEYS = _fernet_keys(_kept_secret("QIANTI_ENCRYPTION_KEYS", "encryption_key", _fernet_key))
ALLOWED_HOSTS = [PUBLIC_HOST] if PUBLIC_URL else ["127.0.0.1", "localhost", "[::1]", "testserver"]

# Addresses of teachers and solvers on this machine or in a private network: on a public site the
# operator must allow them, or a member could make the server talk to its own neighbours.
ALLOW_PRIVATE_ENDPOINTS = bool(_read("bool", "QIANTI_ALLOW_PRIVATE_ENDPOINTS", not PUBLIC_URL))
# Counts the tokens of replies whose endpoint does not: a tokenizer.json, of Qwen2.5 as a rule.
TOKENIZER_FILE = str(_read("str", "QIANTI_TOKENIZER", ""))
if TOKENIZER_FILE and not Path(TOKENIZER_FILE).is_file():
    raise ImproperlyConfigured(f"QIANTI_TOKENIZER={TOKENIZER_FILE!r} is no file; name a tokenizer.json")
MAX_UPLOAD_BYTES = _read_count("QIANTI_MAX_UPLOAD_BYTES", 2 * 1024**3)
# A running job that has not been heard of for this long is given to another worker.
JOB_SILENCE_SECONDS = _read_count("QIANTI_JOB_SILENCE_SECONDS", 120)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "csp",
    "django.forms",
    "django_htmx",
    "template_partials",
    "pgtrigger",
    "common",
    "curator",
    "training",
    "evaluation",
    "demo",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "django.contrib.humanize.templatetags.humanize",
                "common.templatetags.qianti",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # a form's errors are said in the reader's language

# --- PostgreSQL and Redis ---
DATABASE_URL = os.environ.get("DATABASE_URL", "")
REDIS_URL = os.environ.get("REDIS_URL", "")
if DATABASE_URL and not DATABASE_URL.startswith(("postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://; Qianti speaks PostgreSQL only")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL must begin with redis://, rediss:// or unix://")
try:
    _database = dj_database_url.parse(DATABASE_URL or "postgresql://localhost/qianti", conn_max_age=60)
except ValueError as error:  # the address may hold a password, so it is not repeated
    raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
DATABASES = {"default": _database | {"ENGINE": "django.db.backends.postgresql", "CONN_HEALTH_CHECKS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people ---
AUTH_USER_MODEL = "common.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if PUBLIC_URL else "none"
LOGIN_REDIRECT_URL = "home"
LOGIN_URL = "account_login"
EMAIL_CONFIG = _read("dj_email_url", "QIANTI_EMAIL_URL", "console://")
if "EMAIL_BACKEND" not in EMAIL_CONFIG:  # type: ignore[operator]
    raise ImproperlyConfigured(
        "QIANTI_EMAIL_URL begins with no way to send mail; write smtp:// or, with TLS, submission://user:password@host"
    )
vars().update(EMAIL_CONFIG)  # type: ignore[call-overload]
DEFAULT_FROM_EMAIL = str(_read("str", "QIANTI_FROM_EMAIL", "qianti@localhost"))

# --- language ---
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = str(
    _read("str", "QIANTI_TIME_ZONE", "UTC", validate=validate.OneOf(sorted(available_timezones())))
)

# --- files ---
STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static", ("plotly", Path(plotly.__file__).parent / "package_data")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = not PUBLIC_URL
MEDIA_ROOT = HOME / "uploads"
JOBS_ROOT = HOME / "jobs"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# --- Celery: only the nudge behind a job's row ---
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
# What asks endpoints waits for them nearly all of its time: it has slots of its own, and holds up nothing else.
_ASKING = ("run_collection", "run_probe", "run_trial", "run_grading", "run_classification")
CELERY_TASK_ROUTES = {
    **{f"curator.tasks.{name}": {"queue": "net"} for name in _ASKING},
    "training.tasks.*": {"queue": "gpu"},
    "evaluation.tasks.*": {"queue": "gpu"},
    "*": {"queue": "cpu"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep jobs": {"task": "common.tasks.sweep_jobs", "schedule": 15.0},
    "write words": {"task": "curator.tasks.write_words", "schedule": 60.0},
    "forget uploads": {"task": "curator.tasks.forget_uploads", "schedule": 3600.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "celerybeat-schedule")
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- what a browser may do ---
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],  # plotly writes its own style element
        "img-src": ["'self'", "data:", "blob:"],  # a chart saved as a picture
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
if PUBLIC_URL:
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL.rstrip("/")]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_LEVEL = str(_read("str", "QIANTI_LOG_LEVEL", "WARNING", validate=validate.OneOf(LOG_LEVELS)))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
