"""Personal data stay on this machine: masked before a text is sent, put back into the draft that returns. Pure."""

from __future__ import annotations

from inquiries.ai.masking.marks import Masked, Restored, leftover_marks
from inquiries.ai.masking.masker import anonymise, mask, mask_all

__all__ = ["Masked", "Restored", "anonymise", "leftover_marks", "mask", "mask_all"]
