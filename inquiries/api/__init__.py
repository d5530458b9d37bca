"""The JSON API: create, list and read inquiries."""

from __future__ import annotations
