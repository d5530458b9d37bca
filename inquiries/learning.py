"""What workers make of people's work: vectors, examples without personal data, and heads trained on both."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from inquiries import similar
from inquiries.ai.engine import AIError, CategorySpec, LabelledText
from inquiries.ai.masking import anonymise
from inquiries.ai.masking.greetings import hide_greeted
from inquiries.engines import embedded_engine, uses_openai
from inquiries.models import Example, Inquiry, InquiryVector, Message
from inquiries.states import MessageKind, Status
from pok.logging import get_logger

log = get_logger(__name__)
# A person's own word weighs as two examples, a reply that was sent without touching the label as half of one.
CORRECTED_WEIGHT = 2.0
SENT_WEIGHT = 0.5
NEWEST_LABELS = 1_000


def wants_encoder() -> bool:
    """Tell whether meaning is of any use here: there are solved cases, or the embedded engine may have to read.

    Where an AI service reads and nothing else may, a new desk's workers need not load an encoder.
    """
    return settings.AI_ENGINE != "openai" or not uses_openai() or similar.has_examples()


def vector_of(text: str) -> bytes | None:
    """Return a text's packed vector; None where only the word-hashing encoder is there, which knows no meaning."""
    engine = embedded_engine()
    vector = engine.embed(text)
    return similar.pack(vector) if engine.model.startswith(similar.ENCODER) else None


def is_out_of_scope(text: str, categories: Sequence[CategorySpec]) -> bool:
    """Tell whether a text is like nothing that the desk was taught, whatever a service outside claims about it.

    Without trained heads nothing is told: an inquiry that a service reads does not wait for a training.
    """
    engine = embedded_engine()
    return engine.is_taught(categories) and engine.is_out_of_scope(text, categories)


def keep_vector(inquiry: Inquiry) -> bytes | None:
    """Return the inquiry's packed vector, computed and stored where that has not happened yet.

    Of one that is erased meanwhile nothing is stored.
    """
    row = InquiryVector.objects.filter(pk=inquiry.pk, encoder=similar.ENCODER).first()
    if row is not None:
        return bytes(row.vector)
    data = vector_of(inquiry.message)
    if data is not None:
        with suppress(IntegrityError):
            InquiryVector.objects.update_or_create(
                inquiry_id=inquiry.pk, defaults={"encoder": similar.ENCODER, "vector": data}
            )
    return data


def embed_waiting(limit: int = 50) -> int:
    """Store the vectors of waiting inquiries that have none, newest first, so that similar ones can be shown."""
    # Only the newest are looked at, so that a long backlog is not read through every few seconds.
    newest = Inquiry.objects.waiting().order_by("-id").values("pk")[: 10 * limit]
    bare = Inquiry.objects.filter(pk__in=newest, vector__isnull=True).only("pk", "message").order_by("-id")
    return sum(keep_vector(inquiry) is not None for inquiry in bare[:limit])


def learn_pending(limit: int = 50) -> int:
    """Turn inquiries with new labels or replies into examples; return how many were looked at.

    The mark goes last, and only from the version that was read: a worker that is killed on the way, or a label that
    comes in between, leaves it. A text that cannot be learnt is let go, so that it does not hold up all others.
    """
    # An answer that can still be taken back teaches nothing: its inquiry waits for its turn.
    on_the_way = Exists(Message.objects.pending().filter(inquiry=OuterRef("pk")))
    marked = Inquiry.objects.filter(~on_the_way, to_learn=True).order_by("id")
    pending = list(marked.values_list("pk", "row_version")[:limit])
    for pk, version in pending:
        try:
            _learn(pk)
        except (AIError, DatabaseError):
            raise
        except Exception:
            log.exception("not_learnt", inquiry_id=pk)
        Inquiry.objects.filter(pk=pk, row_version=version).update(to_learn=False)
    return len(pending)


def _learn(pk: int) -> None:
    inquiry = Inquiry.objects.select_related("category").filter(pk=pk).first()
    if inquiry is None:
        return
    answer, labels_known = _of_first_exchange(inquiry)
    is_label = inquiry.category_by_person or labels_known["is_sentiment_corrected"]
    if inquiry.status == Status.SPAM or not (answer or is_label):
        Example.objects.filter(inquiry_id=pk).delete()
        return
    hidden = {"customer_name": inquiry.customer_name, "email": inquiry.email}
    try:
        vector = keep_vector(inquiry)
        if vector is None:
            return
        # A new row, so that every index reads it: they go by the newest id that they have seen.
        with transaction.atomic():
            Example.objects.filter(inquiry_id=pk).delete()
            Example.objects.create(
                inquiry_id=pk,
                text=anonymise(inquiry.message, **hidden),
                answer=hide_greeted(anonymise(answer, **hidden)),
                is_corrected=inquiry.category_by_person,
                **labels_known,
                encoder=similar.ENCODER,
                vector=vector,
            )
    except IntegrityError:
        # Erased meanwhile, or learnt by another worker: both are fine.
        return


def _of_first_exchange(inquiry: Inquiry) -> tuple[str, dict[str, Any]]:
    """Return the answer to the first message, and its labels under the names that an example has for them.

    Once the customer wrote again, later answers, the sentiment and an engine's category are about more than that
    message: what was learnt before stays, and what had not been learnt by then is unknown.
    """
    answers = inquiry.messages.published()
    if inquiry.followed_up_at is None:
        return _body(answers.last()), {
            "category": inquiry.category,
            "sentiment": inquiry.sentiment or "",
            "is_sentiment_corrected": inquiry.sentiment_by_person,
        }
    again = inquiry.messages.filter(kind=MessageKind.CUSTOMER).order_by("pk").values("pk")[:1]
    learnt = Example.objects.select_related("category").filter(inquiry_id=inquiry.pk).first() or Example()
    return _body(answers.filter(pk__lt=Subquery(again)).last()), {
        "category": inquiry.category if inquiry.category_by_person else learnt.category,
        "sentiment": learnt.sentiment,
        "is_sentiment_corrected": learnt.is_sentiment_corrected,
    }


def _body(message: Message | None) -> str:
    return message.body if message else ""


def labels() -> Sequence[LabelledText]:
    """Return the newest labels as training texts: people's own, and what held when a reply was sent."""
    rows = Example.objects.filter(Q(category__is_active=True) | Q(is_sentiment_corrected=True))
    newest = rows.select_related("category").defer("vector", "answer").order_by("-id")[:NEWEST_LABELS]
    return [_label(row) for row in newest]


def _label(row: Example) -> LabelledText:
    is_own = row.is_corrected or row.is_sentiment_corrected
    category = row.category.name if row.category and row.category.is_active else ""
    return LabelledText(
        text=row.text,
        category=category if row.is_corrected or not row.is_sentiment_corrected else "",
        sentiment=row.sentiment if row.is_sentiment_corrected or not is_own else "",
        weight=CORRECTED_WEIGHT if is_own else SENT_WEIGHT,
    )
