"""The WSGI application that granian serves."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from pok.body import KnownLength

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pok.settings")
application = KnownLength(get_wsgi_application(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
