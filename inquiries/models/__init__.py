"""Tables of the trade. Only `Inquiry.move_to` writes a status."""

from __future__ import annotations

from inquiries.models.access import ApiKey, IdempotencyKey
from inquiries.models.category import Category
from inquiries.models.events import Correction, InquiryEvent, Message
from inquiries.models.inquiry import Inquiry, InvalidMove, StaleInquiry
from inquiries.models.job import Analysis, Heartbeat, Job
from inquiries.models.learning import Calibration, Example, HeadVersion, InquiryVector, Outcome
from inquiries.models.operation import Lease, ServiceState, Usage
from inquiries.models.people import User
from inquiries.models.prompt import Comparison, PromptVersion, SentPrompt, Tone
from inquiries.models.site import SiteSettings

__all__ = [
    "Analysis",
    "ApiKey",
    "Calibration",
    "Category",
    "Comparison",
    "Correction",
    "Example",
    "HeadVersion",
    "Heartbeat",
    "IdempotencyKey",
    "Inquiry",
    "InquiryEvent",
    "InquiryVector",
    "InvalidMove",
    "Job",
    "Lease",
    "Message",
    "Outcome",
    "PromptVersion",
    "SentPrompt",
    "ServiceState",
    "SiteSettings",
    "StaleInquiry",
    "Tone",
    "Usage",
    "User",
]
