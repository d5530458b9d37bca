"""What the database needs besides its tables: roles, the full-text index, SQLite's figures.

Idempotent, run after each migrate.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import connections

from inquiries import planner, roles, search


def after_migrate(sender: Any, using: str = "default", **kwargs: Any) -> None:
    """Install roles, search and figures; a migration that rebuilt the table took its triggers and figures away."""
    create_permissions(sender, using=using, verbosity=0)
    roles.install()
    search.install(connections[using])
    planner.install(connections[using])
