"""Settings of POK. Every variable of the environment is read here and nowhere else."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from pok import __version__, env
from pok.logging import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")

# --- Where state lives -------------------------------------------------------------------------
DATA_DIR = env.data_folder(Path(env.text("POK_DATA_DIR", str(BASE_DIR / "var"))).expanduser().resolve())
PORT = env.integer("PORT", 8000, low=1, high=65535)
BASE_URL = env.url("POK_BASE_URL", f"http://127.0.0.1:{PORT}", ("http", "https"))
POK_VERSION = __version__

# --- Security ----------------------------------------------------------------------------------
DEBUG = env.boolean("DJANGO_DEBUG")
SECRET_KEY = env.secret_key("DJANGO_SECRET_KEY", DATA_DIR)
ALLOWED_HOSTS = [
    *(env.names("DJANGO_ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]),
    urlsplit(BASE_URL).hostname or "localhost",
]
CSRF_TRUSTED_ORIGINS = env.names("DJANGO_CSRF_TRUSTED_ORIGINS") or ([BASE_URL] if BASE_URL.startswith("https") else [])
NUM_PROXIES = env.integer("POK_NUM_PROXIES", 0, low=0, high=10)
IS_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NUM_PROXIES else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "inquiries.views.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
# A form takes a 10,000-character message, an API call the same as JSON escapes; both fit many times.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# --- Application -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "inquiries.apps.PokAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "pok.static.PublishedFilesConfig",
    "django.forms",
    "django_htmx",
    "django_bootstrap5",
    "django_filters",
    "django_tables2",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "huey.contrib.djhuey",
    "axes",
    "solo",
    "django_structlog",
    "inquiries",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pok.middleware.RequestCountMiddleware",
    "pok.middleware.RequestLogMiddleware",  # below the static files, above everything that may refuse
    "pok.middleware.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pok.middleware.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pok.middleware.HtmxLoginMiddleware",
    "axes.middleware.AxesMiddleware",
    "pok.middleware.DatabaseDownMiddleware",
]
ROOT_URLCONF = "pok.urls"
WSGI_APPLICATION = "pok.wsgi.application"
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
                "inquiries.context.site",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database ----------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {"default": env.database("DATABASE_URL", DATA_DIR / "pok.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
WORKERS = env.integer("POK_WORKERS", 8, low=1, high=200)
WEB_THREADS = env.integer("POK_WEB_THREADS", 4, low=1, high=64)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL with IMMEDIATE transactions: no "database is locked" while web and worker both write.
    # synchronous=FULL: an inquiry that was accepted survives a power cut.
    # secure_delete=ON: what is erased leaves no words behind in the free pages of the file.
    DATABASES["default"] |= {
        "ENGINE": "pok.sqlite",  # Django's own, where those who write queue up
        "CONN_MAX_AGE": None,
        # A real file: the shared in-memory database of the tests locks whole tables between threads.
        "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;"
            " PRAGMA journal_size_limit=27103364; PRAGMA cache_size=-16000; PRAGMA secure_delete=ON;",
        },
    }
else:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "pool": {"min_size": 1, "max_size": 20, "timeout": 3, "reconnect_timeout": 2},
            **DATABASES["default"].get("OPTIONS", {}),  # what the address asks for, such as ?sslmode=verify-full
        },
    }

# --- Queue and cache ---------------------------------------------------------------------------
REDIS_URL = env.url("REDIS_URL", "", ("redis", "rediss"))
HUEY = {
    "huey_class": "pok.queue.RedisQueue" if REDIS_URL else "pok.queue.LocalQueue",
    "name": "pok",
    "immediate": False,
    "results": False,
    "connection": {"url": REDIS_URL, "max_connections": WORKERS + 50}
    if REDIS_URL
    else {"folder": DATA_DIR / "doorbell"},
    "consumer": {
        "workers": WORKERS,
        "worker_type": "thread",
        # Seconds between two tries while the queue fails; else workers sleep until an entry comes.
        "initial_delay": 0.02,
        "max_delay": 0.1,
        "graceful_signal": "TERM",
        "shutdown_timeout": 25,
    },
}
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "pool_class": "pok.broker.BrokerPool",
            "socket_connect_timeout": 0.2,
            "socket_timeout": 0.2,
        },
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "pok_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    # What may be a few seconds old and is read on every page stays in the process.
    "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "pok"},
}

# --- AI ----------------------------------------------------------------------------------------
AI_ENGINE = env.choice("POK_AI_ENGINE", "auto", ("auto", "openai", "embedded", "off"))
OPENAI_API_KEY = env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = env.url("OPENAI_BASE_URL", "", ("http", "https"))
OPENAI_MODEL = env.text("OPENAI_MODEL", "gpt-5-mini")
OPENAI_TOKEN_LIMIT_PARAM = env.choice(
    "OPENAI_TOKEN_LIMIT_PARAM", "max_completion_tokens", ("max_completion_tokens", "max_tokens")
)
# A reasoning model thinks within this limit too, so it is far above the length of a reply.
OPENAI_TOKEN_LIMIT = env.integer("OPENAI_TOKEN_LIMIT", 4000, low=200, high=100_000)
OPENAI_REASONING_EFFORT = env.text("OPENAI_REASONING_EFFORT")
AI_DEADLINE = env.integer("POK_AI_DEADLINE", 60, low=1, high=600)

# --- People ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "inquiries.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "inbox"
LOGOUT_REDIRECT_URL = "login"
ADMIN_USER = env.text("POK_ADMIN_USER", "admin")
ADMIN_PASSWORD = env.text("POK_ADMIN_PASSWORD")
# User *and* address together: a stranger who tries passwords locks out only their own address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "inquiries.views.account.name_of_attempt"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# The wait that the page names is the wait: trying meanwhile does not prolong it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "inquiries.views.account.locked_out"
AXES_IPWARE_PROXY_COUNT = NUM_PROXIES
AXES_IPWARE_META_PRECEDENCE_ORDER = ["HTTP_X_FORWARDED_FOR", "REMOTE_ADDR"] if NUM_PROXIES else ["REMOTE_ADDR"]
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False  # our own list of locked-out people is in inquiries.admin

# --- Mail --------------------------------------------------------------------------------------
# Without EMAIL_URL nothing is sent: customers read their answers by the link, and the monitor says so.
MAIL = env.email("EMAIL_URL", "dummymail://")
globals().update(MAIL)
HAS_MAIL = not MAIL["EMAIL_BACKEND"].endswith("dummy.EmailBackend")
EMAIL_TIMEOUT = 20  # seconds, for each step of the talk with the mail server
# For its last word on a mail: whoever hangs up early does not know whether it was taken (RFC 5321, 4.5.3.2.6).
MAIL_PATIENCE = 120
# Without a name of its own the mail server's user, which is an address at many providers.
_mail_user = MAIL["EMAIL_HOST_USER"] or ""
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.mailbox("POK_FROM_EMAIL", _mail_user if "@" in _mail_user else "pok@localhost")
REPLY_TO = env.mailbox("POK_REPLY_TO", "")

# --- Backups -----------------------------------------------------------------------------------
BACKUP_DIR = Path(env.text("POK_BACKUP_DIR", str(DATA_DIR / "backups"))).expanduser().resolve()
BACKUP_DAYS = env.integer("POK_BACKUP_DAYS", 14, low=0, high=3650)  # how long nightly ones are kept; 0: none are made

# --- Language and time -------------------------------------------------------------------------
LANGUAGE_CODE = "es"
LANGUAGES = [("es", _("Spanish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "pok_language"
LANGUAGE_COOKIE_AGE = 31_536_000
USE_TZ = True
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")

# --- Static files ------------------------------------------------------------------------------
STATIC_URL = "/static/"
# An image bakes them in, outside of its volume: a volume would keep those of the image before.
STATIC_ROOT = Path(env.text("POK_STATIC_DIR", str(DATA_DIR / "static"))).expanduser().resolve()
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "pok.static.HashedStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- API ---------------------------------------------------------------------------------------
THROTTLE = env.choice("POK_THROTTLE", "on", ("on", "off"))
METRICS_TOKEN = env.text("POK_METRICS_TOKEN")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "inquiries.api.keys.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["inquiries.api.permissions.CanReadInquiries"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["inquiries.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "inquiries.api.errors.exception_handler",
    "DEFAULT_THROTTLE_RATES": {
        "public": "20/min",
        "public_day": "300/day",
        "key": "1200/min",
        "password": "5/hour",
        "password_account": "3/hour",
    },
    "NUM_PROXIES": NUM_PROXIES,
    "URL_FORMAT_OVERRIDE": None,  # ?format=… chooses nothing: everything is JSON
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "POK",
    "DESCRIPTION": "Sistema Inteligente de Atención al Cliente",
    "VERSION": POK_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # With it, Swagger UI puts a link inside each button.
    "SWAGGER_UI_SETTINGS": {"deepLinking": False, "displayRequestDuration": True},
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "inquiries.states.Status",
        "AnalysisStateEnum": "inquiries.states.AnalysisState",
        "SentimentEnum": "inquiries.states.Sentiment",
        "SourceEnum": "inquiries.states.Source",
    },
}

# --- Logs --------------------------------------------------------------------------------------
LOG_FORMAT = env.choice("POK_LOG_FORMAT", "auto", ("auto", "text", "json"))
LOGGING = logging_config(debug=DEBUG, style=LOG_FORMAT)
DJANGO_STRUCTLOG_USER_ID_FIELD = "pk"
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # an address is personal data; the lockout keeps its own
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # one line a request: the one that knows the outcome
