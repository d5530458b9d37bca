"""Tables of the trade. Only `Inquiry.move_to` writes a status."""

from __future__ import annotations

from inquiries.models.access import ApiKey, IdempotencyKey
from inquiries.models.category import Category
from inquiries.models.events import Correction, InquiryEvent, Message
from inquiries.models.inquiry import Inquiry, InvalidMove, StaleInquiry
from inquiries.models.job import Analysis, Delivery, Heartbeat, Job
from inquiries.models.learning import Calibration, Example, HeadVersion, InquiryVector, Outcome
from inquiries.models.operation import Lease, ReceiptPause, ServiceState, Usage
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
    "Delivery",
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
    "ReceiptPause",
    "SentPrompt",
    "ServiceState",
    "SiteSettings",
    "StaleInquiry",
    "Tone",
    "Usage",
    "User",
]
