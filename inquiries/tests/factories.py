"""Makers of rows for tests, by plain functions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db.models.functions import Now
from django.utils import timezone

from inquiries import services
from inquiries.mailing import new_mail_id
from inquiries.models import Analysis, Category, Delivery, Inquiry, Message, User
from inquiries.states import AnalysisState, DeliveryKind, MessageKind, Sentiment

PASSWORD = "una-clave-larga-7"
CATEGORY_NAMES = ("Soporte Técnico", "Ventas", "Facturación", "Reclamo", "Consulta General")
COLOURS = ("azul", "verde", "ambar", "rojo", "gris")


def make_user(username: str, group: str = "", **fields: Any) -> User:
    """An active person with PASSWORD, in the group."""
    user = User.objects.create_user(username, f"{username}@example.com", PASSWORD, **fields)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def make_categories() -> dict[str, Category]:
    """The default categories by name, with one example and one keyword each."""
    return {
        name: Category.objects.get_or_create(
            name=name,
            defaults={
                "description": f"Consultas de {name}.",
                "examples": f"Tengo una pregunta de {name.lower()}",
                "keywords": name.lower()[:6],
                "colour": colour,
                "position": position,
            },
        )[0]
        for position, (name, colour) in enumerate(zip(CATEGORY_NAMES, COLOURS, strict=True))
    }


def make_inquiry(*, analysed: bool = False, **fields: Any) -> Inquiry:
    """An inquiry with its analysis, queued, or done when `analysed`."""
    values: dict[str, Any] = {
        "customer_name": "Juana Pérez",
        "email": "juana@example.com",
        "message": "Hola, no puedo entrar a mi cuenta desde ayer.",
    }
    if analysed:
        values |= {
            "category": make_categories()["Soporte Técnico"],
            "sentiment": Sentiment.NEGATIVE,
            "suggested_reply": "Hola Juana, lamentamos lo ocurrido.",
            "ai_state": AnalysisState.DONE,
            "engine": "embedded",
            "model": "use-m3",
            "confidence": 0.83,
            "language": "es",
            "analysed_at": timezone.now(),
        }
    inquiry = Inquiry.objects.create(**(values | fields))
    make_analysis(inquiry)
    return inquiry


def make_analysis(inquiry: Inquiry, **fields: Any) -> Analysis:
    """The analysis that matches the inquiry's AI state."""
    values: dict[str, Any] = {"inquiry": inquiry, "state": inquiry.ai_state, "error": inquiry.ai_error}
    if inquiry.ai_state == AnalysisState.DONE:
        values |= {
            "category": inquiry.category.name if inquiry.category else "",
            "category_row": inquiry.category,
            "sentiment": inquiry.sentiment or "",
            "reply": inquiry.suggested_reply or "",
            "reason": "Menciona «cuenta».",
            "engine": inquiry.engine,
            "model": inquiry.model,
            "prompt_version": "1",
            "confidence": inquiry.confidence,
            "duration_ms": 12,
        }
    if inquiry.ai_state in {AnalysisState.DONE, AnalysisState.FAILED, AnalysisState.SKIPPED}:
        values |= {"due_at": None, "finished_at": timezone.now(), "attempts": 1}
    return Analysis.objects.create(**(values | fields))


def answer(inquiry: Inquiry, *, actor: User, text: str, version: int = 0) -> Inquiry:
    """Send `text`, and let its undo window pass at once: the customer has it."""
    services.send_answer(inquiry, actor=actor, text=text, version=version)
    let_leave(inquiry)
    return Inquiry.objects.get(pk=inquiry.pk)


def let_leave(inquiry: Inquiry) -> None:
    """Let the undo window of every answer pass: their times move into the past, the email's too."""
    Delivery.objects.filter(inquiry=inquiry, message__in=Message.objects.pending()).update(due_at=Now())
    Message.objects.pending().filter(inquiry=inquiry).update(published_at=Now())


def make_answer(inquiry: Inquiry, body: str = "Ya puede entrar a su cuenta.", **fields: Any) -> Message:
    """A published answer."""
    return Message.objects.create(inquiry=inquiry, kind=MessageKind.ANSWER, body=body, **fields)


def make_delivery(inquiry: Inquiry, message: Message | None = None, **fields: Any) -> Delivery:
    """The email with the answer, or without one the receipt, queued."""
    values: dict[str, Any] = {
        "inquiry": inquiry,
        "message": message,
        "kind": DeliveryKind.ANSWER if message else DeliveryKind.RECEIPT,
        "recipient": inquiry.email,
        "mail_id": new_mail_id(),
    }
    return Delivery.objects.create(**(values | fields))
