"""POK: Sistema Inteligente de Atención al Cliente."""

from __future__ import annotations

__version__ = "0.1.0"
