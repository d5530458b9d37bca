"""Tables of the trade. Only `Inquiry.move_to` writes a status."""

from __future__ import annotations

from inquiries.models.access import ApiKey, IdempotencyKey
from inquiries.models.category import Category
from inquiries.models.events import Correction, InquiryEvent, Message
from inquiries.models.inquiry import Inquiry, InvalidMove, StaleInquiry
from inquiries.models.job import Analysis, Heartbeat, Job
from inquiries.models.people import User
from inquiries.models.site import SiteSettings

__all__ = [
    "Analysis",
    "ApiKey",
    "Category",
    "Correction",
    "Heartbeat",
    "IdempotencyKey",
    "Inquiry",
    "InquiryEvent",
    "InvalidMove",
    "Job",
    "Message",
    "SiteSettings",
    "StaleInquiry",
    "User",
]
