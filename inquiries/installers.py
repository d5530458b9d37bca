"""What the database needs besides its tables: roles and the full-text index. Idempotent, run after each migrate."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import connections

from inquiries import roles, search


def after_migrate(sender: Any, using: str = "default", **kwargs: Any) -> None:
    """Install roles and search; a migration that rebuilt the table took its triggers away silently."""
    create_permissions(sender, using=using, verbosity=0)
    roles.install()
    search.install(connections[using])
