"""What the tests of the verbs submit, and what the history says of it."""

from __future__ import annotations

from typing import Any

from inquiries import services
from inquiries.models import Inquiry, InquiryEvent
from inquiries.services import Submission
from inquiries.states import Source

FIELDS = {"customer_name": "Ana", "email": "ana@example.com", "message": "Hola, ¿tienen sillas?"}


def submit(**changes: Any) -> Submission:
    return services.submit(**(FIELDS | {"source": Source.FORM} | changes))


def kinds(inquiry: Inquiry) -> list[str]:
    return list(InquiryEvent.objects.filter(inquiry=inquiry).values_list("kind", flat=True))
