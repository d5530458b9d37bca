"""The configuration that supervisors see: one module for each part of it."""

from __future__ import annotations

from inquiries.admin import access, categories, inquiries, people, settings

__all__ = ["access", "categories", "inquiries", "people", "settings"]
