"""`python -m pok.probe`: exit 0 when the web server of this machine is well; a container's health check."""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


def main() -> None:
    """Ask /healthz as a visitor would, by the public host name, since that one is always allowed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pok.settings")
    from django.conf import settings

    connection = HTTPConnection("127.0.0.1", settings.PORT, timeout=4)
    try:
        connection.request("GET", "/healthz", headers={"Host": urlsplit(settings.BASE_URL).netloc})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        sys.exit(f"POK: the web server does not answer ({type(error).__name__}).")
    if status != 200:
        sys.exit(f"POK: /healthz answers {status}.")


if __name__ == "__main__":
    main()
